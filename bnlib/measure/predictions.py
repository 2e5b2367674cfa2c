"""The class that the trained network gives to each test image, for grids and confusion tables."""

import numpy as np

from bnlib.measure.probe import Probe
from bnlib.training.evaluate import evaluate


class Predictions(Probe):
    def result(self) -> dict[str, np.ndarray]:
        w = self.watched
        predicted = evaluate(w.model, w.data.test, w.criterion).predicted
        return {"predicted": predicted.to("cpu").numpy().astype(np.uint8)}
