"""Normalisation: formulas (`functional`), layers by name (`layers`), folding (`fold`)."""

from bnlib.norm.fold import fold
from bnlib.norm.functional import batch_norm, lp_norm
from bnlib.norm.ghost import GhostBatchNorm
from bnlib.norm.layers import (
    BATCH_NORMS,
    NORM_LAYERS,
    BatchNorm,
    LpNorm,
    NaiveBatchNorm,
    norm_layer,
)

__all__ = [
    "BATCH_NORMS",
    "NORM_LAYERS",
    "BatchNorm",
    "GhostBatchNorm",
    "LpNorm",
    "NaiveBatchNorm",
    "batch_norm",
    "fold",
    "lp_norm",
    "norm_layer",
]
