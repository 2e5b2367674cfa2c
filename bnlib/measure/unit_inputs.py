"""Ioffe & Szegedy's Figure 1: the input of one typical unit's activation over training.

15, 50 and 85 % quantiles over a fixed set of validation images, for the activations of the last
hidden layer: as they reach the activation (after normalisation, by the images' own statistics),
and before normalisation. Sampled at steps that grow more and more apart.
"""

import numpy as np
import torch
from torch import nn

from bnlib.data import as_input
from bnlib.measure.probe import Probe, Watched
from bnlib.measure.rows import Rows
from bnlib.models.twin import twin_of

QUANTILES = (0.15, 0.5, 0.85)
IMAGES = 1000  # of the validation part
SAMPLES = 120  # moments of the run


class UnitInputs(Probe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        moments = np.geomspace(1, watched.steps, SAMPLES).round() - 1
        self.moments = sorted({int(m) for m in moments})
        weight = _last_hidden(watched.model)[0].weight.detach()
        shape = len(QUANTILES), len(weight)
        self.rows = Rows(len(self.moments), weight, unit_after=shape, unit_before=shape)
        self.levels = torch.tensor(QUANTILES, device=weight.device)

    def due(self, step: int) -> bool:
        return step in self.moments

    @torch.no_grad()
    def sample(self) -> None:
        twin, seen = twin_of(self.watched.model, training=True), {}
        linear, activation = _last_hidden(twin)
        linear.register_forward_hook(lambda _, inputs, output: seen.update(unit_before=output))
        activation.register_forward_pre_hook(lambda _, inputs: seen.update(unit_after=inputs[0]))
        twin(as_input(self.watched.data.val.images[:IMAGES]))
        quantiles = {name: torch.quantile(x, self.levels, dim=0) for name, x in seen.items()}
        self.rows.write(**quantiles)

    def result(self) -> dict[str, np.ndarray]:
        """``steps`` (S,); ``unit_after`` and ``unit_before`` (S, quantiles, units)."""
        found = {name: rows.astype(np.float16) for name, rows in self.rows.read().items()}
        return {"steps": np.array(self.moments[: len(found["unit_after"])])} | found


def _last_hidden(model: nn.Module) -> tuple[nn.Linear, nn.Module]:
    """The last hidden linear layer and the activation behind it."""
    linear = [m for m in model.modules() if isinstance(m, nn.Linear)]
    activations = [
        m for m in model.modules() if isinstance(m, nn.Sigmoid | nn.Tanh | nn.ReLU | nn.ELU)
    ]
    return linear[-2], activations[-1]
