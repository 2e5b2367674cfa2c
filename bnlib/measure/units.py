"""What the units of every layer do over training: how many never answer, how many sit where their
activation is flat, and how long the gradient is that reaches each layer's weights.

Looked at on the same validation images at the start and after every epoch. The network is in
training mode: batch norm by the images' own statistics, dropout on. A unit is a channel of a
convolution or a unit of a linear layer, its answers those to all images, at all positions.
"""

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.data import as_input
from bnlib.measure.probe import Probe, Watched
from bnlib.models.layers import ACTIVATIONS
from bnlib.models.twin import twin_of

IMAGES = 500  # of the validation part
FLAT = {nn.Sigmoid: (0.03, 0.97), nn.Tanh: (-0.97, 0.97)}  # saturated outside


class Units(Probe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        split = watched.data.val
        self.images, self.labels = split.images[:IMAGES], split.labels[:IMAGES]
        self.dead: list[Tensor] = []
        self.saturated: list[Tensor] = []
        self.gradients: list[Tensor] = []
        self.epoch(0)

    def epoch(self, epoch: int) -> None:
        twin = twin_of(self.watched.model, training=True)
        dead, saturated = [], []

        def look(activation: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
            low, high = FLAT.get(type(activation), (-torch.inf, torch.inf))
            answers = output.detach().transpose(0, 1).flatten(1)  # (units, answers)
            dead.append((answers == 0).all(1).float().mean())
            saturated.append(((answers < low) | (answers > high)).float().mean())

        for layer in twin.modules():
            if isinstance(layer, tuple(ACTIVATIONS.values())):
                layer.register_forward_hook(look)
        weights = [m.weight for m in twin.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        with torch.enable_grad():
            loss = self.watched.criterion(twin(as_input(self.images)).float(), self.labels)
            found = torch.autograd.grad(loss, weights)
        self.dead.append(torch.stack(dead))
        self.saturated.append(torch.stack(saturated))
        self.gradients.append(torch.stack([g.norm() for g in found]))

    def result(self) -> dict[str, np.ndarray]:
        """At the start and per epoch, E + 1 rows; L activations, W weight layers; float32.

        ``units_dead`` (E + 1, L) share of the units that answer 0 to all images, and
        ``units_saturated`` (E + 1, L) share of the answers of a sigmoid or tanh in its flat ends;
        ``units_gradients`` (E + 1, W) length of the loss's gradient by each layer's weights."""
        seen = {"dead": self.dead, "saturated": self.saturated, "gradients": self.gradients}
        return {f"units_{name}": torch.stack(rows).cpu().numpy() for name, rows in seen.items()}
