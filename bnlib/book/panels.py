"""The small figures of the front page, each from one chapter's recorded runs."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from bnlib.analysis.learning import RUNNING
from bnlib.book import plots
from bnlib.claims.arms import arms
from bnlib.claims.outcomes import at_best_rate
from bnlib.claims.regularisers import RATE
from bnlib.run import Runs

SIZE = (3.4, 2.6)  # inches: half the text column, and a phone's whole width
Experiments = Mapping[str, Runs]


def _panel(runs: Runs) -> Axes:
    ax = plt.subplots(figsize=SIZE)[1]
    plots.scale(runs)
    return ax


def rates(lenet: Experiments) -> None:
    """Test accuracy of LeNet over the learning rate."""
    sweep = lenet["sweep"]
    ax = _panel(sweep)
    tried = sorted(sweep.values("lr"))
    for arm in arms(sweep):
        ends = [100 * arm.where(lr=lr).final("test_acc") for lr in tried]
        look = plots.look(arm[0].recipe.norm)
        ax.plot(tried, ends, "o", color=look["color"], alpha=0.5, markersize=3)
        ax.plot(tried, np.mean(ends, axis=1), **look)
    ax.set(xscale="log", xlabel="learning rate (log scale)", ylabel="test accuracy (%)")
    ax.set_xticks(tried[::2], [f"{lr:g}" for lr in tried[::2]])
    ax.xaxis.set_minor_locator(plt.NullLocator())
    ax.legend(loc="lower left")


def course(alexnet: Experiments) -> None:
    """Test accuracy of AlexNet over the epochs, each arm at its best rate."""
    ax = _panel(alexnet["main"])
    for arm in arms(alexnet["main"]):
        chosen = at_best_rate(arm, RUNNING)
        curves = 100 * chosen.history("test_acc")
        look = plots.look(chosen[0].recipe.norm)
        look["label"] += f", rate {chosen[0].recipe.lr:g}"
        plots.seeds(ax, np.arange(1, curves.shape[1] + 1), curves, **look)
    ax.set(xlabel="epoch", ylabel="test accuracy (%)")
    ax.legend(loc="lower right")


def band(vgg: Experiments) -> None:
    """The range of the loss along the gradient, over the training of one network of each arm."""
    ax = _panel(vgg["landscape"])
    for arm in reversed(arms(vgg["landscape"])):
        run, look = arm[0], plots.look(arm[0].recipe.norm)
        losses = run.arrays["gradient_losses"]
        low, high = losses.min(axis=1), losses.max(axis=1)
        shade = {"color": look["color"], "alpha": 0.45, "linewidth": 0.5}
        ax.fill_between(run.arrays["steps"], low, high, label=look["label"], **shade)
    ax.set(xlabel="step", ylabel="loss along the gradient", ylim=(0, 4))
    ax.legend(loc="upper right")


def dropped(alexnet: Experiments) -> None:
    """Test accuracy with batch norm over the epochs, by where dropout stands."""
    ax, batch = _panel(alexnet["dropout"]), arms(alexnet["dropout"])[0]
    plain = plots.look(batch[0].recipe.norm)
    places = {
        "no dropout": ({"dropout": 0.0}, "", "-"),
        "at the linear layers": ({"dropout": RATE, "dropout_at": "fc"}, "", "--"),
        "before BN": ({"dropout": RATE, "dropout_at": "conv"}, "", ":"),
        "before BN, precise": ({"dropout": RATE, "dropout_at": "conv"}, "_precise", "-."),
    }
    for name, (fields, how, dash) in places.items():
        curves = 100 * batch.where(**fields).history(f"test_acc{how}")
        look = plain | {"label": name, "linestyle": dash}
        plots.seeds(ax, np.arange(1, curves.shape[1] + 1), curves, **look)
    ax.set(xlabel="epoch", ylabel="test accuracy with BN (%)", ylim=(0, 75))
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.42), fontsize=8)
