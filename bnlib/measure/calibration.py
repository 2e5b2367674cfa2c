"""Does a network that says 80 % sure get 80 % right? Expected calibration error after each epoch.

Images are put into bins by confidence, the largest class probability. The error is the mean over
the images of their bin's distance between accuracy and mean confidence. Bins have equal widths
(Guo et al. 2017) or equal numbers of images.
"""

import numpy as np
import torch
from torch import Tensor

from bnlib.measure.probe import Probe, Watched
from bnlib.training.evaluate import evaluate
from bnlib.training.precise import averaging, precise

BINS = 15


def calibration_error(confidence: Tensor, correct: Tensor, equal_mass: bool = False) -> Tensor:
    """The error of (N,) confidences and (N,) bools, between 0 and 1."""
    gap = correct.double() - confidence.double()
    if equal_mass:
        bins = gap[confidence.argsort(stable=True)].tensor_split(BINS)
        return torch.stack([bin.sum().abs() for bin in bins]).sum() / len(gap)
    place = (confidence.double() * BINS).ceil().long().clamp(1, BINS) - 1  # (lower, upper]
    return torch.bincount(place, gap, minlength=BINS).abs().sum() / len(gap)


class Calibration(Probe):
    """``ece`` and ``ece_equal_mass`` on the test images: (epochs,), and where running averages are
    kept, ``ece_precise`` and ``ece_equal_mass_precise``."""

    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.errors: dict[str, list[Tensor]] = {}

    def epoch(self, epoch: int) -> None:
        w = self.watched
        nets = {"": w.model}
        if averaging(w.model):
            nets["_precise"] = precise(w.model, w.data.train)
        for how, net in nets.items():
            result = evaluate(net, w.data.test, w.criterion)
            for name, equal_mass in (("ece", False), ("ece_equal_mass", True)):
                error = calibration_error(result.confidence, result.correct, equal_mass)
                self.errors.setdefault(name + how, []).append(error)

    def result(self) -> dict[str, np.ndarray]:
        return {name: torch.stack(errors).cpu().numpy() for name, errors in self.errors.items()}
