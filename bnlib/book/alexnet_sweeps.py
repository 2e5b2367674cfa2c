"""Figures of the AlexNet page against a setting: dropout's rate and place, the batch size."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bnlib.analysis.learning import PRECISE, RUNNING, accuracy
from bnlib.analysis.variance_shift import shift
from bnlib.book import plots
from bnlib.book.alexnet_curves import arms, normed
from bnlib.run import Runs

PLACES = {"fc": "behind the linear layers", "conv": "behind the convolutions"}
RULES = {"batch": "learning rate 0.1", "scaled": "learning rate 0.1 · B / 128"}
LAYERS = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc1", "fc2"]


def dropped(runs: Runs, rate: float, place: str) -> Runs:
    """The runs with this dropout; without any there is no place."""
    return runs.where(dropout=rate, dropout_at=place if rate else "fc")


def by_dropout(drop: Runs) -> Figure:
    """A panel for each place: accuracy at the end against the rate, under both evaluations."""
    rates = sorted(drop.values("dropout"))
    none, batch = arms(drop)
    fig, axes = plt.subplots(1, 2, sharey=True)
    plots.scale(drop)
    for ax, (place, title) in zip(axes, PLACES.items(), strict=True):
        for runs, how in ((none, RUNNING), (batch, RUNNING), (batch, PRECISE)):
            look = plots.look(runs[0].recipe.norm)
            if how == PRECISE:
                look |= {"linestyle": ":", "label": look["label"] + ", precise"}
            plots.dots(ax, rates, [accuracy(dropped(runs, p, place), how) for p in rates], look)
        ax.set(xlabel="dropout rate p", title=title, xticks=rates)
    axes[0].set_ylabel("test accuracy (%)")
    axes[0].legend(loc="lower left")
    return fig


def by_batch(runs: dict[str, Runs]) -> Figure:
    """A panel for each rule for the learning rate: accuracy at the end against the batch size."""
    fig, axes = plt.subplots(1, 2, sharey=True)
    plots.scale(runs["batch"])
    for ax, (experiment, title) in zip(axes, RULES.items(), strict=True):
        for arm in arms(runs[experiment]):
            sizes = sorted(arm.values("batch_size"))
            values = [accuracy(arm.where(batch_size=size), RUNNING) for size in sizes]
            plots.dots(ax, sizes, values, plots.look(arm[0].recipe.norm))
        ax.set(xscale="log", xlabel="batch size B (log scale)", title=title)
        ax.set_xticks(sizes, sizes)
        ax.xaxis.set_minor_locator(NullLocator())
    axes[0].set_ylabel("test accuracy (%)")
    axes[0].legend()
    return fig


def by_layer(drop: Runs) -> Figure:
    """The variance shift of each batch norm layer, for every rate and place of dropout."""
    batch, rates = normed(drop), sorted(drop.values("dropout"))
    settings = [(p, place) for place in PLACES for p in rates if p or place == "conv"]
    colours = dict(zip(rates, ("k", *plots.CYCLE), strict=False))
    fig, ax = plt.subplots(figsize=(plots.TEXT_WIDTH, 3.2))
    plots.scale(drop)
    for p, place in settings:
        behind = PLACES[place].removeprefix("behind the ").removesuffix(" layers")
        label = f"{behind}, p = {p:g}" if p else "no dropout"  # short, for the phone
        look = {"color": colours[p], "linestyle": "--" if place == "fc" else "-", "label": label}
        plots.seeds(ax, range(len(LAYERS)), shift(dropped(batch, p, place)), **look)
    ax.set_yscale("log")
    ax.set_ylim(0.8, None)
    ax.set_xticks(range(len(LAYERS)), LAYERS)
    ax.set_ylabel("variance in training / in evaluation")
    fig.legend(loc="outside lower center", ncols=2, fontsize=8)
    return fig
