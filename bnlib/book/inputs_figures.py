"""The figures of the layers' inputs: their distributions over training, how far they travel."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from bnlib.analysis import layer_inputs
from bnlib.book import plots
from bnlib.book.landscape_figures import WIDTH
from bnlib.claims.arms import arms
from bnlib.run import Runs


def bands(some: Runs, layer: str, norms: tuple[str, ...], looks: int | None = None) -> None:
    """What reaches the activation of one unit of ``layer``, first seed: median and two bands, a
    panel for each norm; of the last ``looks`` looks, or all."""
    fig, axes = plt.subplots(
        len(norms), 1, figsize=(WIDTH, 0.6 + 1.25 * len(norms)), sharex=True, squeeze=False
    )
    for ax, norm in zip(axes[:, 0], norms, strict=True):
        run, look = some.where(norm=norm)[0], plots.look(norm)
        place = run.arrays["inputs_layers"].tolist().index(layer)
        steps = run.arrays["inputs_steps"][-(looks or 0) :]
        q = run.arrays["inputs_after_quantiles"][-(looks or 0) :, place].T
        for low, high, alpha in ((0, -1, 0.2), (1, -2, 0.35)):
            ax.fill_between(steps, q[low], q[high], color=look["color"], alpha=alpha, linewidth=0)
        ax.plot(steps, q[len(q) // 2], color=look["color"], linewidth=1.4)
        ax.set_title(look["label"], loc="left", color=look["color"], fontsize=10, pad=2)
    axes[-1, 0].set_xlabel("training step")
    fig.supylabel(f"input of a unit's activation, {layer}", fontsize=10)
    plots.scale(some)


def by_layer(main: Runs) -> None:
    """How far the inputs travel in one step, layer by layer: with batch norm before and after it,
    and without."""
    _, ax = plt.subplots(figsize=(WIDTH, 3.2))
    batch, none = arms(main)
    names = none[0].arrays["inputs_layers"].tolist()
    lines = {
        "no norm": (none, "after", "-"),
        "batch norm, before it": (batch, "before", (0, (4, 2))),
        "batch norm, after it": (batch, "after", "-"),
    }
    for name, (arm, place, dash) in lines.items():
        values = np.nanmedian(layer_inputs.travelled(arm, place), axis=1)  # (runs, layers)
        look = plots.look(arm[0].recipe.norm) | {"label": name, "linestyle": dash}
        plots.seeds(ax, np.arange(len(names)), values, **look)
    ax.set(yscale="log", ylabel="distance travelled in a step,\nin spreads (log scale)")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_minor_formatter(plt.NullFormatter())
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
    ax.legend(loc="best")
