"""Which digits are hard: their errors, and how often each is among the two hardest."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from bnlib.analysis.digits import among_the_two_hardest, class_errors
from bnlib.analysis.stats import mean_interval
from bnlib.book import plots
from bnlib.run import Runs

APART = 0.24  # of two arms at the same digit


def by_digit(runs: Runs, norms: tuple[str, ...]) -> Figure:
    """Above the mean test error of each digit with its interval, below in which share of the runs
    it is among the two hardest."""
    fig, (top, below) = plt.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    plots.scale(runs)
    fig.set_size_inches(plots.TEXT_WIDTH, 3.8)
    for place, (norm, marker) in enumerate(zip(norms, "os", strict=False)):
        arm = runs.where(norm=norm)
        errors = class_errors(arm)
        shift = APART * (place - (len(norms) - 1) / 2)
        at = np.arange(errors.shape[1]) + shift
        middle, half = mean_interval(errors)
        look = {"color": plots.COLOUR[norm], "label": plots.NAME[norm]}
        top.errorbar(at, middle, half, fmt=marker, capsize=3, **look)
        hard = [among_the_two_hardest(arm, digit).mean() for digit in range(errors.shape[1])]
        below.bar(at, np.multiply(100, hard), APART, color=plots.COLOUR[norm])
    top.set(ylabel="test error (%)", ylim=(0, None))
    top.legend(ncols=len(norms), loc="lower right", bbox_to_anchor=(1, 1))
    below.set(xticks=range(errors.shape[1]), xlabel="digit", ylabel="runs (%)", ylim=(0, 100))
    for ax in (top, below):
        ax.grid(axis="x", visible=False)
    plt.close(fig)
    return fig
