"""The variance that each batch norm layer sees in training against the one in evaluation.

Dropout in front of a batch norm layer raises the variance of its input while it is active; the
running averages learn that variance and meet a smaller one when dropout is off (Li et al. 2019).
Taken once, after the last epoch, over a fixed set of training images.
"""

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
        training = _input_variances(self.watched.model, images, training=True)
        evaluation = _input_variances(self.watched.model, images, training=False)
        return {
            f"variance_{mode}{place}": values.cpu().numpy()
            for mode, found in (("train", training), ("eval", evaluation))
            for place, values in enumerate(found, start=1)
        }


@torch.no_grad()
def _input_variances(model: nn.Module, images: Tensor, training: bool) -> list[Tensor]:
    """Per batch norm layer the variance of each channel of its input, on a copy of ``model``."""
    twin = twin_of(model, training)
    seen: list[Tensor] = []
    for layer in averaging(twin):
        layer.register_forward_pre_hook(lambda layer, inputs: seen.append(_variance(inputs[0])))
    twin(images)
    return seen


def _variance(x: Tensor) -> Tensor:
    return x.var(dim=[axis for axis in range(x.dim()) if axis != 1], correction=0)
