"""How a judged claim is shown: its word, a picture of its parts, and the details folded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from bnlib.analysis.stats import holm
from bnlib.claims.judge import IN_PART, NOT_TESTED, UNTESTABLE, Answer, headline, what_splits
from bnlib.claims.picture import whiskers
from bnlib.scale import Scale

if TYPE_CHECKING:
    from bnlib.claims.claim import Claim, Erratum

MANY = 10  # cards of a page; of more the pictures are folded
LARGE = 6  # parts of a card; of more its picture is folded
HEADS = ("part", "size (95 % interval)", "n", "word", "statistics")


@dataclass(frozen=True)
class Card:
    claim: Claim
    answers: tuple[Answer, ...]
    missing: str  # what is not recorded, where nothing was judged
    scales: tuple[Scale, ...]  # of the experiments that it needs
    repeats: Mapping[str, str]  # by part: whether seeds made after the rule agree
    post_hoc: bool  # some of the runs are older than the rule

    @property
    def word(self) -> str:
        return headline(self.answers)

    @property
    def main(self) -> Answer | None:
        """The part whose size stands for the claim: the first that could be asked."""
        return next((answer for answer in self.answers if answer.testable), None)

    @property
    def settled(self) -> int:
        return sum(answer.side is not None for answer in self.answers)

    @property
    def testable(self) -> int:
        return sum(answer.testable for answer in self.answers)

    @property
    def p(self) -> float:
        """The largest p of the settled parts, since all of them must hold; timings have none."""
        known = [answer.p for answer in self.answers if math.isfinite(answer.p)]
        return max(known) if known else math.nan

    @property
    def label(self) -> str:
        below = any(scale.indicative for scale in self.scales)
        indicative = below and self.word != NOT_TESTED
        return self.standing + " (indicative)" * indicative

    @property
    def standing(self) -> str:
        """The word, and how many of the parts it rests on where some are open."""
        some = 0 < self.settled < self.testable
        return self.word + f", {self.settled} of {self.testable} settled" * some

    @property
    def because(self) -> str:
        """What splits the parts, and what could not be asked."""
        said = [what_splits(self.answers)] if self.word == IN_PART else []
        for word in (UNTESTABLE, NOT_TESTED):
            if many := sum(answer.word == word for answer in self.answers):
                said.append(f"{many} part{'s' * (many > 1)} {word}")
        return "; ".join(said) or self.missing

    @property
    def repeated(self) -> str:
        """Whether the settled parts repeat on new seeds; empty where there are none yet."""
        words = set(self.repeats.values())
        return "no" if "no" in words else "open" if "open" in words else "yes" if words else ""

    @property
    def history(self) -> str:
        said = ["Post hoc: the rule is younger than some of the runs."] * self.post_hoc
        said += [f"Repeats on new seeds: {self.repeated}."] * bool(self.repeated)
        return " ".join(said)

    def __repr__(self) -> str:
        lines = [f"{self.claim.id} {self.label}" + f": {self.because}" * bool(self.because)]
        for answer in self.answers:
            what = answer.size or answer.why
            flag = f" [{answer.flag}]" * bool(answer.flag)
            lines.append(f"  {answer.part.name}: {what}: {answer.label}{flag}")
        return "\n".join(lines + [f"  {self.history}"] * bool(self.history))

    def _repr_html_(self) -> str:
        return self.html()

    def html(self, short: bool = False) -> str:
        """``short`` folds the picture as well."""
        main, size = self.main, ""
        if main:
            size = f"{escape(main.part.name)}: <strong>{escape(main.size)}</strong>"
        scale = _p(escape("; ".join(map(str, self.scales))), "verdict-scale")
        picture = whiskers(self.answers) + scale
        body = (
            _p(f"<em>{escape(self.claim.source)}:</em> {escape(self.claim.says)}"),
            _p(escape(_sentence(self.because))),
            _p(size, "verdict-size"),
            picture * (not short),
            f"<details><summary>Parts and rule</summary>{picture * short}{self._table()}"
            f"{_p(escape(self.history))}"
            f"{_p('Rule: ' + escape(self.claim.rule), 'verdict-rule')}</details>",
        )
        return _box(self.word, self.claim.id, self.label, "".join(body))

    def _table(self) -> str:
        rows = "".join(_row(answer) for answer in self.answers)
        heads = "".join(f"<th>{name}</th>" for name in HEADS)
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        return table * bool(rows)


@dataclass(frozen=True)
class ErratumCard:
    """A slip of a text: no word, no colour."""

    claim: Erratum
    because: str
    label: str = "erratum"

    def __repr__(self) -> str:
        return f"{self.claim.id} erratum: {self.because}"

    def _repr_html_(self) -> str:
        body = _p(f"<em>{escape(self.claim.source)}:</em> {escape(self.claim.says)}")
        return _box("erratum", self.claim.id, "erratum", body + _p(escape(self.because)))


class Cards(list[Card | ErratumCard]):
    """Several claims judged; shown one below the other."""

    @property
    def judged(self) -> list[Card]:
        return [card for card in self if isinstance(card, Card)]

    @property
    def settled(self) -> tuple[int, int]:
        """How many parts are settled, of how many that could be asked."""
        return sum(c.settled for c in self.judged), sum(c.testable for c in self.judged)

    def holm(self) -> dict[str, bool]:
        """By claim: whether its headline's p survives Holm's correction over all of these."""
        tested = [card for card in self.judged if math.isfinite(card.p)]
        survives = holm(np.array([card.p for card in tested]))
        return {card.claim.id: kept for card, kept in zip(tested, survives, strict=True)}

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        many = len(self.judged) > MANY
        return "".join(
            card.html(many or len(card.answers) > LARGE)
            if isinstance(card, Card)
            else card._repr_html_()
            for card in self
        )


def _row(answer: Answer) -> str:
    found = answer.finding
    note = f" ({found.note})" if found and found.note else ""
    cells = (
        answer.part.name + note,
        answer.size or answer.why,
        " + ".join(map(str, found.n)) if found else "–",
        answer.label + f"; {answer.flag}" * bool(answer.flag),
        "; ".join(filter(None, (found.method, answer.part.limit, answer.evaluation)))
        if found
        else "–",
    )
    columns = (
        f'<td data-label="{head}">{escape(cell)}</td>'
        for head, cell in zip(HEADS, cells, strict=True)
    )
    return f"<tr>{''.join(columns)}</tr>"


def _box(look: str, name: str, label: str, body: str) -> str:
    return (
        f'<div class="verdict {look.replace(" ", "-")}"><p class="verdict-head">'
        f'<span class="verdict-id">{escape(name)}</span> '
        f'<span class="verdict-word">{escape(label)}</span></p>{body}</div>'
    )


def _p(text: str, look: str = "") -> str:
    opening = f'<p class="{look}">' if look else "<p>"
    return f"{opening}{text}</p>" * bool(text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "." * bool(text and not text.endswith("."))
