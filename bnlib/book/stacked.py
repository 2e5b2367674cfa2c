"""A table that a phone shows row by row: each cell below the other, with its column's name."""

from collections.abc import Iterable, Sequence
from html import escape


class Table:
    """``rows`` are plain text, or HTML where ``markup``; ``look`` is a class of the pages' CSS."""

    def __init__(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[str]],
        look: str = "",
        markup: bool = False,
    ):
        self.heads, self.look, self.markup = tuple(heads), look, markup
        self.rows = [tuple(row) for row in rows]

    def __repr__(self) -> str:
        return "\n".join(" | ".join(row) for row in (self.heads, *self.rows))

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in self.heads)
        rows = "".join(f"<tr>{self._cells(row)}</tr>" for row in self.rows)
        return (
            f'<div class="stacked {self.look}"><table><thead><tr>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
        )

    def _cells(self, row: Sequence[str]) -> str:
        return "".join(
            f'<td data-label="{escape(head)}">{cell if self.markup else escape(cell)}</td>'
            for head, cell in zip(self.heads, row, strict=True)
        )
