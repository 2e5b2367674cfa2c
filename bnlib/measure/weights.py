"""The size of every weight matrix after each epoch, and how far it has moved from its start."""

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.measure.probe import Probe, Watched


class Weights(Probe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.layers = [
            m.weight for m in watched.model.modules() if isinstance(m, nn.Conv2d | nn.Linear)
        ]
        self.start = [w.detach().clone() for w in self.layers]
        self.norms: list[Tensor] = []
        self.moved: list[Tensor] = []
        self.epoch(0)

    @torch.no_grad()
    def epoch(self, epoch: int) -> None:
        pairs = list(zip(self.layers, self.start, strict=True))
        self.norms.append(torch.stack([w.norm() for w, _ in pairs]))
        self.moved.append(torch.stack([(w - first).norm() for w, first in pairs]))

    def result(self) -> dict[str, np.ndarray]:
        """(epochs + 1, layers) each: Euclidean norms and distances, at the start and per epoch."""
        return {
            "weight_norms": torch.stack(self.norms).cpu().numpy(),
            "weights_moved": torch.stack(self.moved).cpu().numpy(),
        }
