"""Pictures that fit: the narrow one on a phone, below each what its runs are, and a small one of
each chapter for the front page.

A notebook's output carries the first two beside its wide picture, in its metadata
(`bnlib.book.narrow`). A chapter's small picture is that of the cell with the tag ``hero``, or else
its first.
"""

import base64
import hashlib
import io
import json
import re
from html import escape
from pathlib import Path

from PIL import Image

THUMBNAIL = 480  # pixels: twice what is shown


def fit(app, pagename, templatename, context, doctree) -> None:
    source = Path(app.env.doc2path(pagename)) if doctree else Path()
    if source.suffix != ".ipynb" or app.builder.format != "html":
        return
    for wide, about in shown(json.loads(source.read_text(encoding="utf-8"))):
        name = hashlib.sha256(wide).hexdigest()
        context["body"] = re.sub(
            rf'<a class="[^"]*image-reference" href="[^"]*">(<img [^>]*{name}\.png[^>]*>)\s*</a>'
            r"(.*?)(</figcaption>)",
            lambda found, name=name, about=about: figure(app, name, about, *found.groups()),
            context["body"],
            count=1,
            flags=re.DOTALL,
        )


def shown(notebook: dict):
    """Each PNG with its metadata."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                about = output.get("metadata", {}).get("image/png", {})
                yield base64.b64decode("".join(picture)), about


def figure(app, name: str, about: dict, image: str, between: str, end: str) -> str:
    if narrow := about.get("narrow"):
        target = Path(app.outdir) / "_images" / f"{name}-narrow.png"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(base64.b64decode(narrow))
        url = re.search(rf'src="([^"]*){name}\.png"', image).group(1) + target.name
        source = f'<source media="screen and (max-width: 600px)" srcset="{url}">'
        image = f"<picture>{source}{image}</picture>"
    scale = about.get("scale")
    return image + between + (f'<p class="scale">{escape(scale)}</p>' if scale else "") + end


def thumbnails(app, error) -> None:
    if error or app.builder.format != "html":
        return
    for page in app.env.found_docs:
        source = Path(app.env.doc2path(page))
        if source.parent.name == "chapters" and (found := hero(source)):
            small = first_panel(*found)
            small.thumbnail((THUMBNAIL, THUMBNAIL))
            target = Path(app.outdir) / "_images" / f"thumbnail-{source.stem}.png"
            target.parent.mkdir(exist_ok=True)
            small.save(target, optimize=True)


def first_panel(picture: bytes, end: int | None) -> Image.Image:
    """Down to ``end``, where the panel ends; as much of a tall one as fits a card."""
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    end = min(end or whole.height, whole.height)
    return whole.crop((0, 0, whole.width, end if end <= whole.width else whole.width * 2 // 3))


def hero(source: Path) -> tuple[bytes, int | None] | None:
    """The chapter's main figure, narrow if it is wide, and where its first panel ends."""
    cells = json.loads(source.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "hero" in cell["metadata"].get("tags", [])]
    for wide, about in shown({"cells": tagged or cells}):
        narrow = about.get("narrow")
        return (base64.b64decode(narrow), about.get("panel")) if narrow else (wide, None)
    return None


def setup(app) -> dict:
    app.connect("html-page-context", fit)
    app.connect("build-finished", thumbnails)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
