"""How far the distribution of a unit's input travels in training (the probe "unit_inputs")."""

import numpy as np

from bnlib.run import Run, Runs

EARLY = 0.1  # of the steps; the rest is late
SMALLEST = 1e-6  # a spread below it is that of a unit that gives one value to every image


def drift(run: Run, place: str, phase: str = "", own_spread: bool = True) -> np.ndarray:
    """How far the quantiles of each unit's input travel: (units,).

    ``place`` is "before" or "after" the normalisation (without one it is the same place), ``phase``
    "early", "late" or, if empty, the whole run. From one recorded moment to the next, the mean
    movement of the 15, 50 and 85 % quantiles, in units of the distance between the outer two (the
    mean of both moments), or as it is if not ``own_spread``; summed over the moments of the phase.
    NaN for a run that diverged.
    """
    early = run.arrays["steps"][1:] <= EARLY * run.summary["steps"]
    counted = {"": early | True, "early": early, "late": ~early}[phase]
    return _moves(run, place, own_spread)[counted].sum(axis=0)


def drift_between(run: Run, place: str, first: float, last: float) -> np.ndarray:
    """The same in units of its own spread, from one training step to another: (units,)."""
    steps = run.arrays["steps"][1:]
    return _moves(run, place, True)[(first < steps) & (steps <= last)].sum(axis=0)


def _moves(run: Run, place: str, own_spread: bool) -> np.ndarray:
    """From each moment to the next: (moments - 1, units)."""
    q = run.arrays[f"unit_{place}"].astype(float)  # (moments, quantiles, units)
    if run.summary["diverged"]:
        return np.full((len(q) - 1, q.shape[2]), np.nan)
    moved = np.abs(np.diff(q, axis=0)).mean(axis=1)
    if own_spread:
        spread = q[:, 2] - q[:, 0]
        moved /= np.maximum((spread[1:] + spread[:-1]) / 2, SMALLEST)
    return moved


def typical(runs: Runs, place: str, phase: str = "", own_spread: bool = True) -> np.ndarray:
    """The median drift over the units of each run: (runs,)."""
    return np.array([np.median(drift(run, place, phase, own_spread)) for run in runs])
