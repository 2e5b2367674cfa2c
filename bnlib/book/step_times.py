"""How long a training step takes, as a multiple of the one without norm."""

import numpy as np

from bnlib.book import plots
from bnlib.book.finals import Rows
from bnlib.run import Runs

MIDDLE = (0.25, 0.5, 0.75)  # quantiles over the repeats


def ratios(timings: Runs, reference: str = "none") -> Rows:
    """A row for each arm: the median ratio and the middle half of the repeats."""
    times = timings[0].history
    rows: Rows = {}
    for norm, seconds in times.items():
        low, middle, high = np.quantile(np.divide(seconds, times[reference]), MIDDLE)
        if norm != reference:
            half = f"{low:.2f} to {high:.2f}"
            rows[plots.NAME[norm]] = {"no norm = 1": f"{middle:.2f}", "middle half": half}
    return rows
