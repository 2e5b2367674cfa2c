"""The variance that each batch norm layer sees in training against the one in evaluation.

Dropout in front of a batch norm layer raises the variance of its input while it is active; the
running averages learn that variance and meet a smaller one when dropout is off (Li et al. 2019).
Taken once, after the last epoch, over a fixed set of training images.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.data import as_input
from bnlib.measure.probe import Probe
from bnlib.models.twin import twin_of
from bnlib.training.precise import averaging

IMAGES = 2000  # of the training part


class VarianceShift(Probe):
    def result(self) -> dict[str, np.ndarray]:
        images = as_input(self.watched.data.train.images[:IMAGES])
        found = {}
        for mode in ("train", "eval"):
            twin = twin_of(self.watched.model, training=mode == "train")
            variances = input_variances(twin, lambda twin=twin: twin(images)).values()
            for place, values in enumerate(variances, start=1):
                found[f"variance_{mode}{place}"] = values.cpu().numpy()
        return found


@torch.no_grad()
def input_variances(model: nn.Module, forward: Callable[[], Any]) -> dict[str, Tensor]:
    """Per layer with running averages, in the order of their first use in ``forward``, the variance
    of each channel of its input."""
    names = {layer: name for name, layer in model.named_modules()}
    seen: dict[str, Tensor] = {}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.setdefault(names[layer], _variance(inputs[0]))

    hooks = [layer.register_forward_pre_hook(note) for layer in averaging(model)]
    try:
        forward()
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _variance(x: Tensor) -> Tensor:
    return x.var(dim=[axis for axis in range(x.dim()) if axis != 1], correction=0)
