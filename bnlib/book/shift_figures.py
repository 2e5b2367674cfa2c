"""The figures of the chapter on internal covariate shift: its definition, its course, its scale."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from bnlib.analysis import shift
from bnlib.analysis.learning import PRECISE, column
from bnlib.book import plots
from bnlib.book.landscape_figures import WIDTH
from bnlib.claims.arms import arms
from bnlib.claims.shift import LAYERS
from bnlib.run import Runs

GREY, PALE = "#444444", "#777777"


def definition() -> None:
    """Two weights in a row: the loss of the second before and after the step of the first."""
    _, ax = plt.subplots(figsize=(WIDTH, 3))
    second, at = np.linspace(0.2, 1.5, 200), 1.0
    for first, colour, name in ((2.0, plots.CYCLE[0], "before"), (1.5, plots.CYCLE[3], "after")):
        loss, slope = 0.5 * (first * second - 1) ** 2, (first * at - 1) * first
        height = 0.5 * (first * at - 1) ** 2
        ax.plot(second, loss, color=colour)
        near = np.array([at - 0.3, at + 0.3])
        ax.plot(near, height + slope * (near - at), color=colour, linestyle="--", linewidth=1.2)
        ax.plot(at, height, "o", color=colour)
        label = f"{name} the first\nweight's step:\nslope {slope:g}"
        place = {"xytext": (-12, 10) if name == "before" else (14, -14)}
        side = {"ha": "right" if name == "before" else "left", "va": "center"}
        ax.annotate(label, (at, height), **place, **side, textcoords="offset points", color=colour)
    ax.set(xlabel="second weight", ylabel="loss", ylim=(-0.35, 1.3))


def course(main: Runs, lr: float) -> None:
    """Distance and angle between G and G′ over the steps, at layers 5 and 10."""
    _, axes = plt.subplots(2, 2, figsize=(WIDTH, 5), sharex=True, sharey="row")
    some = main.where(lr=lr)
    batch, none = arms(some)
    steps = none[0].arrays["shift_steps"]
    left = [end for end in shift.plateau_ends(none, shift.LOSSES).values() if end < len(steps)]
    for pair, (layer, name) in zip(axes.T, LAYERS.items(), strict=True):
        for ax, series in zip(pair, (shift.distance, shift.angle), strict=True):
            for arm in (none, batch):
                plots.seeds(ax, steps, series(arm, layer), **plots.look(arm[0].recipe.norm))
            if left:
                ax.axvspan(0, steps[int(np.median(left))], color="#777777", alpha=0.12, linewidth=0)
        pair[0].set(title=name, yscale="log")
        pair[1].set_xlabel("training step")
        pair[1].xaxis.set_major_locator(plt.MaxNLocator(4))
    axes[0, 0].set_ylabel("distance ‖G − G′‖\n(log scale)")
    axes[1, 0].set_ylabel("angle between\nG and G′ (degrees)")
    axes[0, 1].legend(loc="best")


def reached(main: Runs, lr: float) -> None:
    """Every look by the loss at which it was taken, raw and relative."""
    _, axes = plt.subplots(2, 2, figsize=(WIDTH, 5), sharex=True, sharey="row")
    some = main.where(lr=lr)
    for pair, (layer, name) in zip(axes.T, LAYERS.items(), strict=True):
        for ax, series in zip(pair, (shift.distance, shift.relative), strict=True):
            for arm in reversed(arms(some)):
                look = plots.look(arm[0].recipe.norm)
                marks = {"color": look["color"], "alpha": 0.45, "label": look["label"]}
                at, found = arm.array(shift.LOSSES).ravel(), series(arm, layer).ravel()
                ax.plot(at, found, ".", markersize=4, markeredgewidth=0, **marks)
            ax.set_yscale("log")
            ax.yaxis.set_minor_formatter(plt.NullFormatter())
            ax.yaxis.set_major_formatter("{x:g}")
        pair[1].yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
        plots.reference(pair[1], 1, "")
        pair[0].set_title(name)
        pair[1].set_xlabel("training loss of the batch")
    axes[0, 0].set_ylabel("distance ‖G − G′‖\n(log scale)")
    axes[1, 0].set_ylabel("relative distance\n(log scale)")
    axes[0, 0].legend(loc="best", markerscale=2.5)


def linear(deep: Runs) -> None:
    """Loss, and the angle at both layers, of the deep linear network at its two rates."""
    rates, layers = deep.values("lr"), shift.names(deep)
    _, axes = plt.subplots(
        1 + len(layers), len(rates), figsize=(WIDTH, 6), sharex=True, sharey="row", squeeze=False
    )
    for pair, lr in zip(axes.T, rates, strict=True):
        for arm in reversed(arms(deep.where(lr=lr))):
            steps, look = arm[0].arrays["shift_steps"], plots.look(arm[0].recipe.norm)
            plots.seeds(pair[0], steps, arm.array(shift.LOSSES), **look)
            for ax, layer in zip(pair[1:], layers, strict=True):
                plots.seeds(ax, steps, shift.angle(arm, layer), **look)
        for ax in pair:
            ax.set_yscale("log")
        pair[0].set_title(f"learning rate {_power(lr)}")
        pair[-1].set_xlabel("step")
        pair[-1].set_xticks([0, deep[0].recipe.steps // 2, deep[0].recipe.steps])
    names = ("loss, summed", *(f"angle, {layer}" for layer in layers))
    for ax, name in zip(axes[:, 0], names, strict=True):
        ax.set_ylabel(f"{name}\n(log scale)")
    axes[0, 0].legend(loc="best")


def _power(lr: float) -> str:
    return f"$10^{{{round(np.log10(lr))}}}$"


def noisy_course(some: Runs) -> None:
    """Training accuracy, and test accuracy with the noise off (precise statistics), by epoch."""
    _, axes = plt.subplots(2, 1, figsize=(WIDTH, 4.6), sharex=True, sharey=True)
    for norm, arm in some.by("norm").items():
        epochs = np.arange(1, arm[0].recipe.epochs + 1)
        figures = ("train_acc", column(arm, "test_acc", PRECISE))
        for ax, name in zip(axes, figures, strict=True):
            dots = {"marker": "o", "markersize": 3}
            plots.seeds(ax, epochs, 100 * arm.history(name), **plots.look(norm), **dots)
    plots.reference(axes[0], 10, "")
    plots.reference(axes[1], 10, "")
    axes[0].set_ylabel("training accuracy (%)")
    axes[1].set(ylabel="test accuracy (%),\nnoise off", xlabel="epoch")
    axes[0].legend(loc="best", ncols=2, fontsize=8.5)
