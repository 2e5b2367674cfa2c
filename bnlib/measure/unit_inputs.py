"""Ioffe & Szegedy's Figure 1: the input of one typical unit's activation over training.

15, 50 and 85 % quantiles over a fixed set of validation images, for the activations of the last
hidden layer: as they reach the activation (after normalisation, by the images' own statistics),
and before normalisation. Sampled at steps that grow more and more apart.
"""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.data import as_input
from bnlib.measure.probe import Probe, Watched, own_draws

QUANTILES = (0.15, 0.5, 0.85)
IMAGES = 1000  # of the validation part
SAMPLES = 120  # moments of the run


class UnitInputs(Probe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        moments = np.geomspace(1, watched.steps, SAMPLES).round() - 1
        self.moments = sorted({int(m) for m in moments})
        self.due = set(self.moments)
        self.after: list[Tensor] = []
        self.before: list[Tensor] = []

    @torch.no_grad()
    def step(self, step: int) -> None:
        if step not in self.due:
            return
        twin = copy.deepcopy(self.watched.model).train()
        seen: dict[str, Tensor] = {}

        def keep(name: str):
            return lambda layer, inputs, output: seen.__setitem__(name, output)

        linear = [m for m in twin.modules() if isinstance(m, nn.Linear)][-2]
        activation = [m for m in twin.modules() if isinstance(m, nn.Sigmoid | nn.Tanh | nn.ReLU)][
            -1
        ]
        linear.register_forward_hook(keep("before"))
        activation.register_forward_pre_hook(
            lambda layer, inputs: keep("after")(layer, None, inputs[0])
        )
        images = as_input(self.watched.data.val.images[:IMAGES])
        with own_draws(images):
            twin(images)
        levels = torch.tensor(QUANTILES, device=seen["after"].device)
        self.before.append(torch.quantile(seen["before"], levels, dim=0))
        self.after.append(torch.quantile(seen["after"], levels, dim=0))

    def result(self) -> dict[str, np.ndarray]:
        def stack(moments: list[Tensor]) -> np.ndarray:  # (moments, quantiles, units)
            return torch.stack(moments).cpu().numpy().astype(np.float16)

        return {
            "steps": np.array(self.moments[: len(self.after)]),
            "unit_after": stack(self.after),
            "unit_before": stack(self.before),
        }
