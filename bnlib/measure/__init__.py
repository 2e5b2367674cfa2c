"""Probes: they watch a run without changing it."""

from bnlib.measure.affine import Affine
from bnlib.measure.predictions import Predictions
from bnlib.measure.probe import Probe, Watched
from bnlib.measure.s2_evaluation import S2Evaluation
from bnlib.measure.unit_inputs import UnitInputs

PROBES: dict[str, type[Probe]] = {
    "affine": Affine,
    "predictions": Predictions,
    "s2_evaluation": S2Evaluation,
    "unit_inputs": UnitInputs,
}

__all__ = ["PROBES", "Probe", "Watched"]
