"""One look for the whole book: colours, sizes, and the few shapes that every chapter draws."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from bnlib.book import narrow
from bnlib.catalogue import NORMS
from bnlib.run import Runs

TEXT_WIDTH = 7.0  # inches: the text column of the site

COLOUR = {name: norm.colour for name, norm in NORMS.items()}
NAME = {name: norm.label for name, norm in NORMS.items()}
CYCLE = ("#009E73", "#CC79A7", "#E69F00", "#6A51A3", "#8C564B", "#444444")
RIGHT, WRONG = "#00875A", "#C0392B"


def look(norm: str) -> dict:
    """Colour, dash and name of an arm, as a line's keywords."""
    entry = NORMS[norm]
    return {"color": entry.colour, "linestyle": entry.dash, "label": entry.label}


def use_style() -> None:
    """Set matplotlib's defaults for a chapter: seaborn's for print, and what we want otherwise."""
    sns.set_theme(
        context="paper",
        style="ticks",
        palette=CYCLE,
        font_scale=10 / 9.6,  # text of 10 points, ticks and legends of 9.2
        rc={
            "figure.figsize": (TEXT_WIDTH, 3.0),
            "figure.dpi": 100,
            "savefig.dpi": 200,  # twice the resolution shown
            "figure.constrained_layout.use": True,
            "font.sans-serif": ["DejaVu Sans"],  # matplotlib brings it: the same on every machine
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#e6e6e6",
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.8,
            "image.cmap": "viridis",
            "patch.edgecolor": "black",
            "patch.force_edgecolor": False,
        },
    )
    if mpl.get_backend().endswith("inline"):  # in a notebook
        narrow.use()


def scale(runs: Runs) -> None:
    """Tell the figure that is being drawn how large the runs are that it shows."""
    plt.gcf().set_label(str(runs.scale))


def seeds(ax: Axes, x: Sequence[float], values: np.ndarray, **line) -> None:
    """The mean over seeds (rows of ``values``): every seed where they are five or fewer, else the
    band of the 95 % t-interval of the mean."""
    from bnlib.analysis.stats import mean_interval

    if np.issubdtype(np.asarray(x).dtype, np.integer):  # epochs: no tick between two
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    colour, dash = line.get("color"), line.get("linestyle", "-")
    if len(values) <= 5:
        for row in values:
            ax.plot(x, row, color=colour, alpha=0.35, linewidth=0.8, linestyle=dash)
    else:
        middle, half = mean_interval(values)
        ax.fill_between(x, middle - half, middle + half, color=colour, alpha=0.2, linewidth=0)
    ax.plot(x, np.mean(values, axis=0), **line)


def dots(ax: Axes, x: Sequence[float], values: list[np.ndarray], look: dict) -> None:
    """A dot for each run, the line through the means."""
    ax.plot(x, [some.mean() for some in values], **look)
    for place, some in zip(x, values, strict=True):
        ax.plot([place] * len(some), some, "o", color=look["color"], alpha=0.4, markersize=4)


def label_ends(ax: Axes, pad: float = 4, gap: float = 11) -> None:
    """Name each labelled line at its right end, in its colour, instead of in a legend.

    Names that would touch are moved apart (``gap`` points)."""
    lines = [line for line in ax.get_lines() if not line.get_label().startswith("_")]
    ax.figure.canvas.draw()
    per_point = ax.figure.dpi / 72
    ends = []
    for line in lines:
        xs, ys = (np.asarray(values, float) for values in line.get_data())
        last = np.flatnonzero(np.isfinite(ys))[-1]
        x, y = xs[last], ys[last]
        ends.append((ax.transData.transform((x, y))[1] / per_point, x, y, line))
    ends.sort(key=lambda end: end[0])
    place = -np.inf
    for height, x, y, line in ends:
        place = max(height, place + gap)
        ax.annotate(
            line.get_label(),
            (x, y),
            xytext=(pad, place - height),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=line.get_color(),
            annotation_clip=False,
        )


def reference(ax: Axes, y: float, text: str, x: float = 0.01) -> None:
    """A thin dotted line with its name: chance, or the source's number."""
    ax.axhline(y, color="#777777", linewidth=0.9, linestyle=":")
    ax.annotate(
        text,
        (x, y),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        fontsize=9,
        color="#555555",
        va="bottom",
    )
