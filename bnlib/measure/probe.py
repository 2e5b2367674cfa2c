"""What a probe is: hooks that the training loop calls between steps, and arrays at the end."""

import contextlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.data import Data
from bnlib.recipe import Recipe
from bnlib.training.evaluate import Criterion


@dataclass(frozen=True)
class Watched:
    """The run that a probe watches. A probe reads it and leaves every bit as it was."""

    recipe: Recipe
    model: nn.Module
    data: Data
    criterion: Criterion
    steps: int  # of the whole run
    images: Tensor  # (B, H, W, C) and ...
    labels: Tensor  # ... (B,) of the step to come: fixed buffers, filled anew for each


def own_draws(images: Tensor) -> contextlib.AbstractContextManager:
    """Where a probe runs a copy in training mode: dropout's draws leave the run's noise alone."""
    return torch.random.fork_rng([images.device] if images.is_cuda else [])


class Probe:
    """Does nothing; a probe overrides the hooks it needs."""

    def __init__(self, watched: Watched):
        self.watched = watched

    def step(self, step: int) -> None:
        """Before step ``step`` (counted from 0), its batch in the buffers."""

    def epoch(self, epoch: int) -> None:
        """After epoch ``epoch`` (counted from 1) and its evaluation."""

    def result(self) -> dict[str, np.ndarray]:
        """The arrays to record."""
        return {}
