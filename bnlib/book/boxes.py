"""What a page shows besides figures: a box, a folded part, a table with its caption."""

import re
from collections.abc import Mapping
from html import escape

import pandas as pd

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


def table(rows: Mapping[str, Mapping[str, str]], caption: str, scale: Scale | str = "") -> Html:
    """Rows of cells by column, under a caption that ends with the scale of what it shows."""
    frame = pd.DataFrame.from_dict(rows, orient="index").fillna("–")
    said = f"{caption} ({scale})" if str(scale) else caption
    label = f'<p class="table-caption"><em>{escape(said)}</em></p>'
    shown = frame.map(unbroken).to_html(border=0)
    return Html(label + shown, f"{said}\n{frame.to_string()}")


def unbroken(cell: str) -> str:
    """An interval that no end of a line parts: mean and half-width, or lower and upper end."""
    return re.sub(r"(?<=\d)–(?=\d)", "\u2060–\u2060", cell.replace(" ± ", "\xa0±\xa0"))


def in_numbers(shown: Html) -> Html:
    """A table that stands beside its reading, behind a line that opens it."""
    return Html(f"<details><summary>In numbers</summary>{shown.shown}</details>", shown.plain)
