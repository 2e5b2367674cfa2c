"""How a page writes what was measured: a ratio, a mean with its interval."""

import numpy as np

from bnlib.analysis.findings import difference, mean, spread
from bnlib.claims.units import RATIO, three_digits


def times(none: np.ndarray, other: np.ndarray) -> str:
    """none / other, such as "6.1× (4.8–7.7)"."""
    if not len(none) or not len(other):
        return "–"
    pair = np.log2(none), np.log2(other)
    return RATIO.show(difference(*pair, spread(pair)))


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
