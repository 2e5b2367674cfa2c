"""What source S3 took for the smoothness: how far the last layer's gradient, as the training
computes it, is from that of the next step, which has other weights and another batch.

Beside each sample of the landscape, before step s: the gradients of the steps s and s + 1 are there
before the steps s + 1 and s + 2, so the probe looks three times.
"""

import numpy as np
import torch
from torch import nn

from bnlib.measure.probe import Probe, Watched
from bnlib.measure.rows import Rows


class Consecutive(Probe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.every = watched.recipe.probe_every
        layers = [m for m in watched.model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        self.last = layers[-1].weight
        self.weight, self.gradient = (torch.zeros_like(self.last).detach() for _ in range(2))
        self.looks = [step for step in range(watched.steps) if self.due(step)]
        self.rows = Rows(len(self.looks), self.weight, change=(), move=())

    def due(self, step: int) -> bool:
        return step % self.every <= 2

    @torch.no_grad()
    def sample(self) -> None:
        """How far gradient and weights are from those of the look before."""
        weight, gradient = self.last, self.last.grad
        if gradient is None:  # before the first step
            gradient = self.gradient
        change, move = (gradient - self.gradient).norm(), (weight - self.weight).norm()
        self.rows.write(change=change, move=move)
        self.weight.copy_(weight)
        self.gradient.copy_(gradient)

    def result(self) -> dict[str, np.ndarray]:
        """``consecutive_changes`` and ``consecutive_moves`` (S,): how far the last layer's gradient
        and weights are from those of the next step; NaN where the run ended before."""
        found = self.rows.read()
        row = {step: place for place, step in enumerate(self.looks[: len(found["move"])])}
        starts = [step for step in row if step % self.every == 0]

        def later(name: str, steps: int) -> np.ndarray:
            values = np.full(len(starts), np.nan, found[name].dtype)
            for place, step in enumerate(starts):
                if step + steps in row:
                    values[place] = found[name][row[step + steps]]
            return values

        return {
            "consecutive_changes": later("change", 2),
            "consecutive_moves": later("move", 1),
        }
