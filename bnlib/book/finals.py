"""What arms end with: the test error after the last epoch, in cells, rows and dots."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from bnlib.analysis.learning import PRECISE, RUNNING, accuracy
from bnlib.analysis.stats import mean_interval
from bnlib.book import plots
from bnlib.book.tables import EACH
from bnlib.catalogue import NORMS
from bnlib.run import Runs

Rows = dict[str, dict[str, str]]


def digits(value: float) -> str:
    """A percentage: to hundredths below 10, to tenths above."""
    return f"{value:.2f}" if abs(value) < 9.995 else f"{value:.1f}"


def cell(percentages: np.ndarray) -> str:
    """Up to three runs one by one, from low to high; of more the mean ± half of its interval."""
    if len(percentages) <= EACH:
        return " · ".join(digits(value) for value in np.sort(percentages))
    middle, half = mean_interval(percentages)
    return f"{digits(middle)} ± {digits(half)}"


def error(arm: Runs, how: str = RUNNING) -> str:
    return cell(100 - accuracy(arm, how))


def both(arms: Mapping[str, Runs]) -> Rows:
    """A row for each arm: its test error under both evaluations."""
    rows = {}
    for name, arm in arms.items():
        averages = NORMS[arm[0].recipe.norm].averages
        rows[name] = {RUNNING: error(arm), PRECISE: error(arm, PRECISE) if averages else "–"}
    return rows


def by_norm(runs: Runs) -> dict[str, Runs]:
    """The arms by the name of their norm on the page."""
    return {plots.NAME[norm]: arm for norm, arm in runs.by("norm").items()}


def dots(runs: Runs, published: float, who: str) -> Figure:
    """A dot for each run's test error, mean and interval in black; ``published`` is another's."""
    fig, ax = plt.subplots(figsize=(plots.TEXT_WIDTH, 2.2))
    plots.scale(runs)
    arms = list(runs.by("norm").items())[::-1]
    for height, (norm, arm) in enumerate(arms):
        values = 100 - accuracy(arm, RUNNING)
        middle, half = mean_interval(values)
        apart = height + np.linspace(-0.18, 0.18, len(values))
        ax.plot(values, apart, "o", color=plots.COLOUR[norm], alpha=0.5, markersize=5)
        ax.errorbar(middle, height, xerr=half, fmt="k|", capsize=4, markersize=14)
    ax.set_yticks(range(len(arms)), [plots.NAME[norm] for norm, _ in arms])
    ax.set(xlabel="test error after the last epoch (%)", ylim=(-0.5, len(arms) - 0.5))
    ax.axvline(published, color="#777777", linestyle=":", linewidth=0.9)
    place = {"x": published, "transform": ax.get_xaxis_transform()}
    ax.set_title(who, fontsize=9, color="#555555", **place)
    plt.close(fig)
    return fig
