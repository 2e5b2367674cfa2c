"""Curvature against the learning rate: a figure, a table and what they say."""

import math

import matplotlib.pyplot as plt
import numpy as np

from bnlib.analysis import curvature
from bnlib.book import plots
from bnlib.book.boxes import Shown, table
from bnlib.book.landscape_figures import WIDTH
from bnlib.book.measured import about, times
from bnlib.claims.arms import arms
from bnlib.run import Runs

TITLES = {
    curvature.ALONG: "along the gradient",
    curvature.LARGEST: "the largest in any direction",
}


def against_the_rate(some: Runs) -> None:
    """The curvature late in training by learning rate, and the largest that the rate allows."""
    _, axes = plt.subplots(2, 1, figsize=(WIDTH, 4.6), sharex=True, sharey=True)
    plots.scale(some)
    rates = np.array(sorted(some.values("lr")))
    for ax, (which, title) in zip(axes, TITLES.items(), strict=True):
        for arm in reversed(arms(some)):
            by_rate = dict(sorted(arm.by("lr").items()))
            values = [curvature.late(one, which) for one in by_rate.values()]
            plots.dots(ax, list(by_rate), values, plots.look(arm[0].recipe.norm))
        ax.plot(rates, 2 / rates, color="#777777", linewidth=0.9, linestyle=":")
        ax.set(title=title, xscale="log", yscale="log", ylabel="curvature (log scale)")
        ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
        ax.xaxis.set_minor_locator(plt.NullLocator())
    note = {"xytext": (4, 2), "textcoords": "offset points", "fontsize": 9, "color": "#555555"}
    axes[0].annotate("2 / rate", (rates[0], 2 / rates[0]), **note)
    axes[1].legend(loc="lower left")
    axes[1].set_xlabel("learning rate (log scale)")


def shares(some: Runs) -> Shown:
    """The curvature late in training as a share of the limit, by learning rate."""
    batch, none = arms(some)
    rows: dict[str, dict[str, str]] = {}
    for rate in sorted(some.values("lr")):
        pair = {"without": none.where(lr=rate), "with BN": batch.where(lr=rate)}
        there = {name: arm for name, arm in pair.items() if len(arm)}
        row = {
            f"{which}, {name}": about(curvature.share_of_limit(arm, which))
            for which in curvature.WHICH
            for name, arm in there.items()
        }
        if len(there) == len(pair):
            ends = (curvature.late(arm, curvature.LARGEST, "scale_free") for arm in pair.values())
            row["scale-free, none / BN"] = times(*ends)
        rows[f"rate {rate:g}"] = row
    said = (
        "Curvature as a share of 2 / rate, along the gradient and the largest, medians over the "
        "second half of the run; last, the largest in scale-free units"
    )
    return table(rows, said, some.scale)


def said(some: Runs) -> str:
    """How far the largest curvature follows the rate, over the rates that both networks took."""
    batch, none = arms(some)
    rates = sorted(set(none.values("lr")) & set(batch.values("lr")))
    low, high = rates[0], rates[-1]
    if low == high:
        return ""
    falls = {
        which: [
            times(*(curvature.late(arm.where(lr=rate), which) for rate in (low, high)))
            for arm in (none, batch)
        ]
        for which in curvature.WHICH
    }
    (along_none, along_batch), (largest_none, largest_batch) = falls.values()
    worst = max(float(curvature.unsettled(arm).max()) for arm in (none, batch))
    return (
        f"From a rate of {low:g} to one of {high:g}, {high / low:g} times as large, the curvature "
        f"along the gradient falls {along_none} without batch norm and {along_batch} with it, the "
        f"largest {largest_none} and {largest_batch}. (At the median look the largest is "
        f"known to better than {math.ceil(100 * worst)} %.)"
    )
