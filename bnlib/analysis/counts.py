"""Arms with two outcomes, and times that some runs never reach: counts and ranks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bnlib.analysis.findings import LEVEL, Finding


@dataclass(frozen=True, kw_only=True)
class Share(Finding):
    """k of n runs; Clopper and Pearson's interval."""

    k: int

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        (n,), tail = self.n, (1 - level) / 2
        low = stats.beta.ppf(tail, self.k, n - self.k + 1) if self.k else 0.0
        high = stats.beta.ppf(1 - tail, self.k + 1, n - self.k) if self.k < n else 1.0
        return float(low), float(high)

    def p_above(self, x: float) -> float:
        return float(stats.binom.sf(self.k - 1, self.n[0], x))

    def p_below(self, x: float) -> float:
        return float(stats.binom.cdf(self.k, self.n[0], x))


@dataclass(frozen=True, kw_only=True)
class Tested(Finding):
    """An effect between −1 and 1 with an approximate interval, and exact p-values against 0 that
    overrule it: the interval leaves 0 out only where the exact test does."""

    p_more: float
    p_less: float

    def near(self, level: float) -> tuple[float, float]:
        raise NotImplementedError

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        low, high = self.near(level)
        tail = (1 - level) / 2
        return (
            low if self.p_more <= tail else min(low, 0.0),
            high if self.p_less <= tail else max(high, 0.0),
        )

    def p_above(self, x: float) -> float:
        return self.p_more if x == 0 else math.nan

    def p_below(self, x: float) -> float:
        return self.p_less if x == 0 else math.nan


@dataclass(frozen=True, kw_only=True)
class Shares(Tested):
    """The difference of two shares of runs: Newcombe's interval from the exact ones of the two
    (as a rule it covers more often than it says), and Fisher's exact test."""

    ks: tuple[int, int]

    def near(self, level: float) -> tuple[float, float]:
        (p, low_p, high_p), (q, low_q, high_q) = (
            (k / n, *stats.binomtest(k, n).proportion_ci(level, "exact"))
            for k, n in zip(self.ks, self.n, strict=True)
        )
        below, above = math.hypot(p - low_p, high_q - q), math.hypot(high_p - p, q - low_q)
        return max(-1.0, p - q - below), min(1.0, p - q + above)


@dataclass(frozen=True, kw_only=True)
class Ranks(Tested):
    """How much more often one arm lies above the other than below it, over all pairs of their
    runs: a score interval, the exact rank-sum test (ties and all)."""

    def near(self, level: float) -> tuple[float, float]:
        m, n = self.n
        theta = np.linspace(0, 1, 4001)  # P(above) + P(tied) / 2
        pull = (1 - theta) / (2 - theta) + theta / (1 + theta)
        variance = theta * (1 - theta) * (1 + ((m + n) / 2 - 1) * pull) / (m * n)
        z = stats.norm.ppf((1 + level) / 2)
        off = np.abs((1 + self.value) / 2 - theta)
        inside = theta[off <= z * np.sqrt(variance) + 1 / 8000]  # half a step of theta
        return float(2 * inside[0] - 1), float(2 * inside[-1] - 1)


def share(outcomes: Sequence[bool]) -> Share:
    """In how many of an arm's runs something is so."""
    k, n = int(np.sum(outcomes)), len(outcomes)
    return Share(value=k / n, n=(n,), k=k, counted=f"{k} of {n} runs", method="exact binomial")


def shares(a: Sequence[bool], b: Sequence[bool]) -> Shares:
    """For an arm with two outcomes (it learns or stays at chance), against another."""
    ks, n = (int(np.sum(a)), int(np.sum(b))), (len(a), len(b))
    table = [ks, [n[0] - ks[0], n[1] - ks[1]]]
    more, less = (
        float(stats.fisher_exact(table, alternative=side).pvalue) for side in ("greater", "less")
    )
    counted = f"{ks[0]} of {n[0]} against {ks[1]} of {n[1]} runs"
    value = ks[0] / n[0] - ks[1] / n[1]
    method = "Fisher's exact test"
    return Shares(value=value, n=n, ks=ks, p_more=more, p_less=less, counted=counted, method=method)


def ranks(a: np.ndarray, b: np.ndarray) -> Ranks:
    """Of times, inf where a run never got there: ``a`` against ``b``."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    above, below = (a[:, None] > b).sum(), (a[:, None] < b).sum()
    pairs = len(a) * len(b)
    doubled = np.rint(2 * stats.rankdata(np.concatenate([a, b]))).astype(int)  # whole with ties
    ways = np.zeros((len(a) + 1, doubled.sum() + 1))  # of choosing so many ranks with this sum
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, :-rank].copy()
    of_a, seen = ways[-1] / ways[-1].sum(), doubled[: len(a)].sum()
    return Ranks(
        value=float(above - below) / pairs,
        n=(len(a), len(b)),
        p_more=float(of_a[seen:].sum()),
        p_less=float(of_a[: seen + 1].sum()),
        counted=f"above in {above}, below in {below} of {pairs} pairs",
        method="exact rank-sum test",
    )
