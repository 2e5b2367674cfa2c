"""The learned scale and shift of every normalised channel."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from bnlib.book import plots
from bnlib.run import Runs

START = {"gamma": 1, "beta": 0}


def channels(arm: Runs, layers: tuple[str, ...]) -> Figure:
    """A dot for each channel and run, a bar at each layer's median (the probe ``affine``)."""
    fig, axes = plt.subplots(1, 2, sharex=True)
    plots.scale(arm)
    places = np.arange(1, len(layers) + 1)
    rng = np.random.default_rng(0)  # the dots of a layer lie side by side
    for ax, (symbol, start) in zip(axes, START.items(), strict=True):
        for place in places:
            values = arm.array(f"{symbol}{place}").ravel()
            apart = place + rng.uniform(-0.25, 0.25, len(values))
            look = {"color": plots.COLOUR["batch"], "markersize": 3, "alpha": 0.35}
            ax.plot(apart, values, ".", **look)
            ax.plot([place - 0.3, place + 0.3], [np.median(values)] * 2, "k")
        ax.axhline(start, color="#777777", linewidth=0.9, linestyle=":")
        ax.set_title(rf"$\{symbol}$ after training")
        ax.set_xticks(places, layers)
    axes[0].set_ylabel("value of a channel")
    plt.close(fig)
    return fig
