"""What a probe is: hooks that the training loop calls between steps, and arrays at the end.

Before each step the loop asks whether a sample is due, and if so takes it::

    if probe.due(step):
        with probe.prepared():
            probe.sample()  # or the replay of the CUDA graph it was captured in
    probe.keep(step)

What ``captures`` may be made a graph, also inside ``prepared()``. The graph has to know of
``changed()``, so that a warm-up can be taken back, and of the generators in ``noise()``.
"""

import contextlib
from collections.abc import Iterator
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


class Probe:
    """Does nothing; a probe overrides the hooks it needs."""

    captures = False  # whether ``sample`` is the same work on the same memory each time

    def __init__(self, watched: Watched):
        self.watched = watched

    def due(self, step: int) -> bool:
        """Whether to sample before step ``step`` (counted from 0), its batch in the buffers."""
        return False

    def prepared(self) -> contextlib.AbstractContextManager[None]:
        """What the host has to do around a sample, its capture and each of its replays."""
        return contextlib.nullcontext()

    def sample(self) -> None:
        """On the device alone: nothing is read by the host."""

    def keep(self, step: int) -> None:
        """Before every step, behind its sample: copies of what the step will overwrite, on the
        device alone, for a sample that looks back."""

    def changed(self) -> Iterator[Tensor]:
        """Every tensor that ``sample`` writes to and that was there before."""
        return iter(())

    def noise(self) -> list[torch.Generator]:
        """The generators that ``sample`` draws from."""
        return []

    def epoch(self, epoch: int) -> None:
        """After epoch ``epoch`` (counted from 1) and its evaluation."""

    def result(self) -> dict[str, np.ndarray]:
        """The arrays to record, of what was seen until now; here the device is read."""
        return {}
