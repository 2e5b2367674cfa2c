"""Parts about arms that may have two outcomes: runs that never learn, or never get there.

Where every run does, means are compared. Where some do not, a mean would mix the two: then the runs
are counted (k of n, Fisher's test), and times are compared by ranks.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bnlib.analysis.counts import ranks, shares
from bnlib.analysis.findings import Finding
from bnlib.analysis.learning import EVALUATIONS, RUNNING, Measure, accuracy, best, learned
from bnlib.claims.arms import NotTested, Untestable, combined, contrast, need
from bnlib.claims.judge import AT_LEAST, MORE, Part
from bnlib.claims.margins import CIFAR, RATIO, RUNS, Unit
from bnlib.run import Runs

Arms = Callable[[str], Sequence[Runs]]  # under an evaluation, since rates are chosen under it


def at_best_rate(arm: Runs, how: str) -> Runs:
    """The runs at the learning rate that validation chooses."""
    return arm.where(lr=best(arm, "lr", how))


def level(
    text: str,
    kind: str,
    arms: Arms,
    runs: Mapping[str, Runs],
    *,
    at: Mapping[str, str],
    measure: Measure = accuracy,
    weights: Sequence[float] = (1, -1),
    unit: Unit = CIFAR,
    bound: float = 0.0,
    ranked: bool = False,
    primary: str = RUNNING,
) -> Part:
    """Σ weight × mean of an arm. Where some runs do not learn, the arm with the largest weight is
    held against that with the smallest: how many learn, or ``ranked``, where the measure asks for
    something that a run has before it learns."""

    def mean(how: str) -> Finding:
        some = arms(how)
        return combined(some, weights, measure, how, runs, _rates(some))

    def count(how: str) -> Finding:
        some = arms(how)
        one, other = some[int(np.argmax(weights))], some[int(np.argmin(weights))]
        if ranked:
            return replace(ranks(measure(one, how), measure(other, how)), note=_rates(some))
        found = shares(learned(one, how), learned(other, how))
        return replace(found, note=f"runs that learn; {_rates((one, other))}")

    if _all(learned, arms):
        return Part(text, kind, unit, mean, primary, at, bound)
    return Part(text, kind, RUNS, count, primary, at)


def slope(x: np.ndarray) -> np.ndarray:
    """What each y counts in the least-squares slope of y on x."""
    off = x - x.mean()
    return off / (off**2).sum()


def longer(
    text: str,
    arms: Arms,
    time: Measure,
    runs: Mapping[str, Runs],
    *,
    at: Mapping[str, str],
    times: float | None = None,
    primary: str = RUNNING,
) -> Part:
    """The first arm takes longer than the second, or at least so many ``times`` as long. ``time``
    is a log₂; where some runs never get there, it is compared by ranks."""

    def ratio(how: str) -> Finding:
        slow, fast = arms(how)
        return contrast(slow, fast, time, how, runs, _rates((slow, fast)))

    def order(how: str) -> Finding:
        both = arms(how)
        slow, fast = (time(arm, how) for arm in both)
        need(bool(np.isfinite([*slow, *fast]).any()), "runs that get there")
        last = math.log2(min(run.recipe.epochs for arm in both for run in arm))
        fast = fast + math.log2(times or 1)
        fast[fast > last] = np.inf  # the runs are too short to see one take longer than that
        return replace(ranks(slow, fast), note=_rates(both))

    if _all(lambda arm, how: np.isfinite(time(arm, how)), arms):
        return Part(text, AT_LEAST if times else MORE, RATIO, ratio, primary, at, times or 0.0)
    return Part(text, MORE, RUNS, order, primary, at)


def _all(outcome: Measure, arms: Arms) -> bool:
    """Whether every run has it under either evaluation. Of arms that are missing the part itself
    says so."""
    for how in EVALUATIONS:
        try:
            if not all(outcome(arm, how).all() for arm in arms(how)):
                return False
        except (NotTested, Untestable):
            continue
    return True


def _rates(arms: Sequence[Runs]) -> str:
    rates = list(dict.fromkeys(f"{run.recipe.lr:g}" for arm in arms for run in arm))
    return f"learning rate{'s' * (len(rates) > 1)} {', '.join(rates)}"
