"""Running one chapter with other parameters; a misspelt name is refused before anything runs."""

import ast
import difflib
import logging
import re
from pathlib import Path

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


def declared(book: Book, chapter: Path) -> dict[str, dict]:
    """The parameters of a chapter, as papermill sees them: name, default, type, help."""
    logging.disable(logging.WARNING)  # papermill tells of what it cannot parse in the cell
    try:
        import papermill

        return papermill.inspect_notebook(book.root / chapter)
    finally:
        logging.disable(logging.NOTSET)


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
