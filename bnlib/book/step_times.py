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


def by_autograd(timings: Runs) -> str:
    """What batch norm costs whose backward pass is autograd's, against PyTorch's, in one session;
    empty where the two were not timed together."""
    both = [times.history for times in timings if {"naive", "torch"} <= set(times.history)]
    if not both:
        return ""
    ratio = np.divide(both[0]["naive"], both[0]["torch"])
    low, middle, high = np.quantile(ratio, MIDDLE)
    return (
        "A reader who writes the forward pass in a few lines and leaves the backward pass to "
        f"autograd pays more: a step takes {middle:.2f} times that with PyTorch's layer (middle "
        f"half of {len(ratio)} repeats: {low:.2f} to {high:.2f})."
    )
