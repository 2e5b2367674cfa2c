"""Curves over the epochs at each learning rate, and in words what they end with."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bnlib.analysis.learning import RUNNING, column, one_per_seed
from bnlib.analysis.stats import mean_interval
from bnlib.book.finals import digits
from bnlib.book.tables import EACH
from bnlib.catalogue import NORMS
from bnlib.run import Runs
from bnlib.scale import Scale


def curves(measure: str, experiments: Sequence[Runs]) -> dict[str, Any]:
    """What the script gets: rates, and for each arm its curves, their mean and a few words by rate,
    in percent; where an arm has no run, the lists are empty."""
    arms = chosen(experiments)
    return {
        "measure": measure,
        "rates": [f"{rate:g}" for rate in next(iter(arms.values()))],
        "arms": [_arm(measure, norm, by_rate) for norm, by_rate in arms.items()],
    }


def chosen(experiments: Sequence[Runs]) -> dict[str, dict[float, Runs]]:
    """The runs of each norm at each rate; of a seed that several experiments have, the first."""
    everything = Runs(run for runs in experiments for run in runs)
    rates, norms = sorted(everything.values("lr")), everything.values("norm")
    return {
        norm: {
            rate: one_per_seed(*(some.where(norm=norm, lr=rate) for some in experiments))
            for rate in rates
        }
        for norm in NORMS
        if norm in norms
    }


def _arm(measure: str, norm: str, by_rate: Mapping[float, Runs]) -> dict[str, Any]:
    arm: dict[str, Any] = {"norm": norm, "seeds": [], "mean": [], "says": []}
    tried = ", ".join(f"{rate:g}" for rate, runs in by_rate.items() if len(runs))
    for runs in by_rate.values():
        values = _percent(measure, runs)
        arm["seeds"].append([_rounded(row) for row in values])
        arm["mean"].append(_rounded(values.mean(axis=0)) if len(runs) else [])
        arm["says"].append(says(values[:, -1]) if len(runs) else f"trained at {tried} only")
    return arm


def _percent(measure: str, runs: Runs) -> np.ndarray:
    """(runs, epochs)"""
    if not len(runs):
        return np.zeros((0, 1))
    values = 100 * runs.history(column(runs, "test_acc", RUNNING))
    return values if measure == "test accuracy" else 100 - values


def _rounded(row: np.ndarray) -> list[float | None]:
    return [round(float(value), 2) if np.isfinite(value) else None for value in row]


def says(finals: np.ndarray) -> str:
    """The mean of what an arm ends with and its interval; of few runs each, not the interval."""
    n = len(finals)
    if lost := int((~np.isfinite(finals)).sum()):
        return f"{lost} of {n} runs diverged"
    middle, half = mean_interval(finals)
    if n > EACH:
        places = 2 if half < 9.995 else 1
        return f"{middle:.{places}f} ± {half:.{places}f} % (n = {n})"
    each = " · ".join(digits(value) for value in np.sort(finals))
    return f"{digits(middle)} % (n = {n}: {each})" if n > 1 else f"{digits(middle)} % (n = 1)"


def scale(experiments: Sequence[Runs]) -> Scale:
    profiles = {some.profile for some in experiments}
    shown = [
        run for by_rate in chosen(experiments).values() for runs in by_rate.values() for run in runs
    ]
    return Scale.of(shown, profiles.pop() if len(profiles) == 1 else None)
