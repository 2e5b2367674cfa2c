"""A sweep of learning rates: what each rate ends with, and the arm at the best one."""

import numpy as np

from bnlib.analysis.learning import accuracy, best, one_per_seed
from bnlib.run import Runs


def by_rate(sweep: Runs, how: str) -> dict[float, np.ndarray]:
    """Test error after the last epoch, in percent, of each run: by rate, the smallest first."""
    return {lr: 100 - accuracy(sweep.where(lr=lr), how) for lr in sorted(sweep.values("lr"))}


def at_best(norm: str, how: str, sweep: Runs, *more: Runs) -> Runs:
    """An arm at the rate that validation data chooses in the sweep, each seed once; ``more`` are
    experiments that have further seeds of it."""
    arm = sweep.where(norm=norm)
    lr = best(arm, "lr", how)
    return one_per_seed(*(some.where(norm=norm, lr=lr) for some in (*more, arm)))
