"""Figures of the AlexNet page over the epochs: three learning rates, the plateau, starts, decay."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnlib.analysis.course import effective_rate, travelled
from bnlib.analysis.learning import PRECISE, RUNNING, best, column
from bnlib.book import plots
from bnlib.run import Runs

STARTS = {"default": "default", "xavier": "Xavier", "he": "He", "normal": "N(0, 1)"}
CHANCE = 90  # percent of errors
CEILING = 98  # just above chance


def normed(runs: Runs) -> Runs:
    """The arm with batch norm, ours or PyTorch's."""
    return runs.where(norm=next(norm for norm in runs.values("norm") if norm != "none"))


def arms(runs: Runs) -> tuple[Runs, Runs]:
    """The arm without norm, and that with batch norm."""
    return runs.where(norm="none"), normed(runs)


def epochs_of(arm: Runs) -> np.ndarray:
    return np.arange(1, max(run.recipe.epochs for run in arm) + 1)


def errors(arm: Runs, how: str = RUNNING) -> np.ndarray:
    """Test error in percent: (runs, epochs)."""
    return 100 - 100 * arm.history(column(arm, "test_acc", how))


def by_rate(main: Runs) -> Figure:
    """A panel for each learning rate: both arms, batch norm under both evaluations."""
    rates = sorted(main.values("lr"))
    fig, axes = plt.subplots(1, len(rates), sharey=True, squeeze=False)
    plots.scale(main)
    for ax, lr in zip(axes[0], rates, strict=True):
        for arm in arms(main.where(lr=lr)):
            look = plots.look(arm[0].recipe.norm)
            plots.seeds(ax, epochs_of(arm), errors(arm), **look)
        precise = errors(arm, PRECISE).mean(axis=0)
        label = look["label"] + ", precise"
        ax.plot(epochs_of(arm), precise, color=look["color"], linestyle=":", label=label)
        plots.reference(ax, CHANCE, "chance", x=0.05)
        ax.set(xlabel="epoch", title=f"learning rate {lr:g}")
    axes[0, 0].set_ylabel("test error (%)")
    axes[0, 0].set_ylim(top=CEILING)
    axes[0, -1].legend(loc="center right", bbox_to_anchor=(1, 0.72))
    return fig


def plateau(main: Runs, starts: Runs) -> Figure:
    """Training loss, and how far the weights have come: without norm at its smallest and its best
    rate and from Xavier's start, and with batch norm."""
    plain, batch = (arm.where(lr=best(arm, "lr", RUNNING)) for arm in arms(main))
    slow = main.where(norm="none", lr=min(main.values("lr")))
    dashed = plots.look("none") | {"linestyle": "--"}
    shown = [(slow, dashed), (plain, plots.look("none"))]
    shown += [(starts.where(init="xavier"), {"color": plots.CYCLE[0]})]
    shown += [(batch, plots.look(batch[0].recipe.norm))]
    fig, (loss, distance) = plt.subplots(1, 2)
    plots.scale(main)
    for arm, look in shown:
        look = look | {"label": name_of(arm)}
        plots.seeds(loss, epochs_of(arm), arm.history("train_loss"), **look)
        moved = travelled(arm)
        plots.seeds(distance, np.arange(moved.shape[1]), moved, **look)
    plots.reference(loss, np.log(10), "guessing: ln 10", x=0.45)
    loss.set(xlabel="epoch", ylabel="training loss")
    distance.set(xlabel="epoch", ylabel="distance moved / initial length")
    distance.legend()
    return fig


def name_of(arm: Runs) -> str:
    """Such as "no norm, Xavier, 0.1"."""
    recipe = arm[0].recipe
    start = [STARTS[recipe.init]] * (recipe.init != "default")
    return ", ".join([plots.NAME[recipe.norm], *start, f"{recipe.lr:g}"])


def by_start(inits: Runs) -> Figure:
    """Test error from each initialisation, without norm and with it."""
    fig, axes = plt.subplots(1, 2, sharey=True)
    plots.scale(inits)
    for ax, runs in zip(axes, arms(inits), strict=True):
        for (init, arm), colour in zip(runs.by("init").items(), plots.CYCLE, strict=False):
            plots.seeds(ax, epochs_of(arm), errors(arm), color=colour, label=STARTS[init])
        _error_axes(ax, plots.NAME[runs[0].recipe.norm])
    axes[0].set(ylabel="test error (%)", ylim=(None, CEILING))
    axes[1].legend(loc="upper right", bbox_to_anchor=(1, 0.87))
    return fig


def _error_axes(ax: Axes, title: str) -> None:
    ax.set(xlabel="epoch", title=title)
    plots.reference(ax, CHANCE, "chance", x=0.02)


def longest(decay: Runs) -> Runs:
    """The runs with batch norm that last longest."""
    return normed(decay).where(epochs=max(decay.values("epochs")))


def by_decay(decay: Runs) -> Figure:
    """Effective rate, relative to its start, and training loss, with batch norm: the longest
    runs."""
    fig, (rate, loss) = plt.subplots(1, 2)
    some = longest(decay)
    plots.scale(some)
    strengths = some.by("weight_decay")
    for colour, (strength, arm) in zip(plots.CYCLE, sorted(strengths.items()), strict=False):
        look = {"color": colour, "label": f"λ = {strength:g}"}
        effective = effective_rate(arm)
        plots.seeds(rate, np.arange(effective.shape[1]), effective / effective[:, :1], **look)
        plots.seeds(loss, epochs_of(arm), arm.history("train_loss"), **look)
    rate.set(xlabel="epoch", ylabel="effective learning rate, start = 1")
    loss.set(xlabel="epoch", ylabel="training loss")
    rate.legend()
    return fig
