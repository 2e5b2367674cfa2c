"""Curves over the epochs: losses, test errors by activation, the source's way to evaluate."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from bnlib.book import plots
from bnlib.run import Runs

DASHES = (":", "-", "--")  # of learning rates, the smallest first


def axis(runs: Runs) -> np.ndarray:
    """1, 2, … the last epoch."""
    return np.arange(1, runs[0].recipe.epochs + 1)


def losses(runs: Runs) -> Figure:
    """Training and test loss of each arm."""
    fig, axes = plt.subplots(1, 2, sharey=True)
    plots.scale(runs)
    for ax, part in zip(axes, ("train", "test"), strict=True):
        for norm, arm in runs.by("norm").items():
            plots.seeds(ax, axis(runs), arm.history(f"{part}_loss"), **plots.look(norm))
        ax.set(xlabel="epoch", yscale="log", title=f"{part} loss")
    axes[0].set_ylabel("cross-entropy (log scale)")
    axes[1].legend()
    plt.close(fig)
    return fig


def as_printed(runs: Runs, norms: tuple[str, ...]) -> Figure:
    """For each arm the test accuracy, and what the source's evaluation prints (its probe)."""
    fig, axes = plt.subplots(1, len(norms), sharey=True)
    plots.scale(runs)
    for ax, norm in zip(axes, norms, strict=True):
        arm = runs.where(norm=norm)
        ours = plots.look(norm) | {"label": "as evaluated here"}
        theirs = {"color": "#444444", "linestyle": "--", "label": "as the source prints"}
        plots.seeds(ax, axis(runs), 100 * arm.history("test_acc"), **ours)
        plots.seeds(ax, axis(runs), 100 * arm.array("acc_as_reported"), **theirs)
        ax.set(xlabel="epoch", title=plots.NAME[norm])
        ax.legend(loc="lower right")
    axes[0].set_ylabel("test accuracy (%)")
    plt.close(fig)
    return fig


def by_activation(runs: Runs) -> Figure:
    """Test error in a panel for each activation, a dash for each learning rate."""
    panels = runs.by("activation")
    fig, axes = plt.subplots(1, len(panels), sharey=True)
    plots.scale(runs)
    fig.set_size_inches(plots.TEXT_WIDTH, 3.2)
    for ax, (activation, some) in zip(axes, panels.items(), strict=True):
        for lr, dash in zip(sorted(some.values("lr")), DASHES, strict=False):
            for norm, arm in some.where(lr=lr).by("norm").items():
                name = {"label": f"{plots.NAME[norm]}, lr {lr:g}", "linestyle": dash}
                errors = 100 - 100 * arm.history("test_acc")
                plots.seeds(ax, axis(runs), errors, **plots.look(norm) | name)
        ax.set(xlabel="epoch", title=activation, yscale="log")
        ax.yaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel("test error (%, log scale)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    plt.close(fig)
    return fig
