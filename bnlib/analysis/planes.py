"""What is read off the loss on a plane through the trained weights, as the probe ``plane`` took it.
Each gives one number a run, in nats."""

import numpy as np

from bnlib.run import Runs


def floor(arm: Runs) -> np.ndarray:
    """The loss at the trained weights."""
    losses = arm.array("plane")
    middle = losses.shape[1] // 2
    return losses[:, middle, middle]


def within(arm: Runs, radius: float) -> np.ndarray:
    """The mean loss up to so many filters' lengths from there."""
    at = arm[0].arrays["plane_coordinates"]
    return arm.array("plane")[:, np.hypot(*np.meshgrid(at, at)) <= radius].mean(axis=1)


def on_the_axes(arm: Runs) -> np.ndarray:
    """The mean loss at the ends of the plane's two directions."""
    losses = arm.array("plane")
    middle = losses.shape[1] // 2
    ends = (
        losses[:, middle, 0],
        losses[:, middle, -1],
        losses[:, 0, middle],
        losses[:, -1, middle],
    )
    return np.mean(ends, axis=0)
