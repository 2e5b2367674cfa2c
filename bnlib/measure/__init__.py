"""Probes: they watch a run without changing it."""

from bnlib.measure.affine import Affine
from bnlib.measure.calibration import Calibration
from bnlib.measure.consecutive import Consecutive
from bnlib.measure.curvature import Curvature
from bnlib.measure.landscape import Landscape
from bnlib.measure.layer_inputs import LayerInputs
from bnlib.measure.logits import Logits
from bnlib.measure.noise import NoisyTest
from bnlib.measure.plane import Plane
from bnlib.measure.predictions import Predictions
from bnlib.measure.probe import Probe, Watched
from bnlib.measure.s2_evaluation import S2Evaluation
from bnlib.measure.shift import Shift
from bnlib.measure.unit_inputs import UnitInputs
from bnlib.measure.units import Units
from bnlib.measure.variance_shift import VarianceShift
from bnlib.measure.weights import Weights

PROBES: dict[str, tuple[type[Probe], ...]] = {
    "affine": (Affine,),
    "calibration": (Calibration,),
    "curvature": (Curvature,),
    "landscape": (Landscape, Consecutive),
    "layer_inputs": (LayerInputs,),
    "logits": (Logits,),
    "noise": (NoisyTest,),
    "plane": (Plane,),
    "predictions": (Predictions,),
    "s2_evaluation": (S2Evaluation,),
    "shift": (Shift,),
    "unit_inputs": (UnitInputs,),
    "units": (Units,),
    "variance_shift": (VarianceShift,),
    "weights": (Weights,),
}

__all__ = ["PROBES", "Probe", "Watched"]
