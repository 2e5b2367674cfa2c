"""Figures of the controlled study's page."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bnlib.analysis.learning import PRECISE, RUNNING, accuracy, column
from bnlib.book import plots
from bnlib.book.study_duels import Duel, duels, every_size
from bnlib.claims.arms import arms
from bnlib.claims.controlled import RULES
from bnlib.claims.regularising import parts_of
from bnlib.run import Runs, joined

SHADES = ("#0072B2", "#009E73", "#CC79A7")  # of batch norm over ever smaller parts


def scoreboard(runs: Mapping[str, Runs]) -> Figure:
    """A row a duel: batch norm − none with its interval, and what the source's plots show. Above
    where both networks learn, below where no plain run does."""
    found = duels(runs)
    titles = {False: "both networks learn", True: "no plain run learns"}
    groups = {titles[stuck]: [d for d in found if d.stuck == stuck] for stuck in titles}
    groups = {title: some for title, some in groups.items() if some}
    ratios = [len(some) + 1 for some in groups.values()]
    fig, axes = plt.subplots(
        len(groups), 1, squeeze=False, height_ratios=ratios, figsize=(plots.TEXT_WIDTH, 5.2)
    )
    plots.scale(joined(*(arm for duel in found for arm in (duel.batch, duel.none))))
    for ax, (title, some) in zip(axes[:, 0], groups.items(), strict=True):
        _rows(ax, some)
        ax.set_title(title)
    axes[-1, 0].set_xlabel("test accuracy, batch norm − none (points)")
    axes[0, 0].legend(loc="lower right")
    return fig


def _rows(ax: Axes, some: list[Duel]) -> None:
    ours = {"fmt": "o", "color": plots.COLOUR["batch"], "capsize": 3, "markersize": 5}
    theirs = {"mfc": "none", "color": "#555555", "markersize": 6, "linestyle": ""}
    read = [(d.read, y) for y, d in enumerate(reversed(some)) if d.read is not None]
    ax.plot(*zip(*read, strict=True), "D", label="S1, read off its plots", **theirs)
    for height, duel in enumerate(reversed(some)):
        low, high = duel.finding.interval()
        whisker = np.nan_to_num([[duel.finding.value - low], [high - duel.finding.value]])
        label = "ours, 95 % interval" if height == 0 else None
        ax.errorbar(duel.finding.value, height, xerr=whisker, label=label, **ours)
    ax.set_yticks(range(len(some)), [duel.name for duel in reversed(some)])
    ax.set_ylim(-0.6, len(some) - 0.4)
    ax.axvline(0, color="#777777", linewidth=0.9)


def extremes(runs: Mapping[str, Runs]) -> Figure:
    """Validation accuracy over the epochs with sigmoids, at ten times the rate, from N(0, 1)."""
    batch, _ = arms(runs["cnn"])
    fig, axes = plt.subplots(1, 3, sharey=True, figsize=(plots.TEXT_WIDTH, 3.1))
    plots.scale(joined(*(runs[name] for name in ("sigmoid", "fast", "normal"))))
    panels = {"sigmoids": "sigmoid", "learning rate 0.1": "fast", "weights from N(0, 1)": "normal"}
    for ax, (title, name) in zip(axes, panels.items(), strict=True):
        usual = 100 * batch.history(column(batch, "val_acc", RUNNING)).mean(axis=0)
        ax.plot(_epochs(batch), usual, color="#999999", linestyle=":", label="BN, baseline")
        lines = [(arm, plots.look(norm)) for norm, arm in runs[name].by("norm").items()]
        if name == "fast":
            look = {"color": plots.CYCLE[1], "linestyle": "--", "label": "no norm, clipped"}
            lines.append((runs["clipped"], look))
        if name == "normal":
            look = {"color": plots.CYCLE[0], "linestyle": "--", "label": "BN, rates undone"}
            lines.append((runs["rescaled"].where(layer_rates="start"), look))
        for arm, look in lines:
            _learning(ax, arm, look)
        ax.set(xlabel="epoch", title=title, ylim=(0, None))
    axes[0].set_ylabel("validation accuracy (%)")
    named = {
        name: line
        for ax in axes
        for line, name in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    fig.legend(named.values(), named, loc="outside lower center", ncols=3, fontsize=9)
    return fig


def _epochs(arm: Runs) -> np.ndarray:
    return np.arange(1, max(run.recipe.epochs for run in arm) + 1)


def _learning(ax: Axes, arm: Runs, look: dict) -> None:
    if len(arm):
        plots.seeds(ax, _epochs(arm), 100 * arm.history(column(arm, "val_acc", RUNNING)), **look)


def by_rate(rates: Runs) -> Figure:
    """The MLP's test accuracy at the end against the learning rate."""
    fig, ax = plt.subplots()
    plots.scale(rates)
    for arm in reversed(arms(rates)):
        there = sorted(arm.values("lr"))
        values = [np.nan_to_num(accuracy(arm.where(lr=lr), RUNNING)) for lr in there]
        plots.dots(ax, there, values, plots.look(arm[0].recipe.norm))
    ax.set(xscale="log", xlabel="learning rate (log scale)", ylabel="test accuracy (%)")
    ax.legend()
    return fig


