"""The first epoch of a training."""

import numpy as np

from bnlib.run import Runs


def blew_up(arm: Runs) -> np.ndarray:
    """Which runs have, as the mean over the steps of the first epoch, a training loss above half of
    what guessing has, log(classes): (runs,). A network that only learns more slowly at first stays
    below: its loss falls within a fraction of the epoch."""
    guessing = np.array([np.log(len(run.summary["class_acc"])) for run in arm])
    return ~(arm.history("train_loss")[:, 0] <= guessing / 2)  # one that is no number blew up
