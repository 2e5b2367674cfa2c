"""Running one chapter with other parameters; a misspelt name is refused before anything runs."""

import ast
import difflib
import re
from pathlib import Path

from bnlib.book import notebooks
from bnlib.book.execute import execute
from bnlib.book.layout import Book
from bnlib.errors import BookError

WORDS = {"true": True, "false": False, "none": None, "null": None}


def value(text: str):
    """What a value on the command line means: a Python literal, else the text itself."""
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def declared(book: Book, chapter: Path) -> dict[str, dict[str, str]]:
    """The parameters of a chapter: name, type, default, help.

    Read from its cell tagged so: papermill's own list leaves out types such as ``int | None``."""
    found = {}
    for cell in notebooks.read(book.root / chapter).cells:
        if "parameters" not in cell.metadata.get("tags", []):
            continue
        lines = cell.source.splitlines()
        for line in ast.parse(cell.source).body:
            if isinstance(line, ast.AnnAssign):
                name = ast.unparse(line.target)
                words = lines[line.end_lineno - 1].encode()[line.end_col_offset :].decode()
                found[name] = {
                    "type": ast.unparse(line.annotation),
                    "default": ast.unparse(line.value),
                    "help": words.partition("#")[2].strip(),
                }
    return found


def run_chapter(book: Book, chapter: Path, texts: dict[str, str]) -> Path:
    """Execute a chapter into _build/runs/ and return where."""
    known = declared(book, chapter)
    for name in texts:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            allowed = ", ".join(known) or "none"
            raise BookError(f"{chapter.stem} has no parameter {name!r} (it has: {allowed}){hint}")
    label = "".join(f"--{name}-{text}" for name, text in texts.items())
    name = chapter.stem + re.sub(r"[^\w.,=-]+", "_", label)[:120]
    target = book.build / "runs" / f"{name}.ipynb"
    execute(book, chapter, target, {name: value(text) for name, text in texts.items()})
    return target