def by_size(runs: Mapping[str, Runs]) -> Figure:
    """The MLP's accuracy against the batch size, under both rules for the rate."""
    fig, axes = plt.subplots(1, 2, sharey=True)
    plots.scale(runs["sizes"])
    shown = {"sizes": every_size(runs), "scaled": runs["scaled"]}
    for ax, (name, title) in zip(axes, RULES.items(), strict=True):
        for norm, arm in shown[name].by("norm").items():
            sizes = sorted(arm.values("batch_size"))
            values = [np.nan_to_num(accuracy(arm.where(batch_size=b), RUNNING)) for b in sizes]
            plots.dots(ax, sizes, values, plots.look(norm))
        ax.set(xscale="log", xlabel="batch size B (log scale)", title=title)
        ticks = [b for b in sorted(shown["sizes"].values("batch_size")) if b not in (64, 256)]
        ax.set_xticks(ticks, ticks)
        ax.xaxis.set_minor_locator(NullLocator())
    axes[0].set_ylabel("test accuracy (%)")
    axes[0].legend()
    return fig


def units(runs: Mapping[str, Runs]) -> Figure:
    """Saturated answers of sigmoids and dead ReLUs, layer by layer, after the last epoch."""
    fig, axes = plt.subplots(1, 3, sharey=True)
    panels = (
        ("sigmoid", "saturated", "sigmoids: saturated"),
        ("cnn", "dead", "ReLUs at 0.01: dead"),
        ("fast", "dead", "ReLUs at 0.1: dead"),
    )
    plots.scale(joined(*(runs[name] for name, *_ in panels)))
    for ax, (name, what, title) in zip(axes, panels, strict=True):
        for norm, arm in runs[name].by("norm").items():
            rows = 100 * np.nan_to_num(_at_end(arm, f"units_{what}"))
            plots.seeds(ax, np.arange(1, rows.shape[1] + 1), rows, **plots.look(norm))
        ax.set(xlabel="layer", title=title)
    axes[0].set_ylabel("share of units or outputs (%)")
    axes[0].legend(fontsize=8)
    return fig


def _at_end(arm: Runs, name: str) -> np.ndarray:
    """Of each run the last look at its layers: (runs, layers)."""
    return np.stack([run.arrays[name][-1] for run in arm])


def gradients(runs: Mapping[str, Runs]) -> Figure:
    """Length of the gradient by each layer's weights, at the start and at the end."""
    fig, axes = plt.subplots(1, 2, sharey=True)
    plots.scale(joined(runs["cnn"], runs["sigmoid"]))
    for name, dash in (("cnn", "-"), ("sigmoid", "--")):
        for arm in reversed(arms(runs[name])):
            look = plots.look(arm[0].recipe.norm)
            look |= {"linestyle": dash, "label": f"{look['label']}, {_activation(arm)}"}
            ends = (arm.array("units_gradients")[:, 0], _at_end(arm, "units_gradients"))
            for ax, rows in zip(axes, ends, strict=True):
                plots.seeds(ax, np.arange(1, rows.shape[1] + 1), rows, **look)
    for ax, title in zip(axes, ("at the start", "after the last epoch"), strict=True):
        ax.set(yscale="log", xlabel="layer", title=title)
    axes[0].set_ylabel("length of the gradient (log scale)")
    axes[1].legend(fontsize=8)
    return fig


def _activation(arm: Runs) -> str:
    return {"relu": "ReLU"}.get(arm[0].recipe.activation, arm[0].recipe.activation)


def matched(runs: Mapping[str, Runs]) -> Figure:
    """Test accuracy against training loss, epoch by epoch, of the MLP at batches of 256 with and
    without BN, and over parts of the batch; and of the CNN."""
    ghost = runs["ghost"]
    batch, none = arms(ghost)
    looks = [(none, plots.look("none"))]
    for colour, parts in zip(SHADES, (0, *reversed(parts_of(ghost))), strict=False):
        label = f"BN over {parts}" if parts else "BN over all 256"
        looks.append((batch.where(ghost=parts), {"color": colour, "label": label}))
    cnn = [(arm, plots.look(arm[0].recipe.norm)) for arm in reversed(arms(runs["cnn"]))]
    fig, axes = plt.subplots(1, 2)
    plots.scale(joined(ghost, runs["cnn"]))
    for ax, lines, title in zip(axes, (looks, cnn), ("MLP, B = 256", "deep CNN"), strict=True):
        for arm, look in lines:
            accuracies = 100 * arm.history(column(arm, "test_acc", PRECISE)).mean(axis=0)
            ax.plot(arm.history("train_loss").mean(axis=0), accuracies, marker="o", ms=3, **look)
        ax.set(xlabel="training loss", title=title)
        ax.invert_xaxis()
        ax.legend(fontsize=8)
    axes[0].set_ylabel("test accuracy (%)")
    return fig
