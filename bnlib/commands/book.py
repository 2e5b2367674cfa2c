"""`book`: execute the chapters and build the website."""

from pathlib import Path


def add_parser(subparsers) -> None:
    subparsers.add_parser(
        "book",
        help="execute the chapters that changed and build the website",
        description="Execute every chapter whose notebook, code or records changed (by papermill, "
        "into _build/executed/) and build the website from them, warnings being errors.",
    )


def run(args) -> int:
    from bnlib.book.layout import Book
    from bnlib.book.site import build

    index = build(Book())
    here = Path.cwd()
    print(f"the book: {index.relative_to(here) if index.is_relative_to(here) else index}")
    return 0
