"""Runs compared where they are alike: at the same accuracy, at the same training loss."""

from collections.abc import Sequence

import numpy as np

from bnlib.analysis.learning import column, curves, time_to
from bnlib.run import Runs


def time_to_shared(arm: Runs, arms: Sequence[Runs], how: str) -> np.ndarray:
    """log₂ of the epochs to the lowest of the arms' mean validation accuracies at the end."""
    return time_to(min(curves(some, how)[:, -1].mean() for some in arms))(arm, how)


def common_loss(arms: Sequence[Runs]) -> float:
    """The training loss that every run of the arms comes down to: the highest of their lowest."""
    return max(float(arm.history("train_loss").min(axis=1).max()) for arm in arms)


def accuracy_at(arm: Runs, loss: float, how: str) -> np.ndarray:
    """Test accuracy, in percent, where the training loss first comes down to ``loss``, on straight
    lines between the epochs: (runs,)."""
    losses = arm.history("train_loss")
    accuracies = 100 * arm.history(column(arm, "test_acc", how))
    return np.array([_where(*both, loss) for both in zip(losses, accuracies, strict=True)])


def _where(losses: np.ndarray, values: np.ndarray, loss: float) -> float:
    below = np.flatnonzero(losses <= loss)
    if not len(below):
        return np.nan
    after = below[0]
    if not after:
        return float(values[0])
    share = (losses[after - 1] - loss) / (losses[after - 1] - losses[after])
    return float(values[after - 1] + share * (values[after] - values[after - 1]))
