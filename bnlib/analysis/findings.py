"""Measured effects with their intervals: what the parts of a claim are judged by.

A difference of means has Student's interval (pooled, Welch, paired); a share of runs is counted;
times that some runs never reach are compared by ranks; timings have a median and a range. Each
gives an interval at any level, and the p-values that go with it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST = 3  # runs of an arm: with fewer there is no interval
NONE = (math.nan, math.nan)
UNEQUAL = 0.01  # Bartlett's p below which the arms of a kind do not share one standard deviation


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An effect: its value, from how many runs of each arm, and how its interval was made."""

    value: float
    n: tuple[int, ...]
    method: str
    counted: str = ""  # the value in words, where it is a count
    note: str = ""  # what was chosen on the way, such as the learning rates

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The two-sided interval; no numbers where the runs give none."""
        raise NotImplementedError

    def p_above(self, x: float) -> float:
        """One-sided p-value against "the effect is x or less"; NaN where there is no test."""
        return math.nan

    def p_below(self, x: float) -> float:
        """One-sided p-value against "the effect is x or more"; NaN where there is no test."""
        return math.nan

    def seeds_for(self, half: float) -> int | None:
        """Runs of each arm for an interval of ± ``half``, from the spread alone."""
        return None


# Differences of means


@dataclass(frozen=True, kw_only=True)
class Estimate(Finding):
    error: float  # standard error; NaN where there is no interval
    df: float

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        half = stats.t.ppf((1 + level) / 2, self.df) * self.error
        return float(self.value - half), float(self.value + half)

    def p_above(self, x: float) -> float:
        return float(stats.t.sf((self.value - x) / self.error, self.df))

    def p_below(self, x: float) -> float:
        return float(stats.t.cdf((self.value - x) / self.error, self.df))

    def seeds_for(self, half: float) -> int | None:
        if not half > 0 or not math.isfinite(self.error):
            return None
        now = stats.t.ppf((1 + LEVEL) / 2, self.df) * self.error
        return math.ceil(stats.hmean(self.n) * (now / half) ** 2)


@dataclass(frozen=True)
class Spread:
    """The standard deviation over seeds that the arms of one kind share."""

    sd: float
    df: int
    arms: int
    p: float  # Bartlett's, of one standard deviation for all

    @property
    def shared(self) -> bool:
        return self.df > 0 and self.p >= UNEQUAL


def spread(arms: Sequence[np.ndarray]) -> Spread:
    """Pooled over ``arms``, each an array of one number a run."""
    arms = [np.asarray(arm, float) for arm in arms if len(arm) > 1]
    df = sum(len(arm) - 1 for arm in arms)
    if not df:
        return Spread(math.nan, 0, len(arms), math.nan)
    variances = [arm.var(ddof=1) for arm in arms]
    pooled = sum((len(a) - 1) * v for a, v in zip(arms, variances, strict=True)) / df
    if len(arms) == 1:
        p = 1.0
    else:
        constant = any(np.ptp(arm) == 0 for arm in arms)
        p = 0.0 if constant else float(stats.bartlett(*arms).pvalue)
    return Spread(math.sqrt(pooled), df, len(arms), p)


def difference(a: np.ndarray, b: np.ndarray, kind: Spread | None = None) -> Estimate:
    """Mean of ``a`` − mean of ``b``: with the kind's pooled spread if its arms share one, else
    Welch's."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    value, n = float(a.mean() - b.mean()), (len(a), len(b))
    if min(n) < FEWEST:
        return _bare(value, n)
    if kind and kind.shared:
        error = kind.sd * math.sqrt(1 / n[0] + 1 / n[1])
        method = f"pooled SD {kind.sd:.2g} of {kind.arms} arms, {kind.df} df"
        return Estimate(value=value, n=n, error=error, df=kind.df, method=method)
    if np.ptp(a) == np.ptp(b) == 0:  # equal values have no spread to compare with, and no p of 0
        return _bare(value, n)
    parts = [arm.var(ddof=1) / len(arm) for arm in (a, b)]
    df = sum(parts) ** 2 / sum(v**2 / (k - 1) for v, k in zip(parts, n, strict=True))
    error, method = math.sqrt(sum(parts)), f"Welch, {df:.1f} df"
    return Estimate(value=value, n=n, error=error, df=float(df), method=method)


def paired_difference(a: np.ndarray, b: np.ndarray) -> Estimate:
    """Mean of a − b over pairs, for pairs that share more than a seed."""
    found = mean(np.asarray(a, float) - np.asarray(b, float))
    return Estimate(**vars(found) | {"method": found.method.replace("over seeds", "paired")})


def mean(values: np.ndarray) -> Estimate:
    """The mean of one arm."""
    values = np.asarray(values, float)
    value, n = float(values.mean()), (len(values),)
    if len(values) < FEWEST or np.ptp(values) == 0:
        return _bare(value, n)
    df, error = n[0] - 1, float(stats.sem(values))
    return Estimate(value=value, n=n, error=error, df=df, method=f"over seeds, {df} df")


def _bare(value: float, n: tuple[int, ...]) -> Estimate:
    why = "no spread" if min(n) >= FEWEST else f"fewer than {FEWEST} runs"
    return Estimate(value=value, n=n, error=math.nan, df=1, method=f"no interval: {why}")


# Counts and ranks


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


# What has no seeds


@dataclass(frozen=True, kw_only=True)
class Range(Finding):
    low: float
    high: float

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        return self.low, self.high


def sessions(times: Sequence[np.ndarray]) -> Range:
    """Of timings, an array of repeats for each session: the median session and the range of the
    sessions; of a single session, the median and the range of its repeats."""
    values = [np.median(t) for t in times] if len(times) > 1 else times[0]
    n, what = len(values), "sessions" if len(times) > 1 else "repeats of one session"
    low, high = float(np.min(values)), float(np.max(values))
    method = f"median and range of {n} {what}"
    return Range(value=float(np.median(values)), low=low, high=high, n=(n,), method=method)


def exact(value: float) -> Range:
    """What is computed and has no spread, such as the error of an identity."""
    return Range(value=value, low=value, high=value, n=(1,), method="computed")
