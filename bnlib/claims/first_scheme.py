"""The first scheme of verdicts, for the rule files that are not yet rewritten in the second."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

import numpy as np
from scipy import stats

from bnlib.analysis.stats import LEVEL, holm, paired, to_own_best
from bnlib.claims.arms import NotTested
from bnlib.run import Runs

WORDS = ("supported", "contradicted", "mixed", "inconclusive", "not tested")


@dataclass(frozen=True)
class Finding:
    """One measured difference: its mean, half its 95 % interval, n pairs, and its p-value."""

    what: str  # such as "test accuracy, BN − none, lr .9"
    mean: float
    half: float
    n: int
    p: float
    unit: str = "points"

    @classmethod
    def of_pairs(
        cls, what: str, a: np.ndarray, b: np.ndarray, scale: float = 100, unit: str = "points"
    ) -> "Finding":
        """a − b, paired in order; ``scale`` 100 turns shares into percentage points."""
        a, b = scale * np.asarray(a, float), scale * np.asarray(b, float)
        return cls(what, *paired(a, b)[:2], len(a), paired(a, b)[2], unit)

    @property
    def low(self) -> float:
        return self.mean - self.half

    @property
    def high(self) -> float:
        return self.mean + self.half

    @property
    def detectable(self) -> float:
        """The smallest true difference that n pairs with this spread would show 4 times in 5."""
        if self.n < 3:
            return float("nan")
        t = stats.t(self.n - 1)
        return self.half * (1 + t.ppf(0.8) / t.ppf((1 + LEVEL) / 2))

    @property
    def interval(self) -> str:
        if not np.isfinite(self.mean):
            return "no number"
        half = f" ± {self.half:.2f}" if np.isfinite(self.half) else ""
        return f"{self.mean:+.2f}{half} {self.unit}".replace("-", "−")

    def __str__(self) -> str:
        return f"{self.what}: {self.interval} (n = {self.n})"


@dataclass(frozen=True)
class Verdict:
    """The word, one sentence that says why, and what it rests on."""

    word: str
    because: str
    findings: tuple[Finding, ...] = ()
    text: bool = False  # judged by reading the source, not by measuring

    def __post_init__(self) -> None:
        if self.word not in WORDS:
            raise ValueError(f"{self.word!r} is no verdict: choose one of {', '.join(WORDS)}")


def above(finding: Finding, margin: float = 0.0) -> str:
    """The claim says: the difference is above ``margin``."""
    if not np.isfinite(finding.half):
        return "inconclusive"
    if finding.low > margin:
        return "supported"
    return "contradicted" if finding.high < margin else "inconclusive"


def within(finding: Finding, margin: float) -> str:
    """The claim says: the difference lies within ± ``margin``."""
    if not np.isfinite(finding.half):
        return "inconclusive"
    if -margin < finding.low and finding.high < margin:
        return "supported"
    outside = finding.low > margin or finding.high < -margin
    return "contradicted" if outside else "inconclusive"


def together(words: Iterable[str]) -> str:
    """One word for several conditions: theirs where they agree; "mixed" where they differ."""
    different = set(words)
    if len(different) == 1:
        return different.pop()
    if {"supported", "contradicted"} <= different or "mixed" in different:
        return "mixed"
    # what is left: one definite word for some conditions, no definite one for the others
    return "mixed" if different & {"supported", "contradicted"} else "inconclusive"


@dataclass(frozen=True)
class Claim:
    id: str  # of the ledger, such as "S2.19"
    source: str  # who claims it
    sentence: str  # what is claimed, with the source's number
    rule: str  # how it is judged, fixed before the runs were recorded
    judge: Callable[[dict[str, Runs]], Verdict]


@dataclass(frozen=True)
class Judged:
    """A claim and its verdict from the runs at hand."""

    claim: Claim
    verdict: Verdict
    indicative: bool  # from runs below the source's scale
    holm: tuple[bool, ...] = ()  # which findings differ from zero after the page's correction

    @property
    def label(self) -> str:
        notes = ["text verdict"] * self.verdict.text + ["indicative"] * (
            self.indicative and self.verdict.word != "not tested"
        )
        return self.verdict.word + (f" ({', '.join(notes)})" if notes else "")

    @property
    def measured(self) -> list[str]:
        """What a summary may show: the findings, or the reason."""
        return [str(finding) for finding in self.verdict.findings] or [self.verdict.because]

    def __repr__(self) -> str:
        lines = [f"{self.claim.id} {self.label}: {self.verdict.because}"]
        return "\n".join(lines + [f"  {finding}" for finding in self.verdict.findings])

    def _repr_html_(self) -> str:
        names = ("measured", "mean and 95 % interval", "n", "smallest visible", "≠ 0 (Holm)")
        heads = "".join(f"<th>{name}</th>" for name in names)
        rows = ""
        for f, survives in zip(self.verdict.findings, self.holm, strict=True):
            cells = (
                f.what,
                f.interval,
                f.n,
                f"{f.detectable:.2f}".replace("nan", "–"),
                "yes" if survives else "no",
            )
            rows += "<tr>" + "".join(
                f'<td data-label="{name}">{escape(str(cell))}</td>'
                for name, cell in zip(names, cells, strict=True)
            )
            rows += "</tr>"
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        return (
            f'<div class="verdict {self.verdict.word.replace(" ", "-")}">'
            f'<p class="verdict-head"><span class="verdict-id">{self.claim.id}</span> '
            f'<span class="verdict-word">{escape(self.label)}</span></p>'
            f"<p><em>{escape(self.claim.source)}:</em> {escape(self.claim.sentence)}</p>"
            f"<p>{escape(self.verdict.because)}</p>{table * bool(rows)}"
            f'<p class="verdict-rule">Rule: {escape(self.claim.rule)}</p></div>'
        )


class Verdicts(list[Judged]):
    """Several claims judged; shown one below the other."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        return "".join(judged._repr_html_() for judged in self)


