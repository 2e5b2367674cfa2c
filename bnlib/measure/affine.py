"""The learned scale and shift of every normalisation layer at the end of training."""

import numpy as np

from bnlib.measure.probe import Probe
from bnlib.training.evaluate import averaging


class Affine(Probe):
    def result(self) -> dict[str, np.ndarray]:
        layers = averaging(self.watched.model)
        found = {}
        for place, layer in enumerate(layers, start=1):
            found[f"gamma{place}"] = layer.weight.detach().cpu().numpy()
            found[f"beta{place}"] = layer.bias.detach().cpu().numpy()
        return found
