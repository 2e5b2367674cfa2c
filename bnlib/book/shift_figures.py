"""The figures of the chapter on internal covariate shift: its definition, its course, its scale."""

import matplotlib.pyplot as plt
import numpy as np

from bnlib.analysis import shift
from bnlib.book import plots
from bnlib.book.landscape_figures import WIDTH
from bnlib.claims.arms import arms
from bnlib.claims.shift import LAYERS
from bnlib.run import Runs

GREY, PALE = "#444444", "#777777"


def definition() -> None:
    """Two weights in a row: the loss of the second before and after the step of the first."""
    _, ax = plt.subplots(figsize=(WIDTH, 3.2))
    second, at = np.linspace(0.2, 1.5, 200), 1.0
    for first, colour, name in ((2.0, plots.CYCLE[0], "before"), (1.5, plots.CYCLE[3], "after")):
        loss, slope = 0.5 * (first * second - 1) ** 2, (first * at - 1) * first
        height = 0.5 * (first * at - 1) ** 2
        ax.plot(second, loss, color=colour)
        near = np.array([at - 0.3, at + 0.3])
        ax.plot(near, height + slope * (near - at), color=colour, linestyle="--", linewidth=1.2)
        ax.plot(at, height, "o", color=colour)
        label = f"{name} the first weight's step:\nslope {slope:g}"
        place = {"xytext": (-12, 10) if name == "before" else (14, -14)}
        side = {"ha": "right" if name == "before" else "left", "va": "center"}
        ax.annotate(label, (at, height), **place, **side, textcoords="offset points", color=colour)
    ax.set(xlabel="second weight", ylabel="loss", ylim=(-0.12, 1.3))


def course(main: Runs, lr: float) -> None:
    """Distance and angle between G and G′ over the steps, at layers 5 and 10."""
    _, axes = plt.subplots(2, 2, figsize=(WIDTH, 5), sharex=True, sharey="row")
    some = main.where(lr=lr)
    batch, none = arms(some)
    steps = none[0].arrays["shift_steps"]
    left = [end for end in shift.plateau_ends(none, shift.LOSSES).values() if end < len(steps)]
    for column, (layer, name) in zip(axes.T, LAYERS.items(), strict=True):
        for ax, series in zip(column, (shift.distance, shift.angle), strict=True):
            for arm in (none, batch):
                plots.seeds(ax, steps, series(arm, layer), **plots.look(arm[0].recipe.norm))
            if left:
                ax.axvspan(0, steps[int(np.median(left))], color="#777777", alpha=0.12, linewidth=0)
            ax.set_yscale("log")
        column[0].set_title(name)
        column[1].set_xlabel("training step")
    axes[0, 0].set_ylabel("distance ‖G − G′‖\n(log scale)")
    axes[1, 0].set_ylabel("angle, degrees\n(log scale)")
    axes[0, 1].legend(loc="best")


def reached(main: Runs, lr: float) -> None:
    """Every look by the loss at which it was taken, raw and relative."""
    _, axes = plt.subplots(2, 2, figsize=(WIDTH, 5), sharex=True, sharey="row")
    some = main.where(lr=lr)
    for column, (layer, name) in zip(axes.T, LAYERS.items(), strict=True):
        for ax, series in zip(column, (shift.distance, shift.relative), strict=True):
            for arm in reversed(arms(some)):
                look = plots.look(arm[0].recipe.norm)
                marks = {"color": look["color"], "alpha": 0.45, "label": look["label"]}
                at, found = arm.array(shift.LOSSES).ravel(), series(arm, layer).ravel()
                ax.plot(at, found, ".", markersize=4, markeredgewidth=0, **marks)
            ax.set_yscale("log")
        column[0].set_title(name)
        column[1].set_xlabel("training loss of the batch")
    axes[0, 0].set_ylabel("distance ‖G − G′‖\n(log scale)")
    axes[1, 0].set_ylabel("relative distance\n(log scale)")
    axes[0, 0].legend(loc="best", markerscale=2.5)


def linear(deep: Runs) -> None:
    """Loss, and the angle at both layers, of the deep linear network at its two rates."""
    rates, layers = deep.values("lr"), shift.names(deep)
    _, axes = plt.subplots(
        1 + len(layers), len(rates), figsize=(WIDTH, 6), sharex=True, sharey="row", squeeze=False
    )
    for column, lr in zip(axes.T, rates, strict=True):
        for arm in reversed(arms(deep.where(lr=lr))):
            steps, look = arm[0].arrays["shift_steps"], plots.look(arm[0].recipe.norm)
            plots.seeds(column[0], steps, arm.array(shift.LOSSES), **look)
            for ax, layer in zip(column[1:], layers, strict=True):
                plots.seeds(ax, steps, shift.angle(arm, layer), **look)
        for ax in column:
            ax.set_yscale("log")
        column[0].set_title(f"learning rate {_power(lr)}")
        column[-1].set_xlabel("step")
        column[-1].set_xticks([0, steps[-1] // 2 + 1, steps[-1] + 1])
    names = ("loss, summed", *(f"angle, {layer}" for layer in layers))
    for ax, name in zip(axes[:, 0], names, strict=True):
        ax.set_ylabel(f"{name}\n(log scale)")
    axes[0, 0].legend(loc="best")


def _power(lr: float) -> str:
    return f"$10^{{{round(np.log10(lr))}}}$"
