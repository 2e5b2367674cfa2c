"""From a measured effect to the word of a part, and from the parts' words to a headline."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scipy import stats

from bnlib.analysis.findings import Finding
from bnlib.analysis.learning import EVALUATIONS, PRECISE
from bnlib.claims.arms import NotTested, Untestable
from bnlib.claims.margins import Unit

MORE, LESS, EQUAL, AT_MOST, AT_LEAST = KINDS = ("more", "less", "equal", "at_most", "at_least")
YES = ("yes", "yes, perhaps small")
NO = ("the reverse", "no difference", "no: higher", "no: lower", "no")
OPEN, UNTESTABLE, NOT_TESTED = "open", "untestable here", "not tested"
FAR = 100  # more seeds than that are not worth a number
# Half of the 95 % interval, in margins, at which "more" or "less" is settled wherever the effect
# lies: what is not beyond zero at 95 % is then within the margin at 90 %.
DECIDED = float(stats.norm.ppf(0.975) / (stats.norm.ppf(0.975) + stats.norm.ppf(0.95)))


@dataclass(frozen=True)
class Part:
    """One question of a claim. ``find`` measures it under an evaluation; it is judged under the
    ``primary`` one, and flagged where the other gives another word."""

    text: str  # such as "test accuracy, BN − none"
    kind: str
    unit: Unit
    find: Callable[[str], Finding]
    primary: str = PRECISE
    at: Mapping[str, str] = field(default_factory=dict)  # condition: phrase, "at the source's rate"
    bound: float = 0.0  # of "at most" and "at least", as a reader would write it
    margin: float | None = None  # where the source could see less than the unit's margin

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.primary not in EVALUATIONS:
            raise ValueError(f"{self.text}: {self.kind!r} under {self.primary!r} is no part")

    @property
    def name(self) -> str:
        return ", ".join([self.text, *self.at.values()])

    @property
    def smallest(self) -> float:
        """The margin, as measured."""
        return self.unit.margin if self.margin is None else self.margin

    @property
    def edge(self) -> float:
        """The bound, as measured."""
        return self.unit.measured(self.bound) if self.kind in (AT_MOST, AT_LEAST) else 0.0

    @property
    def limit(self) -> str:
        """The margin or the bound, for a reader."""
        if self.kind in (AT_MOST, AT_LEAST):
            return f"{self.kind.replace('_', ' ')} {self.unit.mark(self.edge)}"
        return f"margin {self.unit.mark(self.smallest)}" if self.smallest else "any difference"

    def judged(self) -> "Answer":
        (other,) = set(EVALUATIONS) - {self.primary}
        answer, again = self._under(self.primary), self._under(other)
        if not answer.finding or not again.finding or answer.finding == again.finding:
            return answer
        turned = f"turns with {other}: {again.word}" * (again.word != answer.word)
        return replace(answer, flag=turned, evaluation=self.primary)

    def _under(self, how: str) -> "Answer":
        try:
            finding = self.find(how)
        except NotTested as missing:
            return Answer(self, NOT_TESTED, why=str(missing))
        except Untestable as missing:
            return Answer(self, UNTESTABLE, why=str(missing))
        return Answer(self, word(self.kind, finding, self.smallest, self.edge), finding)


@dataclass(frozen=True)
class Answer:
    """A part and its word."""

    part: Part
    word: str
    finding: Finding | None = None
    evaluation: str = ""  # the one judged by, where the two differ
    flag: str = ""  # the other evaluation's word, where it is another
    why: str = ""  # what is missing

    @property
    def side(self) -> bool | None:
        """Whether it is for the claim; None where it is not settled."""
        return self.word in YES if self.word in YES + NO else None

    @property
    def testable(self) -> bool:
        return self.finding is not None

    @property
    def size(self) -> str:
        return self.part.unit.show(self.finding) if self.finding else ""

    @property
    def wanted(self) -> int | None:
        """Runs of each arm that an open part wants, from the spread alone: for an interval as
        narrow as the margin; where it already is, for one that settles "more" or "less" wherever
        the effect lies."""
        if self.word != OPEN or not self.finding:
            return None
        first = self.finding.seeds_for(self.part.smallest)
        if first and first <= min(self.finding.n) and self.part.kind in (MORE, LESS):
            return self.finding.seeds_for(DECIDED * self.part.smallest)
        return first

    @property
    def seeds(self) -> int | None:
        """More runs of each arm than there are."""
        return self.wanted and self.wanted - min(self.finding.n)

    @property
    def label(self) -> str:
        """The word, with the seeds that an open part wants."""
        more = self.seeds
        if more is None:
            return self.word
        if more < 1:
            return "open (close to the margin)"
        many = f"over {FAR}" if more > FAR else str(more)
        return f"open ({many} more seed{'s' * (more != 1)})"

    @property
    def p(self) -> float:
        """The p-value of the word: two-sided against no effect (or the bound); of "equal" and "no
        difference", the larger of the two one-sided tests at the margins."""
        found, margin, edge = self.finding, self.part.smallest, self.part.edge
        if found is None or self.side is None:
            return math.nan
        if self.word == "no difference" or (self.part.kind == EQUAL and self.side):
            return max(found.p_above(-margin), found.p_below(margin))
        if self.part.kind in (AT_MOST, AT_LEAST):
            one_sided = found.p_below if (self.part.kind == AT_MOST) == self.side else found.p_above
            p = one_sided(edge) * (1 if self.side else 2)
            return 1.0 if p > 1 else p  # what is computed has none
        if self.part.kind == EQUAL:
            return 2 * (found.p_above(margin) if found.value > 0 else found.p_below(-margin))
        return 2 * min(found.p_above(0), found.p_below(0))


