"""Texts that a page computes: a box, a chapter's own code. Their cells have the metadata
``mystnb: {markdown_format: myst}``."""

from collections.abc import Sequence

from IPython.display import Markdown

from bnlib.book import notebooks
from bnlib.book.chapter import CHAPTERS


def box(title: str, lines: Sequence[str]) -> Markdown:
    """A box with a list of sentences."""
    body = "\n".join(f"- {line}" for line in lines)
    return Markdown(f":::{{admonition}} {title}\n:class: tip\n\n{body}\n:::")


def code_of(chapter: str, tag: str) -> str:
    """The source of a chapter's cells with a tag, as a listing."""
    cells = notebooks.read(CHAPTERS / f"{chapter}.ipynb").cells
    found = [cell.source for cell in cells if tag in cell.metadata.get("tags", [])]
    return "```python\n" + "\n\n".join(found) + "\n```"
