"""How far apart the network's outputs are for different images: at the start and per epoch.

A network whose logits hardly depend on the image cannot tell images apart, whatever its loss. The
statistics are those that training would use: batch norm in training mode, by the images' own.
"""

import numpy as np
import torch
from torch import Tensor

from bnlib.data import as_input
from bnlib.measure.probe import Probe, Watched
from bnlib.models.twin import twin_of

IMAGES = 1000  # of the validation part


class Logits(Probe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.spreads: list[Tensor] = []
        self.epoch(0)

    @torch.no_grad()
    def epoch(self, epoch: int) -> None:
        # the spread over images, not over masks
        twin = twin_of(self.watched.model, training=True, dropout=False)
        logits = twin(as_input(self.watched.data.val.images[:IMAGES])).double()  # (N, K)
        self.spreads.append(logits.std(0, correction=0).square().mean().sqrt())

    def result(self) -> dict[str, np.ndarray]:
        """``logit_spread``, (epochs + 1,): root mean square over classes of the standard deviation
        over images."""
        return {"logit_spread": torch.stack(self.spreads).cpu().numpy()}
