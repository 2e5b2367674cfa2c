"""Ghost batch norm (Hoffer et al. 2017): a batch in parts, each normalised by its own statistics.

So the noise of small batches can be had beside the gradient of a large one.
"""

import torch
from torch import Tensor

from bnlib.norm.functional import normalise
from bnlib.norm.layers import BatchNorm


class GhostBatchNorm(BatchNorm):
    """Batch norm over ``images`` images at a time; what is left of a batch is a part of its own.

    The running averages take the parts' mean once a step, each part by its number of images."""

    called = "ghost batch norm"

    def __init__(self, num_features: int, images: int):
        super().__init__(num_features)
        if images < 2:
            raise ValueError(f"ghost batch norm needs parts of 2 images or more, not {images}")
        self.images = images

    def _by_batch(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts = x.split(self.images)
        if len(parts) == 1:
            return super()._by_batch(x)
        found = [normalise(part, self.weight, self.bias, self.eps) for part in parts]
        share = x.new_tensor([len(part) / len(x) for part in parts]).unsqueeze(1)
        outputs, means, variances = zip(*found, strict=True)
        mean, variance = ((torch.stack(of) * share).sum(0) for of in (means, variances))
        return torch.cat(outputs), mean, variance

    def extra_repr(self) -> str:
        return f"{self.num_features}, images={self.images}, eps={self.eps}"