def word(kind: str, finding: Finding, margin: float, edge: float = 0.0) -> str:
    """The word of a part, from the interval alone; ``edge`` is the bound of at most, at least."""
    (low, high), (low_90, high_90) = finding.interval(0.95), finding.interval(0.90)
    if math.isnan(low) or math.isnan(high):
        return OPEN
    within = -margin < low_90 and high_90 < margin
    if kind == EQUAL:
        if within:
            return "yes"
        return "no: higher" if low > margin else "no: lower" if high < -margin else OPEN
    if kind == AT_MOST:
        return "yes" if high_90 <= edge else "no" if low > edge else OPEN
    if kind == AT_LEAST:
        return "yes" if low_90 >= edge else "no" if high < edge else OPEN
    if kind == LESS:
        low, high = -high, -low
    if low > 0:
        return "yes" if low > margin else "yes, perhaps small"
    if high < 0:
        return "the reverse"
    return "no difference" if within else OPEN


# Headlines

HOLDS, FAILS, IN_PART = "holds", "does not hold", "holds in part"
FEW = 3  # conditions or parts that a clause still names one by one


def headline(answers: Sequence[Answer]) -> str:
    """One word from the settled parts; open ones never change it. Where no part could be asked, why
    not."""
    sides = {answer.side for answer in answers} - {None}
    if sides:
        return IN_PART if len(sides) == 2 else HOLDS if sides.pop() else FAILS
    if any(answer.testable for answer in answers):
        return OPEN
    asked = any(answer.word == UNTESTABLE for answer in answers)
    return UNTESTABLE if asked else NOT_TESTED


def what_splits(answers: Sequence[Answer]) -> str:
    """Of a claim that holds in part: the condition, or else the parts, that the answer turns on."""
    settled = [answer for answer in answers if answer.side is not None]
    conditions = dict.fromkeys(key for answer in settled for key in answer.part.at)
    ways = [lambda part, key=key: part.at.get(key, "") for key in conditions]
    for phrase in (*ways, lambda part: part.text, lambda part: part.name):
        sides: dict[str, set[bool]] = {}
        for answer in settled:
            sides.setdefault(phrase(answer.part), set()).add(bool(answer.side))
        if "" not in sides and all(len(found) == 1 for found in sides.values()):
            break
    yes, no = ([name for name, found in sides.items() if found == {side}] for side in (True, False))
    if len(no) <= FEW < len(yes):
        return f"but not {_listed(no, 'or')}"
    if len(yes) <= FEW < len(no):
        return f"only {_listed(yes, 'and')}"
    if len(yes) > FEW:
        return f"{len(yes)} of {len(sides)} parts"
    return f"{_listed(yes, 'and')}; not {_listed(no, 'or')}"


def _listed(names: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
