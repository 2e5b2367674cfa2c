"""A claim of the ledger: its text beside the rule that turns runs into judged parts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bnlib.claims.arms import Experiments, NotTested
from bnlib.claims.card import Card, Cards, ErratumCard
from bnlib.claims.judge import OPEN, Answer, Part
from bnlib.run import Run, Runs

# The second scheme was written when the runs made until then had been looked at, the last of them
# of 07:33 on this day: they are judged post hoc. Runs made later had not been looked at when the
# rules were committed: on those alone a claim repeats or does not.
DATED = "2026-11-21T08:00:00+00:00"

Rule = Callable[[Mapping[str, Runs]], Sequence[Part]]


@dataclass(frozen=True)
class Claim:
    id: str  # of the ledger, such as "S2.19"
    source: str  # where it is made: the paper or textbook, then the report
    says: str  # with the source's number
    rule: str  # how it is judged, in words
    needs: tuple[str, ...]  # experiments without which none of it can be judged
    dated: str  # when the rule was written: UTC, as in a run's provenance
    parts: Rule

    def card(self, runs: Mapping[str, Runs]) -> Card:
        answers, missing, used = self._answers(runs)
        recent = {
            name: Runs(run for run in some if self._later(run))
            for name, some in runs.items()
            if isinstance(some, Runs)
        }
        post_hoc = any(not self._later(run) for some in runs.values() for run in _runs(some))
        # where every run is younger than the rule, "new seeds" would be all of them
        repeats = _repeats(answers, self._answers(recent)[0]) if post_hoc else {}
        return Card(
            claim=self,
            answers=answers,
            missing=missing,
            scales=tuple(dict.fromkeys(some.scale for some in used if isinstance(some, Runs))),
            repeats=repeats,
            post_hoc=post_hoc,
        )

    def _answers(self, runs: Mapping[str, Runs]) -> tuple[tuple[Answer, ...], str, list[Runs]]:
        """The judged parts, what is missing where there are none, and the runs that were asked."""
        experiments = Experiments(runs)
        try:
            for name in self.needs:
                _ = experiments[name]
            parts = tuple(self.parts(experiments))
        except NotTested as missing:
            return (), str(missing), []
        if len({part.name for part in parts}) < len(parts):
            raise ValueError(f"{self.id}: two parts have one name")
        answers = tuple(part.judged() for part in parts)
        return answers, "", list(experiments.used.values())

    def _later(self, run: Run) -> bool:
        return run.provenance.get("made", "") >= self.dated


@dataclass(frozen=True)
class Erratum:
    """A slip of a source's text, settled by reading; shown without colour."""

    id: str
    source: str
    says: str
    reading: Callable[[Mapping[str, Runs]], str]  # what is right; it may count something in runs

    def card(self, runs: Mapping[str, Runs]) -> ErratumCard:
        return ErratumCard(self, self.reading(runs))


def claim(
    id: str, *, source: str, says: str, rule: str, needs: Iterable[str], dated: str = DATED
) -> Callable[[Rule], Claim]:
    """Registers the function below it, which lists a claim's parts, with the claim's text."""
    return lambda parts: Claim(id, source, says, rule, tuple(needs), dated, parts)


def erratum(
    id: str, *, source: str, says: str
) -> Callable[[Callable[[Mapping[str, Runs]], str]], Erratum]:
    """Registers the function below it, which says what is right, with what the source says."""
    return lambda reading: Erratum(id, source, says, reading)


def cards(claims: Iterable[Claim | Erratum], runs: Mapping[str, Runs]) -> Cards:
    """The claims judged on a chapter's runs; below the source's scale they are indicative."""
    return Cards(one.card(runs) for one in claims)


def _repeats(before: Sequence[Answer], recent: Sequence[Answer]) -> dict[str, str]:
    """By part: whether runs made after the rule give the same side. Empty without such runs."""
    found = {answer.part.name: answer for answer in recent}
    if not any(answer.finding and min(answer.finding.n) >= 3 for answer in recent):
        return {}
    words = {}
    for answer in before:
        again = found.get(answer.part.name)
        if answer.side is None:
            continue
        if again is None or again.side is None:
            words[answer.part.name] = OPEN
        else:
            words[answer.part.name] = "yes" if again.side == answer.side else "no"
    return words


def _runs(some: object) -> Iterable[Run]:
    return some if isinstance(some, Runs) else ()
