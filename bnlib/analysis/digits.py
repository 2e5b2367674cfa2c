"""How hard each class of a data set is for an arm."""

import numpy as np

from bnlib.run import Runs


def class_errors(arm: Runs) -> np.ndarray:
    """Test error of each class, in percent: (runs, classes)."""
    return 100 - 100 * np.array([run.summary["class_acc"] for run in arm])


def among_the_two_hardest(arm: Runs, digit: int) -> np.ndarray:
    """Whether fewer than two other classes have a higher error: (runs,)."""
    errors = class_errors(arm)
    return (errors > errors[:, [digit]]).sum(axis=1) < 2
