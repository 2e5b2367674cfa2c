"""What is computed from recorded curvature: where runs stand late, in units of what a step allows.

A step η lowers a quadratic along its gradient while the curvature there is below 2/η, and gradient
descent is stable while the largest is. Late is the second half of a run's looks; a run counts by
the median over them.
"""

import numpy as np

from bnlib.run import Runs

ALONG, LARGEST = WHICH = ("along", "largest")


def late(arm: Runs, which: str, unit: str = "raw") -> np.ndarray:
    """The curvature: (runs,)."""
    return _of_the_second_half(arm.array(f"curvature_{unit}_{which}"))


def share_of_limit(arm: Runs, which: str) -> np.ndarray:
    """The same as a share of 2/η: (runs,)."""
    return late(arm, which) * arm[0].recipe.lr / 2


def unsettled(arm: Runs) -> np.ndarray:
    """By how much of itself the largest curvature may be wrong: (runs,)."""
    error = arm.array("curvature_raw_error") / np.abs(arm.array("curvature_raw_largest"))
    return _of_the_second_half(error)


def _of_the_second_half(looks: np.ndarray) -> np.ndarray:
    return np.median(looks[:, looks.shape[1] // 2 :], axis=1)
