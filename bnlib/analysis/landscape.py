"""What is computed from recorded landscapes: width, change of the gradient, β, phases, headroom.

A series has one row a run and one column a sample, as the probe ``landscape`` took them. A sample
whose loss is a number but whose line runs into numbers too large for float32 is infinitely wide; of
what comes after a run's end there is none (NaN).
"""

from collections.abc import Callable, Mapping

import numpy as np

from bnlib.run import Runs

Series = Callable[[Runs], np.ndarray]  # of an arm: (runs, samples)

ON, OFF = PHASES = ("on the plateau", "off the plateau")
PLATEAU = 2.2  # nats; to guess among ten classes costs ln 10, 2.30
FEWEST = 3  # samples of a phase: with fewer a run has no median there
SATURATED = 0.7  # of the gradient's length, which it then changes by at the smallest step


# Along a line


def width(arm: Runs, line: str = "gradient") -> np.ndarray:
    """Spread of the loss: its largest minus its smallest value along the line."""
    losses = arm.array(f"{line}_losses")
    with np.errstate(invalid="ignore"):  # inf − inf
        return _infinite_where_too_large(arm, losses.max(axis=2) - losses.min(axis=2))


def change(arm: Runs, line: str = "gradient") -> np.ndarray:
    """How far the gradient changes along the line, at most."""
    return _infinite_where_too_large(arm, arm.array(f"{line}_changes").max(axis=2))


def beta(arm: Runs, line: str = "gradient") -> np.ndarray:
    """Effective smoothness: that change over the step's length, at most."""
    return _infinite_where_too_large(arm, arm.array(f"{line}_beta"))


def saturation(arm: Runs, line: str = "gradient") -> np.ndarray:
    """β in units of 1 / the smallest step. A gradient that has nothing left of itself there changes
    by about its own length: near 1, β tells the grid's smallest step and not the network's."""
    etas = arm[0].arrays["scale_free_etas" if line == "scale_free" else "etas"]
    return beta(arm, line) * etas.min()


MEASURES = {"spread of the loss": width, "change of the gradient": change, "effective β": beta}


def headroom(arm: Runs, times: float, line: str = "gradient") -> np.ndarray:
    """Share of the samples in which a step of so many times the learning rate raises the loss of
    its batch, at the nearest of the step sizes: (runs,)."""
    etas, lr = arm[0].arrays["etas"], arm[0].recipe.lr
    nearest = int(np.abs(np.log(etas / (times * lr))).argmin())
    before, after = arm.array("loss"), arm.array(f"{line}_losses")[:, :, nearest]
    there = np.isfinite(before)
    return (there & ~(after <= before)).sum(axis=1) / there.sum(axis=1)


def raised(arm: Runs, line: str, ends: Mapping[int, int]) -> np.ndarray:
    """Share of the samples off the plateau in which a step raises the loss of its batch, for each
    step size: (runs, step sizes). NaN where a run has no such sample."""
    before, after = arm.array("loss")[:, :, None], arm.array(f"{line}_losses")
    passed = np.array([ends[run.recipe.seed] for run in arm])[:, None, None]
    there = np.isfinite(before) & (np.arange(before.shape[1])[:, None] >= passed)
    with np.errstate(invalid="ignore"):  # 0 / 0
        return (there & ~(after <= before)).sum(axis=1) / there.sum(axis=1)


def width_up_to(arm: Runs, times: float, line: str = "gradient") -> np.ndarray:
    """Spread of the loss over the steps of at most so many times the learning rate."""
    short = arm[0].arrays["etas"] <= times * arm[0].recipe.lr
    losses = arm.array(f"{line}_losses")[:, :, short]
    return _infinite_where_too_large(arm, losses.max(axis=2) - losses.min(axis=2))


def relative_change(arm: Runs, line: str = "gradient") -> np.ndarray:
    """Change of the gradient in its own lengths, for each step size, median over a run's samples:
    (runs, step sizes)."""
    lengths = arm.array(f"{line}_norm")[:, :, None]
    return np.nanmedian(arm.array(f"{line}_changes") / lengths, axis=1)


