"""What is computed from recorded shifts: how far a layer's gradient moves when the layers before it
take their step, by phase of the training and by the loss reached.

A series has one row a run and one column a look, as the probe ``shift`` took them.
"""

from collections.abc import Callable

import numpy as np

from bnlib.analysis.landscape import PLATEAU, at_loss, in_phase, plateau_ends, seeds_in
from bnlib.run import Runs

Series = Callable[[Runs, str], np.ndarray]  # of an arm and a layer: (runs, looks)

FINEST = 0.02  # degrees: a smaller angle cannot be told from 0 in float32
EDGES = (0.8, 1.1, 1.4, 1.7, 2.0, PLATEAU)  # nats: off the plateau
LOSSES = "shift_loss"  # the array with the loss at each look


def names(arm: Runs) -> list[str]:
    """The layers that were watched, in their order."""
    return arm[0].arrays["shift_layers"].tolist()


def of_layer(arm: Runs, figure: str, layer: str) -> np.ndarray:
    return arm.array(f"shift_{figure}")[:, :, names(arm).index(layer)]


def distance(arm: Runs, layer: str) -> np.ndarray:
    """‖G − G'‖, Definition 2.1."""
    return of_layer(arm, "difference", layer)


def relative(arm: Runs, layer: str) -> np.ndarray:
    """‖G − G'‖ / ‖G‖: it does not change when the weights of a layer are rescaled without changing
    the network's function."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a gradient of 0
        return distance(arm, layer) / of_layer(arm, "norm", layer)


def angle(arm: Runs, layer: str) -> np.ndarray:
    """Between G and G', in degrees."""
    return np.maximum(np.degrees(np.arccos(np.clip(of_layer(arm, "cosine", layer), -1, 1))), FINEST)


def per_movement(arm: Runs, layer: str) -> np.ndarray:
    """The relative shift for each relative movement of the weights before the layer."""
    with np.errstate(divide="ignore", invalid="ignore"):  # weights that stand still
        return relative(arm, layer) / of_layer(arm, "change", layer)


MEASURES = {"distance": distance, "relative distance": relative, "angle": angle}


def over_the_run(series: np.ndarray) -> np.ndarray:
    """Median of each run's looks: (runs,)."""
    return np.median(series, axis=1)


def phase_pair(
    batch: Runs, none: Runs, series: Callable[[Runs], np.ndarray], phase: str
) -> tuple[np.ndarray, np.ndarray]:
    """Both arms' medians in a phase, of the seeds that have looks enough in it. A phase is the same
    steps in both: before or after the network without norm has left its plateau."""
    ends = plateau_ends(none, LOSSES)
    seeds = {*seeds_in(phase, none, LOSSES)} & {run.recipe.seed for run in batch}
    pair = [Runs(run for run in arm if run.recipe.seed in seeds) for arm in (batch, none)]
    if not seeds:
        return np.array([]), np.array([])
    one, other = (in_phase(arm, series(arm), phase, ends) for arm in pair)
    return one, other


def loss_pair(
    batch: Runs, none: Runs, series: Callable[[Runs], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Both arms at equal training loss: the median look in every range of the loss in which each
    run has one, geometric mean over these ranges. Empty where there is no such range."""
    edges = np.array(EDGES)
    looked = [at_loss(arm, arm.array(LOSSES), edges, LOSSES) for arm in (batch, none)]
    shared = np.isfinite(np.concatenate(looked)).all(axis=0)
    if not shared.any():
        return np.array([]), np.array([])
    one, other = (
        np.exp2(np.log2(at_loss(arm, series(arm), edges, LOSSES)[:, shared]).mean(axis=1))
        for arm in (batch, none)
    )
    return one, other
