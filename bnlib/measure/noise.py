"""What noise injected behind the norms does at test time: the test set once more, with it on.

After each epoch, on a copy of the network in evaluation mode but for the noise, which it draws for
every batch of images. Batch norm by its running averages, which training took under noise, and by
precise statistics, here estimated under noise too.
"""

import numpy as np
import torch
from torch import Tensor

from bnlib.measure.probe import Probe, Watched
from bnlib.models.injected import InjectedNoise
from bnlib.models.twin import twin_of
from bnlib.training.evaluate import evaluate
from bnlib.training.precise import averaging, re_estimate


class NoisyTest(Probe):
    """``acc_noise`` and, where running averages are kept, ``acc_noise_precise``: (epochs,)."""

    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.accuracies: dict[str, list[Tensor]] = {}

    def epoch(self, epoch: int) -> None:
        w = self.watched
        twin = twin_of(w.model, training=False)
        for layer in twin.modules():
            if isinstance(layer, InjectedNoise):
                layer.always = True
        hows = ("", "_precise") if averaging(twin) else ("",)
        for how in hows:
            if how:
                re_estimate(twin, w.data.train)
            right = evaluate(twin, w.data.test, w.criterion).correct
            self.accuracies.setdefault(f"acc_noise{how}", []).append(right.float().mean())

    def result(self) -> dict[str, np.ndarray]:
        return {name: torch.stack(some).cpu().numpy() for name, some in self.accuracies.items()}
