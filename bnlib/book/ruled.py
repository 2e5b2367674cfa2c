"""The pictures of what rulers find."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

from bnlib.book import plots
from bnlib.measure.rulers import LayerShift, LossLine

WIDTH = 5.4  # inches


def line(found: LossLine, rate: float) -> None:
    """The loss along a line and the change of its gradient, by steps in units of a ``rate``."""
    _, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 4.4), sharex=True)
    steps, colour = found.steps / rate, plots.CYCLE[0]
    for ax, values in ((above, found.losses), (below, found.changes / found.norm)):
        ax.plot(steps, values, color=colour, marker="o")
        ax.axvline(1, color="#777777", linewidth=0.9, linestyle=":")
    low, high = found.losses.min(), found.losses.max()
    above.axhspan(low, high, color=colour, alpha=0.15, linewidth=0)
    above.text(steps[-1], low, f"spread {found.spread:.2g}", ha="right", va="top", fontsize=9)
    plots.reference(above, found.loss, "loss before the step", x=0.4)
    note = {"fontsize": 9, "color": "#555555"}
    plots.reference(below, 1, "")
    below.text(steps[-1], 0.98, "as far as the gradient is long", ha="right", va="top", **note)
    above.set(ylabel="loss", ylim=(0, None))
    below.set(ylabel="change of the gradient\nin its own lengths", ylim=(0, None), xscale="log")
    below.set_xlabel("step, in units of the learning rate (log scale)")
    below.set_xticks(steps, [f"{step:.2g}" for step in steps])
    below.xaxis.set_minor_locator(plt.NullLocator())


def shifts(found: Mapping[str, LayerShift]) -> None:
    """How far each layer's gradient moves, and its angle, for one or more steps."""
    _, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.9), sharey=True)
    for (label, one), colour in zip(found.items(), plots.CYCLE, strict=False):
        places = np.arange(len(one.layers))
        left.plot(one.relative, places, "o", color=colour, label=label)
        right.plot(one.cosine, places, "o", color=colour)
    left.set_yticks(places, one.layers)
    left.invert_yaxis()
    left.set(xscale="log", xlabel="‖G − G′‖ / ‖G‖ (log scale)")
    right.set(xlabel="cosine of G and G′", xlim=(None, 1.05))
    left.figure.legend(loc="outside upper center", ncols=len(found))


def mistakes(numbers: Mapping[str, tuple[float, float]]) -> None:
    """The wrong number in units of the right one, a row for each mistake."""
    _, ax = plt.subplots(figsize=(WIDTH, 0.55 * len(numbers) + 0.8))
    for place, (right, wrong) in enumerate(numbers.values()):
        ratio = wrong / right
        ax.plot([1, ratio], [place, place], color="#bbbbbb", linewidth=1.2, zorder=1)
        ax.plot(1, place, "o", color=plots.RIGHT)
        ax.plot(ratio, place, "X", color=plots.WRONG, markersize=7)
        said = f"{wrong:.2g}, not {right:.2g}"
        above = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center"}
        ax.annotate(said, (ratio, place), fontsize=9, **above)
    ax.set_yticks(range(len(numbers)), numbers)
    ax.set(xscale="log", xlabel="wrong number / right number (log scale)")
    ax.margins(x=0.2, y=0.15)
    ax.invert_yaxis()


def said(found: object) -> None:
    """What ``print`` says of it, as a picture: rounding decides its last digits."""
    text = repr(found)
    height = 0.175 * len(text.splitlines()) + 0.05
    ax = plt.figure(figsize=(plots.TEXT_WIDTH, height)).add_axes((0, 0, 1, 1))
    ax.axis("off")
    ax.text(0, 1, text, family="DejaVu Sans Mono", fontsize=9, va="top", linespacing=1.35)
