"""Pages that weigh little: the parts of MathJax that are used, the icons that some page names,
drawings with as many colours as they need, and source code without the table of contents.

What a page shows stays the same: a picture whose colours would change visibly is left alone.
"""

import io
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

MATHJAX = "mathjax/startup.js"  # what its one-file builds hold besides is the menu, a third of them
PARTS = {"load": ["input/tex", "output/chtml", "a11y/assistive-mml"]}
ICONS = "_static/scripts/fontawesome.js"
ICON = re.compile(
    r'(?:"([\w-]+)"|([\w$]+)):'
    r'(\[\d+,\d+,\[([^\]]*)\],"[0-9a-f]+",(?:"[^"]*"|\["[^"]*","[^"]*"\])\]),?'
)
COLOURS = 256
SIDE_BY_SIDE = 2  # processes
VISIBLE = 1.5  # of 255: the root mean square by which a picture may change


def parts_of_mathjax(app, config) -> None:
    config.mathjax_path = MATHJAX
    config.mathjax3_config = (config.mathjax3_config or {}) | {"loader": PARTS}


def code_without_contents(app, pagename, templatename, context, doctree) -> None:
    """The sidebar of a page of source code has the way home and the search. With the table of
    contents in each of them the site takes a fifth longer to build."""
    if pagename.startswith("_modules/"):
        context["sidebars"] = [name for name in context["sidebars"] if "nav." not in name]


def lighten(app, error) -> None:
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    with ProcessPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(lighten_picture, sorted((out / "_images").glob("*.png")), chunksize=8))
    icons = out / ICONS
    if icons.exists():
        names = named(page.read_text(encoding="utf-8") for page in sources(out, icons))
        icons.write_text(only(icons.read_text(encoding="utf-8"), names), encoding="utf-8")


def lighten_picture(picture: Path) -> None:
    if light := fewer_colours(picture.read_bytes()):
        picture.write_bytes(light)


def sources(out: Path, icons: Path):
    yield from out.rglob("*.html")
    yield from (script for script in (out / "_static").rglob("*.js") if script != icons)


def named(texts) -> set[str]:
    """The icons that some texts name."""
    return {name for text in texts for name in re.findall(r"\bfa-([a-z0-9-]+)", text)}


def only(script: str, names: set[str]) -> str:
    """Font Awesome's script with these of its icons, each by any of its names."""

    def kept(icon: re.Match) -> str:
        other = re.findall(r'"([\w-]+)"', icon[4])
        return icon[0] if names & {icon[1] or icon[2], *other} else ""

    return re.sub(r",(?=})", "", ICON.sub(kept, script))


def fewer_colours(picture: bytes) -> bytes | None:
    """The picture with a palette; None where that would be seen, or gains nothing."""
    whole = Image.open(io.BytesIO(picture))
    if whole.mode == "P" or (whole.mode == "RGBA" and whole.getextrema()[3][0] < 255):
        return None
    wide = whole.convert("RGB")
    few = wide.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    if max(ImageStat.Stat(ImageChops.difference(wide, few.convert("RGB"))).rms) > VISIBLE:
        return None
    light = io.BytesIO()
    few.save(light, "png", optimize=True)
    return light.getvalue() if light.tell() < len(picture) else None


def setup(app) -> dict:
    app.connect("config-inited", parts_of_mathjax, priority=900)
    app.connect("html-page-context", code_without_contents, priority=100)
    app.connect("build-finished", lighten, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
