"""What a page shows besides figures: a box, a table with its caption, numbers that are folded."""

import re
from collections.abc import Mapping
from html import escape

import pandas as pd
from IPython.display import Markdown

from bnlib.book.tables import folded
from bnlib.scale import Scale


class Html:
    """Shown as it is on the site, as plain text elsewhere."""

    def __init__(self, shown: str, plain: str):
        self.shown, self.plain = shown, plain

    def _repr_html_(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return self.plain


def box(title: str, *sentences: str) -> Html:
    """A box with a title, a paragraph for each of the ``sentences``."""
    body = "".join(f"<p>{escape(sentence, quote=False)}</p>" for sentence in sentences)
    shown = f'<div class="admonition tip"><p class="admonition-title">{escape(title)}</p>{body}'
    return Html(shown + "</div>", "\n".join((title, *sentences)))


class Shown(Markdown):
    """MyST on the site, where its cell has the metadata ``markdown_format: myst``; plain text
    elsewhere."""

    def __init__(self, shown: str, plain: str):
        super().__init__(shown)
        self.plain = plain

    def __repr__(self) -> str:
        return self.plain


def table(rows: Mapping[str, Mapping[str, str]], caption: str, scale: Scale | str = "") -> Shown:
    """Rows of cells by column, numbered, under a caption that ends with the scale of what it
    shows."""
    frame = pd.DataFrame.from_dict(rows, orient="index").fillna("–")
    said = f"{caption} ({scale})" if str(scale) else caption
    lines = [["\xa0", *frame.columns], ["---"] * (1 + len(frame.columns))]
    lines += [[label, *map(unbroken, cells)] for label, *cells in frame.itertuples()]
    body = "\n".join(f"| {' | '.join(map(_as_it_is, line))} |" for line in lines)
    shown = f":::{{table}} {_as_it_is(said)}\n\n{body}\n:::"
    return Shown(shown, f"{said}\n{frame.to_string()}")


def _as_it_is(text: str) -> str:
    """``text`` in Markdown, without markup."""
    return re.sub(r"([\\|*_`\[\]$~])", r"\\\1", escape(text, quote=False))


def unbroken(cell: str) -> str:
    """An interval that no end of a line parts: mean and half-width, or lower and upper end."""
    return re.sub(r"(?<=\d)–(?=\d)", "\u2060–\u2060", cell.replace(" ± ", "\xa0±\xa0"))


def in_numbers(shown: Shown) -> Shown:
    """A table that stands beside its reading, behind a line that opens it."""
    return Shown(folded("In numbers", shown).data, shown.plain)