def _verdict(claim: Claim, runs: dict[str, Runs]) -> Verdict:
    try:
        return claim.judge(runs)
    except NotTested as missing:
        return Verdict("not tested", str(missing))


def verdicts(claims: Iterable[Claim], runs: dict[str, Runs], profile: str = "paper") -> Verdicts:
    """Judge ``claims`` on ``runs``; below the paper profile a measured verdict is indicative.

    Many differences stand on one page, so Holm's correction over all of them says which would
    still differ from zero."""
    judged = [(claim, _verdict(claim, runs)) for claim in claims]
    survive = iter(holm([f.p for _, verdict in judged for f in verdict.findings]))
    return Verdicts(
        Judged(
            claim,
            verdict,
            profile != "paper" and not verdict.text,
            tuple(next(survive) for _ in verdict.findings),
        )
        for claim, verdict in judged
    )


EVALUATIONS = {"running averages": "", "precise statistics": "_precise"}
CHANCE = 0.1  # of ten classes
Measure = Callable[[Runs, str], np.ndarray]  # of an arm and a column: one number a run


def column(runs: Runs, name: str, how: str) -> str:
    """A history's or summary's column under one of the evaluations; without norm there is one."""
    normalised = all(run.recipe.norm != "none" for run in runs)
    return name + EVALUATIONS[how] * normalised


def final(runs: Runs, how: str) -> np.ndarray:
    """Test accuracy after the last epoch: (runs,)."""
    return runs.final(column(runs, "test_acc", how))


def curves(runs: Runs, how: str) -> np.ndarray:
    """Test accuracy after each epoch: (runs, epochs)."""
    return runs.history(column(runs, "test_acc", how))


def epochs_to_best(runs: Runs, how: str) -> np.ndarray:
    """Epochs to 95 % of a run's own best test accuracy; inf for one that never learns."""
    accuracies = curves(runs, how)
    learns = np.nanmax(accuracies, axis=1) > 2 * CHANCE
    return np.where(learns, to_own_best(accuracies), np.inf)


def twice(
    what: str,
    one: Runs,
    other: Runs,
    measure: Measure = final,
    scale: float = 100,
    unit: str = "points",
) -> list[Finding]:
    """one − other by seed, with the running averages and with precise statistics."""
    return [
        Finding.of_pairs(f"{what}, {how}", measure(one, how), measure(other, how), scale, unit)
        for how in EVALUATIONS
    ]
