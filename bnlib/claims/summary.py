"""A page's claims in one table: what the source says, what was measured, the verdict."""

from collections.abc import Mapping, Sequence
from html import escape

from bnlib.claims.card import Cards
from bnlib.claims.first_scheme import Verdicts

HEADS = ("claim", "the source says", "measured here", "verdict")


class Summary:
    """``said``: the source's words by claim, in the order of the rows. ``shown``: which of a
    first-scheme verdict's findings stand for it, where that is not the first."""

    def __init__(
        self,
        judged: Cards | Verdicts,
        said: Mapping[str, str],
        shown: Mapping[str, Sequence[int]] | None = None,
    ):
        by_id = {one.claim.id: one for one in judged}
        self.rows = []
        for name, words in said.items():
            one, places = by_id[name], (shown or {}).get(name, (0,))
            measured = [one.measured[place] for place in places if place < len(one.measured)]
            self.rows.append((name, words, measured, one.label))

    def __repr__(self) -> str:
        return "\n".join(
            f"{name} “{said}”: {'; '.join(measured)}: {label}"
            for name, said, measured, label in self.rows
        )

    def _repr_html_(self) -> str:
        rows = ""
        for row in self.rows:
            cells = ["<br>".join(map(escape, [c] if isinstance(c, str) else c)) for c in row]
            rows += "<tr>" + "".join(
                f'<td data-label="{head}">{cell}</td>'
                for head, cell in zip(HEADS, cells, strict=True)
            )
            rows += "</tr>"
        heads = "".join(f"<th>{head}</th>" for head in HEADS)
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        return f'<div class="verdict summary">{table}</div>'
