"""The valley of learning rates: what each rate ends with, for arms with different norms."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from bnlib.analysis.counts import share
from bnlib.analysis.course import common_level, reaches
from bnlib.analysis.learning import PRECISE, RUNNING, best
from bnlib.analysis.rates import by_rate
from bnlib.book import plots
from bnlib.book.finals import Rows, cell
from bnlib.claims.arms import arms
from bnlib.claims.margins import Unit
from bnlib.run import Runs


def valley(sweep: Runs, source: float, chance: float) -> Figure:
    """Test error against the learning rate, both axes logarithmic: a dot a run, a line through the
    means; the ``source``'s rate and the error of guessing are marked."""
    fig, ax = plt.subplots(figsize=(plots.TEXT_WIDTH, 3.6))
    plots.scale(sweep)
    for norm, arm in sweep.by("norm").items():
        errors = by_rate(arm, RUNNING)
        for lr, values in errors.items():
            rates = [lr] * len(values)
            ax.plot(rates, values, "o", color=plots.COLOUR[norm], alpha=0.5, markersize=4)
        means = [values.mean() for values in errors.values()]
        ax.plot(list(errors), means, **plots.look(norm))
    ax.set(xscale="log", yscale="log", xlabel="learning rate (log scale)")
    ax.set_ylabel("test error (%, log scale)")
    ax.set_xticks(list(errors), [f"{lr:g}" for lr in errors])
    ax.xaxis.set_minor_locator(plt.NullLocator())
    ax.yaxis.set_major_formatter("{x:g}")
    plots.reference(ax, chance, "guessing")
    ax.axvline(source, color="#777777", linewidth=0.9, linestyle=":")
    text = {"fontsize": 9, "color": "#555555", "rotation": 90, "ha": "right"}
    ax.text(source, 0.5, "the source's", transform=ax.get_xaxis_transform(), **text)
    plots.label_ends(ax)
    plt.close(fig)
    return fig


def table(sweep: Runs) -> Rows:
    """A row for each rate: the test error of each arm; the rate that validation chooses is bold."""
    rows: Rows = {}
    for norm, arm in sweep.by("norm").items():
        chosen = best(arm, "lr", RUNNING)
        for lr, values in by_rate(arm, RUNNING).items():
            text = f"**{cell(values)}**" if lr == chosen else cell(values)
            rows.setdefault(f"{lr:g}", {})[plots.NAME[norm]] = text
    return rows


def span(arm: Runs) -> tuple[float, float]:
    """The lowest and the highest mean test error among the rates, by running averages."""
    means = [float(np.mean(values)) for values in by_rate(arm, RUNNING).values()]
    return min(means), max(means)


def near_the_best(sweep: Runs, unit: Unit) -> str:
    """With batch norm and without: how many runs end at most the unit's margin below the plain
    network's best, over all rates."""
    batch, none = arms(sweep)
    least = common_level(none, unit.margin, PRECISE)
    counts = (share(reaches(arm, least, PRECISE)).counted for arm in (batch, none))
    return " against ".join(count.removesuffix(" runs") for count in counts)
