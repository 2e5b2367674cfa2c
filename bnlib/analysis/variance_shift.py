"""How far dropout moves the variance that batch norm sees (the probe "variance_shift")."""

import itertools

import numpy as np

from bnlib.run import Run, Runs


def shift(arm: Runs) -> np.ndarray:
    """Variance of each batch norm layer's input in training over that in evaluation, of the medians
    over its channels: (runs, layers)."""
    return np.array([_ratios(run) for run in arm])


def _ratios(run: Run) -> list[float]:
    layers = itertools.takewhile(lambda i: f"variance_train{i}" in run.arrays, itertools.count(1))
    return [
        float(np.median(run.arrays[f"variance_train{i}"]))
        / float(np.median(run.arrays[f"variance_eval{i}"]))
        for i in layers
    ]
