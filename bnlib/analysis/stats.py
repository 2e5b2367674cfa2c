"""Intervals and corrections. Everything that is judged in the book is judged with these."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

LEVEL = 0.95


def mean_interval(values: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis and half the width of its t-interval (NaN for fewer than three)."""
    values = np.asarray(values, float)
    n = len(values)
    middle = values.mean(axis=0)
    if n < 3:
        return middle, np.full_like(middle, np.nan)
    return middle, stats.t.ppf((1 + level) / 2, n - 1) * stats.sem(values, axis=0)


def holm(p_values: Sequence[float], level: float = LEVEL) -> list[bool]:
    """Which of several tests survive Holm's correction at ``1 − level``."""
    order = np.argsort(p_values)
    survives = [False] * len(order)
    for rank, place in enumerate(order):
        if not p_values[place] <= (1 - level) / (len(order) - rank):
            break
        survives[place] = True
    return survives


def percent(values: np.ndarray) -> str:
    """``98.71 ± 0.05 (n = 10)``: mean and half-width of shares, in percent."""
    middle, half = mean_interval(100 * np.asarray(values, float))
    interval = f" ± {half:.2f}" if np.isfinite(half) else ""
    return f"{middle:.2f}{interval} (n = {len(values)})"
