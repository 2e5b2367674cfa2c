"""The course of a training: how fast the loss falls, how far its weights move, where it gets."""

import numpy as np

from bnlib.analysis.learning import best, column
from bnlib.run import Runs


def training_loss(arm: Runs, how: str = "") -> np.ndarray:
    """Mean over the epochs, the smaller the faster it falls; it has no evaluation. (runs,)"""
    return arm.history("train_loss").mean(axis=1)


def rise(arm: Runs, how: str) -> np.ndarray:
    """Test loss after the last epoch minus the lowest of the run: (runs,)."""
    losses = arm.history(column(arm, "test_loss", how))
    return losses[:, -1] - losses.min(axis=1)


def moved(arm: Runs) -> np.ndarray:
    """How far each weight tensor is from its start at the end, in units of its length there:
    (runs, tensors)."""
    return arm.array("weights_moved")[:, -1] / arm.array("weight_norms")[:, 0]


def travelled(arm: Runs) -> np.ndarray:
    """How far the weight tensors are from their start, in units of their length there, mean over
    the tensors: (runs, moments)."""
    return (arm.array("weights_moved") / arm.array("weight_norms")[:, :1]).mean(axis=2)


def effective_rate(arm: Runs) -> np.ndarray:
    """η / ‖w‖², geometric mean over the tensors in front of a batch norm layer, which are all but
    the last: (runs, moments)."""
    lengths = arm.array("weight_norms")[:, :, :-1]
    return np.exp(np.log(arm[0].recipe.lr / lengths**2).mean(axis=2))


def common_level(plain: Runs, points: float, how: str) -> float:
    """The best mean validation accuracy, over learning rates, of the network without norm, less so
    many points: a level that is the same for all arms."""
    chosen = plain.where(lr=best(plain, "lr", how))
    return float(chosen.final(column(chosen, "val_acc", how)).mean()) - points / 100


def reaches(arm: Runs, level: float, how: str) -> np.ndarray:
    """Which runs end at this validation accuracy or above: (runs,)."""
    return arm.final(column(arm, "val_acc", how)) >= level
