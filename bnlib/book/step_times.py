"""How long a training step takes, as a multiple of the one without norm."""

from bnlib.book import plots
from bnlib.book.finals import Rows
from bnlib.claims.arms import NotTested, pace
from bnlib.claims.margins import RATIO
from bnlib.run import Runs


def ratios(timings: Runs, reference: str = "none") -> Rows:
    """A row for each arm timed beside the reference: the ratio, its range, and over what."""
    beside = [times.history for times in timings if reference in times.history]
    rows: Rows = {}
    for norm in dict.fromkeys(norm for history in beside for norm in history):
        if norm != reference:
            found = pace(timings, norm, reference)
            rows[plots.NAME[norm]] = {"no norm = 1": RATIO.show(found), "how": found.method}
    return rows


def by_autograd(timings: Runs) -> str:
    """What batch norm costs whose backward pass is autograd's, against PyTorch's; empty where the
    two were not timed together."""
    try:
        found = pace(timings, "naive", "torch")
    except NotTested:
        return ""
    return (
        "A reader who writes the forward pass in a few lines and leaves the backward pass to "
        f"autograd pays more: a step takes {RATIO.show(found)} the time of one with PyTorch's "
        f"layer ({found.method})."
    )
