"""What the data sets look like: test images and the share of each class among the training images.

Drawn once, where the data sets are, and kept as a picture beside the records, so that a clone
without data sets shows it too.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image

from bnlib import data
from bnlib.book import plots
from bnlib.book.samples import drawn_once
from bnlib.catalogue import DATASETS
from bnlib.claims.controlled import SETS
from bnlib.errors import BookError
from bnlib.records.store import Store

ACROSS = 9  # test images in a row
NAME = "controlled_study/data_sets.png"
WIDTH = 700  # pixels on the page
INK = "#808080"  # for a light page and a dark one


def show(store: Store) -> Image:
    """The picture, drawn if it is not there."""
    path = drawn_once(store.root / NAME, lambda: _draw(_there()))
    return Image(filename=path, width=WIDTH)


def _there() -> dict[str, data.Data]:
    """The data sets that this machine has; small built-in ones where it has none."""
    found = {}
    for name in SETS:
        try:
            found[name] = data.load(name)
        except BookError:
            continue
    return found or {name: data.load(name) for name in ("digits", "shapes")}


def _draw(found: dict[str, data.Data]) -> plt.Figure:
    size = (plots.TEXT_WIDTH, 0.8 * len(found))
    ratios = [1] * ACROSS + [3]
    options = {"layout": "constrained", "squeeze": False}
    figure, axes = plt.subplots(
        len(found), ACROSS + 1, figsize=size, width_ratios=ratios, **options
    )
    for row, (name, one) in zip(axes, found.items(), strict=True):
        for ax, image in zip(row[:-1], one.test.images, strict=False):
            pixels = image * one.std + one.mean
            ax.imshow(pixels.clamp(0, 1).numpy().squeeze(), cmap="gray", vmin=0, vmax=1)
            ax.axis("off")
        row[0].set_title(DATASETS[name].label, loc="left", fontsize=9, color=INK)
        counts = np.bincount(one.train.labels.numpy(), minlength=len(one.classes))
        shares = 100 * np.sort(counts)[::-1] / counts.sum()
        row[-1].bar(range(len(shares)), shares, width=1, color=plots.CYCLE[0], linewidth=0)
        row[-1].axhline(100 / len(shares), color=INK, linestyle=":", linewidth=0.9)
        row[-1].set_xticks([])
        row[-1].tick_params(labelsize=8, colors=INK)
        row[-1].spines[:].set_color(INK)
    axes[0, -1].set_title("share of each class (%)", fontsize=8, color=INK)
    return figure
