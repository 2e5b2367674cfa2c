"""The figures of the VGG chapter on training: the sweep of rates and the five networks."""

import matplotlib.pyplot as plt
import numpy as np

from bnlib.analysis.learning import EVALUATIONS, PRECISE, RUNNING, accuracy, column, guessing
from bnlib.book import plots
from bnlib.book.landscape_figures import WIDTH
from bnlib.claims.arms import arms
from bnlib.run import Runs


def sweep(some: Runs) -> None:
    """Test accuracy against the learning rate, every run a dot."""
    batch, none = arms(some)
    _, ax = plt.subplots(figsize=(WIDTH, 3.2))
    plots.scale(some)
    rates = sorted(some.values("lr"))
    for arm, how in ((none, RUNNING), (batch, RUNNING), (batch, PRECISE)):
        found = [accuracy(arm.where(lr=lr), how) for lr in rates]
        look = plots.look(arm[0].recipe.norm)
        if how == PRECISE:
            look |= {"linestyle": ":", "label": look["label"] + ", precise"}
        for lr, values in zip(rates, found, strict=True):
            dots = {"color": look["color"], "alpha": 0.4, "markersize": 4}
            ax.plot([lr] * len(values), values, "o", **dots)
        ax.plot(rates, [values.mean() for values in found], **look)
    plots.reference(ax, guessing(none), "")
    ax.set(xscale="log", xlabel="learning rate (log scale)", ylabel="test accuracy (%)")
    ax.set_ylim(0, 100)
    ax.legend(loc="upper left")


def nets(some: Runs) -> dict[str, Runs]:
    """S3's networks by name."""
    deep = some.where(model="vgg_a")
    batch, none = arms(deep)
    found = {
        "plain": none.where(dropout=0.0),
        "dropout": none.where(dropout=0.5),
        "batch norm": batch.where(dropout=0.0),
        "both": batch.where(dropout=0.5),
        "Light": some.where(model="vgg_a_light"),
    }
    return {name: arm for name, arm in found.items() if len(arm)}


def five(some: Runs) -> None:
    """Accuracy, test loss and calibration error of each network over the epochs."""
    _, axes = plt.subplots(3, 1, figsize=(WIDTH, 6.4), sharex=True)
    plots.scale(some)
    for label, arm in nets(some).items():
        recipe, epochs = arm[0].recipe, np.arange(1, arm[0].recipe.epochs + 1)
        colour = plots.CYCLE[0] if label == "Light" else plots.COLOUR[recipe.norm]
        look = {"color": colour, "linestyle": "--" if recipe.dropout else "-", "label": label}
        figures = (
            100 * arm.history(column(arm, "test_acc", RUNNING)),
            arm.history(column(arm, "test_loss", RUNNING)),
            100 * arm.array("ece" + EVALUATIONS[RUNNING]),
        )
        for ax, values in zip(axes, figures, strict=True):
            plots.seeds(ax, epochs, values, **look)
    for ax, what in zip(axes, ("accuracy (%)", "test loss", "ECE (%)"), strict=True):
        ax.set_ylabel(what)
    axes[2].set_xlabel("epoch")
    plots.label_ends(axes[0])
