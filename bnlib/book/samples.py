"""Grids of test pictures with what a network said of them.

A grid is drawn once, where the data set is, and kept as a small picture beside the record, so
that a clone without data sets shows it too.
"""

import io
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from bnlib import data
from bnlib.book import plots
from bnlib.paths import write_whole
from bnlib.records.store import Store
from bnlib.run import Run

ACROSS = 10  # pictures in a row
ROWS = 4  # of the first test pictures; one more row shows the first that are wrong


def grid(run: Run, store: Store) -> Path:
    """The picture for ``run`` (which needs the probe ``predictions``), drawn if it is not there."""
    return drawn_once(store.path_of(run.recipe).with_suffix(".png"), lambda: _draw(run))


def drawn_once(path: Path, draw: Callable[[], plt.Figure]) -> Path:
    """The picture at ``path``, drawn if it is not there, for a light page and a dark one."""
    if not path.exists():
        figure = draw()
        picture = io.BytesIO()
        metadata = {"Software": None}
        figure.savefig(picture, format="png", dpi=150, transparent=True, metadata=metadata)
        plt.close(figure)
        write_whole(path, picture.getvalue())
    return path


def _draw(run: Run) -> plt.Figure:
    found = data.load(run.recipe.dataset, run.recipe.image_size)
    predicted, true = run.arrays["predicted"], found.test.labels.numpy()
    wrong = np.flatnonzero(predicted != true)[:ACROSS]
    chosen = [*range(ACROSS * ROWS), *wrong]
    figure, axes = plt.subplots(
        ROWS + 1, ACROSS, figsize=(plots.TEXT_WIDTH, 5.0), layout="constrained"
    )
    for ax in axes.flat:
        ax.axis("off")
    for ax, number in zip(axes.flat, chosen, strict=False):
        pixels = found.test.images[number] * found.std + found.mean
        ax.imshow(pixels.clamp(0, 1).numpy().squeeze(), cmap="gray", vmin=0, vmax=1)
        said, truth = (found.classes[label] for label in (predicted[number], true[number]))
        right = said == truth
        ax.set_title(
            f"{said} ✓" if right else f"{said} ✗ ({truth})",
            color=plots.RIGHT if right else plots.WRONG,
            fontsize=10,
            pad=3,
        )
    return figure
