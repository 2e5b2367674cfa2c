"""Measured effects with their intervals: what the parts of a claim are judged by.

A difference of means has Student's interval (pooled, Welch, paired); timings have a median and a
range; shares of runs and ranks are in ``counts``. Each gives an interval at any level, and the
p-values that go with it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST = 3  # runs of an arm: with fewer there is no interval
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
    return combination((a, b), (1, -1), kind)


def combination(
    arms: Sequence[np.ndarray], weights: Sequence[float], kind: Spread | None = None
) -> Estimate:
    """Σ weight × mean of an arm: a difference, a difference of differences, a slope."""
    arms = [np.asarray(arm, float) for arm in arms]
    n = tuple(len(arm) for arm in arms)
    value = float(sum(w * arm.mean() for w, arm in zip(weights, arms, strict=True)))
    if min(n) < FEWEST:
        return _bare(value, n)
    if kind and kind.shared:
        error = kind.sd * math.sqrt(sum(w**2 / k for w, k in zip(weights, n, strict=True)))
        method = f"pooled SD {kind.sd:.2g} of {kind.arms} arms, {kind.df} df"
        return Estimate(value=value, n=n, error=error, df=kind.df, method=method)
    if all(np.ptp(arm) == 0 for arm in arms):  # no spread to compare with, and no p of 0
        return _bare(value, n)
    parts = [w**2 * arm.var(ddof=1) / len(arm) for w, arm in zip(weights, arms, strict=True)]
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
