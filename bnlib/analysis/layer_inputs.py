"""How far the distributions of the layers' inputs travel (the probe "layer_inputs")."""

import numpy as np

from bnlib.run import Runs

PER_STEP, PER_LOOK = "step", "look"  # over a single step, or from one look to the next


def travelled(arm: Runs, place: str, clock: str = PER_STEP, own_spread: bool = True) -> np.ndarray:
    """Wasserstein-1 distance of each layer's inputs ``place`` ("before" or "after") the norm, of
    the typical unit in its own spread, or the mean unit as it is: (runs, looks, layers)."""
    return arm.array(f"inputs_{place}_{clock}" + "_raw" * (not own_spread))


def typical(arm: Runs, place: str, clock: str = PER_STEP, own_spread: bool = True) -> np.ndarray:
    """Median over looks and layers: (runs,). What has no number (before the first look, after the
    end of the run) counts nothing."""
    return np.nanmedian(travelled(arm, place, clock, own_spread), axis=(1, 2))
