"""A run as a probe watches it, without a training loop."""

import torch
from torch.nn import functional as F

from bnlib import data, models
from bnlib.measure import Probe, Watched
from bnlib.recipe import Recipe

SMALLEST = {"width": 1 / 32, "activation": "relu", "dataset": "digits", "batch_size": 8}


def watched(recipe: Recipe, steps: int, dtype: torch.dtype = torch.float32) -> Watched:
    """The network as it is built; its step to come has the first of the digits."""
    digits, size = data.load("digits"), recipe.batch_size
    batch = digits.train.images[:size].to(dtype, copy=True), digits.train.labels[:size].clone()
    model = models.build(recipe).to(dtype)
    return Watched(recipe, model, digits, F.cross_entropy, steps, *batch)


def take(probe: Probe) -> None:
    """A sample, as the loop takes it."""
    with probe.prepared():
        probe.sample()
