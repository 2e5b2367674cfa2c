"""How a page writes what was measured: a ratio, a mean with its interval."""

import numpy as np

from bnlib.analysis.findings import difference, mean, spread
from bnlib.claims.margins import three_digits


def times(none: np.ndarray, other: np.ndarray) -> str:
    """none / other, such as "6.1× (4.8–7.7)"; the claims' cards show a third digit."""
    if not len(none) or not len(other):
        return "–"
    pair = np.log2(none), np.log2(other)
    found = difference(*pair, spread(pair))
    if not np.isfinite(found.value):
        return "no number"
    middle, low, high = (two_digits(2**x) for x in (found.value, *found.interval()))
    return f"{middle}×" + (f" ({low}–{high})" if np.isfinite(found.interval()).all() else "")


def two_digits(x: float) -> str:
    """Of a ratio: 0.037, 0.70, 5.8, 28, 170."""
    rounded = float(f"{x:.2g}")
    return f"{rounded:.0f}" if rounded >= 10 else f"{rounded:#.2g}"


def about(values: np.ndarray) -> str:
    """The mean of an arm and its interval; of fewer than three runs, or where the interval is wider
    than the values, each of them; where all are the same, that one."""
    if np.ptp(values) == 0:
        return three_digits(float(values[0]))
    found = mean(np.sort(values))
    low, high = found.interval()
    if not np.isfinite(high) or high - low > 2 * abs(found.value):
        return " · ".join(map(three_digits, np.sort(values)))
    return f"{three_digits(found.value)} ± {three_digits((high - low) / 2)}"
