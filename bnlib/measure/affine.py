"""The learned scale and shift of every normalisation layer at the end of training."""

import numpy as np

from bnlib.measure.probe import Probe
from bnlib.norm import NORM_LAYERS


class Affine(Probe):
    def result(self) -> dict[str, np.ndarray]:
        layers = [m for m in self.watched.model.modules() if isinstance(m, NORM_LAYERS)]
        found = {}
        for place, layer in enumerate(layers, start=1):
            found[f"gamma{place}"] = layer.weight.detach().cpu().numpy()
            found[f"beta{place}"] = layer.bias.detach().cpu().numpy()
        return found
