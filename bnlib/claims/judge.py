"""From measured differences to the five words of a verdict."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bnlib.analysis.stats import LEVEL, paired

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
