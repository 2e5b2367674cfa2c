"""What is open, and which runs would settle most of it for the least time.

How many seeds a part wants follows from the spread over seeds alone, never from the effect. Its
time is that of its own arms: parts that share runs cost less together.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from bnlib.analysis.findings import Estimate, Range
from bnlib.claims.card import Card, Cards
from bnlib.claims.judge import NOT_TESTED, OPEN, UNTESTABLE, Answer
from bnlib.run import Runs

FIRST = 5  # seeds to begin with: for counts and ranks, and where there is no interval yet


@dataclass(frozen=True)
class Want:
    """An open part, and the seeds that it wants."""

    chapter: str
    card: Card
    answer: Answer
    seconds: float  # of one run
    budget: float  # seconds that it may take

    @property
    def name(self) -> str:
        return f"{self.card.claim.id} {self.answer.part.name}"

    @property
    def now(self) -> int:
        """Runs of the smallest arm."""
        return min(self.answer.finding.n)

    @property
    def half(self) -> float:
        """Half the width of the interval now; NaN where it has none from a spread."""
        low, high = self.answer.finding.interval()
        return (high - low) / 2 if isinstance(self.answer.finding, Estimate) else math.nan

    @property
    def sd(self) -> float:
        """Over seeds: of a run of an arm, as the interval has it."""
        found = self.answer.finding
        return found.error * math.sqrt(stats.hmean(found.n) / len(found.n))

    @property
    def wanted(self) -> int:
        return self.answer.wanted or FIRST

    @cached_property
    def seeds(self) -> int:
        """Seeds of each arm that the budget pays."""
        many = max(self.now, self.wanted)
        while many > self.now and self._cost(many) > self.budget:
            many -= 1
        return many

    @property
    def capped(self) -> bool:
        return self.seeds < self.wanted

    @property
    def minutes(self) -> float:
        return self._cost(self.seeds) / 60

    def _cost(self, seeds: int) -> float:
        return self.seconds * sum(max(0, seeds - n) for n in self.answer.finding.n)


def wants(
    ledger: Mapping[str, Cards], runs: Mapping[str, Mapping[str, Runs]], budget: float
) -> list[Want]:
    """The open parts that more seeds would settle, the cheapest first; those that the budget (of
    seconds, for each) cannot pay in full come last."""
    found = [
        Want(chapter, card, answer, seconds_a_run(card.claim.needs, runs[chapter]), budget)
        for chapter, some in ledger.items()
        for card in some.judged
        for answer in card.answers
        if answer.word == OPEN and not isinstance(answer.finding, Range)
    ]
    return sorted((w for w in found if w.now < w.wanted), key=lambda w: (w.capped, w.minutes))


def seconds_a_run(needs: Sequence[str], runs: Mapping[str, Runs]) -> float:
    """The median time of a run of these experiments; of all where none is named."""
    some = [run for name in needs or runs for run in runs[name]]
    return float(np.median([run.provenance["seconds"] for run in some]))


def lines(
    ledger: Mapping[str, Cards], found: Sequence[Want], profiles: Mapping[str, str]
) -> Iterator[str]:
    """The plan in lines: the open parts; how to record what they want, but for what the budget
    cannot pay; and what is not planned, since no number of seeds is sure to settle it."""
    for want in found:
        yield f"{want.name}"
        yield f"  {_numbers(want)}"
    seeds: dict[str, dict[str, int]] = {}  # by chapter and experiment
    for want in found:
        for name in () if want.capped else want.card.claim.needs:
            of_chapter = seeds.setdefault(want.chapter, {})
            of_chapter[name] = max(want.seeds, of_chapter.get(name, 0))
    for chapter, wanted in seeds.items():
        said = ", ".join(f"{name} {many}" for name, many in wanted.items())
        yield f"seeds in the recipes of {chapter}: {said}; then"
        yield f"  python -m bnlib record --profile {profiles[chapter]} --chapters {chapter}"
    named = {(want.card.claim.id, want.answer.part.name) for want in found}
    for some in ledger.values():
        for card in some.judged:
            for answer in card.answers:
                if (card.claim.id, answer.part.name) not in named and (why := _other(answer)):
                    yield f"not planned: {card.claim.id} {answer.part.name}: {why}"


def _numbers(want: Want) -> str:
    part = want.answer.part
    unit = "log₂" if part.unit.ratio else part.unit.name
    if math.isfinite(want.half):
        now = f"SD {want.sd:.2g}, now ± {want.half:.2g} {unit} at n = {want.now}"
        now += f"; margin {part.smallest:.2g}"
    else:
        now = f"{want.answer.size} at n = {want.now}"
    said = f"{now} wants {want.wanted} seeds" + f", the budget pays {want.seeds}" * want.capped
    return f"{said}: {want.minutes:.0f} minutes"


def _other(answer: Answer) -> str:
    if answer.word in (UNTESTABLE, NOT_TESTED):
        return f"{answer.word}: {answer.why}"
    if answer.word != OPEN:
        return ""
    close = isinstance(answer.finding, Estimate) and math.isfinite(answer.finding.error)
    return "open: close to the margin" if close else f"open: {answer.finding.method}, {answer.size}"
