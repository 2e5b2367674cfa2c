"""Running one chapter with other parameters; a misspelt name is refused before anything runs."""

import ast
import difflib
import hashlib
import json
import re
from pathlib import Path

from bnlib.book import cells, chapter
from bnlib.book.execute import execute
from bnlib.book.layout import Book
from bnlib.errors import BookError
from bnlib.study import Experiments, Study

WORDS = {"true": True, "false": False, "none": None, "null": None}
LONGEST_NAME = 120  # characters of a file


def value(text: str):
    """What a value on the command line means: a Python literal, else the text itself."""
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        found = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text
    try:
        return json.loads(json.dumps(found, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return text  # a set, bytes, a complex or an infinite number: no parameter takes one


def declared(book: Book, path: Path) -> dict[str, dict[str, str]]:
    """The parameters of a chapter: name, type, default, help.

    Read from its cell tagged so: papermill's own list leaves out types such as ``int | None``."""
    found, path = {}, book.root / path
    cells.defined(path, "parameters")  # tells what is wrong with them
    for source in cells.sources(path, "parameters"):
        lines = source.splitlines()
        for line in ast.parse(source).body:
            if isinstance(line, ast.AnnAssign):
                name = ast.unparse(line.target)
                if line.value is None:
                    raise BookError(f"{path}: the parameter {name!r} has no default")
                words = lines[line.end_lineno - 1].encode()[line.end_col_offset :].decode()
                found[name] = {
                    "type": ast.unparse(line.annotation),
                    "default": ast.unparse(line.value),
                    "help": words.partition("#")[2].strip(),
                }
    return found


def asked(book: Book, path: Path, texts: dict[str, str]) -> tuple[dict, Experiments]:
    """The values of a chapter's parameters, and the experiments that they make of it; what is wrong
    is refused at once."""
    known = declared(book, path)
    for name in texts:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            allowed = ", ".join(known) or "none"
            raise BookError(f"{path.stem} has no parameter {name!r} (it has: {allowed}){hint}")
    given = {name: value(text) for name, text in texts.items()}
    profile = given.get("profile", "auto")
    experiments = chapter.experiments_of(book.root / path, **given)
    return given, experiments("laptop" if profile == "auto" else profile)


def run_chapter(book: Book, path: Path, texts: dict[str, str]) -> Path:
    """Execute a chapter into _build/runs/ and return where."""
    given, _ = asked(book, path, texts)
    target = book.build / "runs" / f"{_name(path.stem, texts)}.ipynb"
    execute(book, path, target, given)
    return target


def would_run(book: Book, path: Path, texts: dict[str, str]) -> None:
    """Print which runs a chapter with these parameters would replay and which it would train."""
    given, experiments = asked(book, path, texts)
    profile, fresh = given.get("profile", "auto"), given.get("fresh", False)
    study = Study(path.stem.partition("_")[2], profile, fresh=fresh)
    for name, recipes in experiments.items():
        every = list(dict.fromkeys(recipes))
        missing = study.missing(every)
        print(f"{name}: {len(every) - len(missing)} replayed, {len(missing)} to train")
        for recipe in missing:
            print(f"  {recipe}")


def _name(stem: str, texts: dict[str, str]) -> str:
    """A file's name that tells the parameters, as far as it may be long."""
    label = stem + "".join(f"--{name}-{text}" for name, text in texts.items())
    name = re.sub(r"[^\w.,=-]+", "_", label, flags=re.ASCII)
    if len(name) <= LONGEST_NAME:
        return name
    rest = hashlib.sha256(label.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"{name[:LONGEST_NAME]}-{rest}"
