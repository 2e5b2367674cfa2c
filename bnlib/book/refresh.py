"""Rewriting the outputs that the committed notebooks carry."""

from pathlib import Path

from bnlib.book import api, notebooks
from bnlib.book.execute import execute_all
from bnlib.book.layout import Book


def refresh(book: Book, names: list[str]) -> None:
    """Execute aside, then replace each notebook in one step: a kill leaves old or new, whole."""

    def aside(chapter: Path) -> Path:
        return book.build / "refresh" / chapter.name

    def replace(chapter: Path) -> None:
        changed = notebooks.write(notebooks.read(aside(chapter)), book.root / chapter)
        aside(chapter).unlink()
        print(f"{chapter}: {'rewritten' if changed else 'the same as before'}")

    execute_all(book, book.pick(names, book.notebooks()), aside, replace)
    if (book.root / "api.md").is_file():
        notebooks.write_bytes(api.page().encode(), book.root / "api.md")