def at_smallest_step(arm: Runs) -> tuple[int, int]:
    """In how many samples, of how many, β is found at the smallest of the step sizes."""
    changes, etas = arm.array("gradient_changes"), arm[0].arrays["etas"]
    known = np.isfinite(changes).all(axis=2)
    first = (changes / etas).argmax(axis=2) == etas.argmin()
    return int((first & known).sum()), int(known.sum())


def _infinite_where_too_large(arm: Runs, values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values) | ~np.isfinite(arm.array("loss")), values, np.inf)


# As source S3 measures


def last_layer(arm: Runs) -> np.ndarray:
    """Distance between the last layer's gradients of two steps; the last sample may have no next
    step and is left out."""
    return arm.array("consecutive_changes")[:, :-1]


def last_layer_beta(arm: Runs) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):  # weights that stay where they are
        return last_layer(arm) / arm.array("consecutive_moves")[:, :-1]


def band(arm: Runs) -> np.ndarray:
    """Largest minus smallest loss over the learning rates of networks trained apart, mean over the
    samples: one number a seed, by seed."""
    return np.array([np.ptp(rates.array("loss"), axis=0).mean() for rates in by_seed(arm)])


def by_seed(arm: Runs) -> list[Runs]:
    """The runs of each seed that has all the learning rates of the arm."""
    rates = len(arm.values("lr"))
    seeds = (arm.where(seed=seed) for seed in sorted(arm.values("seed")))
    return [some for some in seeds if len(some.values("lr")) == rates]


# Summaries


def over_the_run(series: np.ndarray) -> np.ndarray:
    """Median of each run's samples: (runs,)."""
    return np.median(series, axis=1)


def plateau_ends(plain: Runs, losses: str = "loss") -> dict[int, int]:
    """By seed: how many samples pass before the network without norm first leaves its plateau;
    ``losses`` is the array with the loss at each."""
    ends = {}
    for run in plain:
        left = run.arrays[losses] <= PLATEAU
        ends[run.recipe.seed] = int(left.argmax()) if left.any() else len(left)
    return ends


def seeds_in(phase: str, plain: Runs, losses: str = "loss") -> list[int]:
    """The seeds whose network without norm spends enough samples in a phase."""
    ends, samples = plateau_ends(plain, losses), plain.array(losses).shape[1]
    many = {seed: end if phase == ON else samples - end for seed, end in ends.items()}
    return sorted(seed for seed, count in many.items() if count >= FEWEST)


def in_phase(arm: Runs, series: np.ndarray, phase: str, ends: Mapping[int, int]) -> np.ndarray:
    """Median of each run's samples in a phase, which for both arms of a seed is the same steps:
    those before or after the network without norm has left its plateau. (runs,)"""
    seeds = [run.recipe.seed for run in arm]
    cut = [
        row[: ends[seed]] if phase == ON else row[ends[seed] :]
        for seed, row in zip(seeds, series, strict=True)
    ]
    return np.array([np.median(row) for row in cut])


def phase_pair(
    none: Runs, batch: Runs, series: Series, phase: str
) -> tuple[np.ndarray, np.ndarray]:
    """Both arms' medians in a phase, of the seeds that have samples enough in it."""
    ends, seeds = plateau_ends(none), seeds_in(phase, none)
    pair = [Runs(run for run in arm if run.recipe.seed in seeds) for arm in (none, batch)]
    if not seeds:
        return np.array([]), np.array([])
    one, other = (in_phase(arm, series(arm), phase, ends) for arm in pair)
    return one, other


def at_loss(arm: Runs, series: np.ndarray, edges: np.ndarray, losses: str = "loss") -> np.ndarray:
    """Median of each run's samples by the loss that they are taken at, between two ``edges`` each;
    NaN where a run has none. (runs, edges − 1)"""
    places = np.digitize(arm.array(losses), edges) - 1
    found = np.full((len(series), len(edges) - 1), np.nan)
    for values, place, row in zip(series, places, found, strict=True):
        for i in np.intersect1d(place, np.arange(len(row))):
            row[i] = np.median(values[place == i])
    return found
