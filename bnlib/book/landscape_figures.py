"""The figures of measured landscapes. Panels are stacked: on a phone they stay readable."""

import matplotlib.pyplot as plt
import numpy as np

from bnlib.analysis import landscape
from bnlib.book import plots
from bnlib.claims.arms import arms
from bnlib.run import Runs

WIDTH = 5.4  # inches
GUESSING = np.log(10)


def bands(main: Runs) -> None:
    """Range of the loss and of the gradient's change over the step sizes, of the first seed."""
    _, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 4.6), sharex=True)
    plots.scale(main)
    batch, none = arms(main)
    for arm, height in ((none, 0.8), (batch, 0.68)):
        run, look = arm[0], plots.look(arm[0].recipe.norm)
        steps, shade = run.arrays["steps"], {"color": look["color"], "linewidth": 0.5}
        for ax, figure in ((above, "losses"), (below, "changes")):
            found = run.arrays[f"gradient_{figure}"]
            ax.fill_between(steps, found.min(1), found.max(1), alpha=0.45, **shade)
        text = {"color": look["color"], "transform": above.transAxes, "weight": "bold"}
        above.text(0.66, height, look["label"], **text)
    end = landscape.plateau_ends(none)[none[0].recipe.seed]
    if end < len(steps):
        for ax in (above, below):
            ax.axvline(steps[end], color="#777777", linewidth=0.9, linestyle=":")
        note = {"xytext": (4, 2), "textcoords": "offset points", "va": "bottom", "fontsize": 9}
        across = ("data", "axes fraction")
        below.annotate("off the plateau", (steps[end], 0), xycoords=across, color="#555555", **note)
    plots.reference(above, GUESSING, "")
    above.set(ylabel="loss along −g", ylim=(0, None))
    below.set(ylabel="change of the gradient\n(log scale)", yscale="log", xlabel="training step")


def headroom(main: Runs) -> None:
    """How often a step raises the loss, by its size: raw, in units of the learning rate, and
    scale-free, which has none."""
    _, axes = plt.subplots(2, 1, figsize=(WIDTH, 4.6), sharey=True)
    plots.scale(main)
    batch, none = arms(main)
    ends, one = landscape.plateau_ends(none), none[0]
    panels = {
        "gradient": ("raw weights", one.arrays["etas"] / one.recipe.lr),
        "scale_free": ("scale-free", one.arrays["scale_free_etas"]),
    }
    for ax, (line, (title, steps)) in zip(axes, panels.items(), strict=True):
        for arm in (none, batch):
            look = plots.look(arm[0].recipe.norm)
            plots.seeds(ax, steps, 100 * landscape.raised(arm, line, ends), marker="o", **look)
        ax.set(title=title, ylabel="raise the loss (%)", xscale="log")
        ticks = steps[0] * 2.0 ** np.arange(np.log2(steps[-1] / steps[0]) + 0.5)
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.xaxis.set_minor_locator(plt.NullLocator())
    axes[0].axvline(1, color="#777777", linewidth=0.9, linestyle=":")
    axes[0].legend(loc="upper left")
    axes[0].set_xlabel("step, in units of the learning rate (log scale)")
    axes[1].set_xlabel("scale-free step (log scale)")


def relative_change(*several: Runs) -> None:
    """Change of the gradient in its own lengths by step size, a panel for each experiment."""
    _, axes = plt.subplots(len(several), 1, figsize=(WIDTH, 2.5 * len(several)), sharey=True)
    plots.scale(several[0])
    for ax, some in zip(axes, several, strict=True):
        for arm in reversed(arms(some)):
            look, etas = plots.look(arm[0].recipe.norm), arm[0].arrays["etas"]
            plots.seeds(ax, etas, landscape.relative_change(arm), **look)
        lr = some[0].recipe.lr
        ax.axvline(lr, color="#777777", linewidth=0.9, linestyle=":")
        plots.reference(ax, 1, "")
        ticks = [etas[0], lr, etas[-1]]
        ax.set(xscale="log", title=f"learning rate {lr:g} ", ylabel="change / length")
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.xaxis.set_minor_locator(plt.NullLocator())
    axes[0].legend(loc="upper left")
    axes[-1].set_xlabel("step size η (log scale)")


def reached(main: Runs) -> None:
    """The spread of every sample against the loss where it was taken, raw and scale-free."""
    _, axes = plt.subplots(2, 1, figsize=(WIDTH, 5), sharex=True)
    plots.scale(main)
    lines = {"gradient": "raw", "scale_free": "scale-free"}
    for ax, (line, title) in zip(axes, lines.items(), strict=True):
        for arm in reversed(arms(main)):
            look = plots.look(arm[0].recipe.norm)
            marks = {"color": look["color"], "alpha": 0.5, "label": look["label"]}
            at, spread = arm.array("loss").ravel(), landscape.width(arm, line).ravel()
            ax.plot(at, spread, ".", markersize=5, **marks)
        ax.set(ylabel=f"spread, {title}\n(log scale)", yscale="log")
    axes[1].set_xlabel("loss reached")
    axes[0].legend(loc="lower left")


def apart(some: Runs, lr: float) -> None:
    """The source's band over networks trained apart, and its distance between gradients."""
    _, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 5), sharex=True)
    plots.scale(some)
    for arm in reversed(arms(some)):
        look, steps = plots.look(arm[0].recipe.norm), arm[0].arrays["steps"]
        losses = landscape.by_seed(arm)[0].array("loss")
        shade = {"color": look["color"], "alpha": 0.45, "label": look["label"]}
        above.fill_between(steps, losses.min(0), losses.max(0), **shade)
        plots.seeds(below, steps, arm.where(lr=lr).array("consecutive_changes"), **look)
    above.set(ylabel="loss")
    below.set(xlabel="training step", yscale="log")
    below.set_ylabel("distance between gradients,\nlast layer (log scale)")
    above.legend(loc="lower left")


def planes(main: Runs) -> None:
    """The loss on the plane through the trained weights, of the first seed of each arm."""
    levels = np.linspace(0, 2 * GUESSING, 15)
    fig, axes = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 2.8))
    plots.scale(main)
    for ax, arm in zip(axes, reversed(arms(main)), strict=True):
        at, losses = (arm[0].arrays[name] for name in ("plane_coordinates", "plane"))
        z = np.clip(losses.T, None, levels[-1])
        drawn = ax.contourf(at, at, z, levels=levels, cmap="viridis_r", extend="max")
        ax.contour(at, at, z, levels=levels, colors="k", linewidths=0.3)
        ax.plot(0, 0, "w+", markersize=9)
        ax.set(title=plots.NAME[arm[0].recipe.norm], xlabel="first direction", aspect="equal")
        ax.grid(False)
    axes[0].set_ylabel("second direction")
    fig.colorbar(drawn, ax=axes, label="loss", shrink=0.9)
