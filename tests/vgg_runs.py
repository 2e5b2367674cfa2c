"""Runs of the VGG chapter that nobody trained, with differences that a test chooses.

What a landscape or a loss measures differs between seeds much more than between the arms, and the
arms come in opposite orders: only a comparison seed by seed can see a difference.
"""

from collections.abc import Callable

import numpy as np
from made_up import made_up_run

from bnlib.claims import Verdict, verdicts
from bnlib.claims.landscape import LANDSCAPE
from bnlib.claims.vgg import VGG
from bnlib.recipe import Recipe
from bnlib.run import Run, Runs

BASE = Recipe(dataset="cifar10", model="vgg_a", activation="relu", epochs=4)
SEEDS = {"seed": range(5)}
ARMS = {"norm": ("none", "batch")} | SEEDS
RATES = {0.001: 0.4, 0.002: 1.0, 0.0001: 0.0, 0.0005: 0.7}  # and their losses' place in the band
SWEEP = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
PHASES = np.repeat([0, 1, 2], [3, 24, 3])  # of a run's 30 samples
JITTER = 0.01 * np.array([[0, 2, -2, 4, -4], [1, -1, 3, 0, -3]])  # mean 0 in both arms


def judged(claim: str, **runs: Runs) -> Verdict:
    """One claim's verdict on these experiments."""
    (chosen,) = (known for known in (*LANDSCAPE, *VGG) if known.id == claim)
    return verdicts([chosen], runs)[0].verdict


def trained(recipes: list[Recipe], make: Callable[[Recipe], Run]) -> Runs:
    """The runs, the seeds of one arm upwards and of the other downwards."""
    ways = {"none": 1, "batch": -1}
    return Runs(sorted(map(make, recipes), key=lambda run: run.recipe.seed * ways[run.recipe.norm]))


def jitter(recipe: Recipe) -> float:
    arm = (recipe.dropout > 0) + 2 * (recipe.model == "vgg_a_light")
    return JITTER[int(recipe.norm == "none"), recipe.seed - arm]


def cut_short(runs: Runs, epochs: int, **fields) -> Runs:
    """Those with these fields diverged in this epoch and stopped."""
    for run in runs.where(**fields):
        share = epochs / run.recipe.epochs
        for name, row in run.history.items():
            run.history[name] = [*row[: epochs - 1], None if "loss" in name else row[-1]]
        for name, values in run.arrays.items():
            run.arrays[name] = values[: round(share * len(values))].copy()
            run.arrays[name][-1] = np.nan
        run.summary["diverged"] = True
    return runs


def landscape_runs(
    spread: tuple = (0, 0, 0),
    change: tuple = (0, 0, 0),
    beta: tuple = (0, 0, 0),
    last: float = 0,
    moved: float = 0,
    recipe: Recipe = BASE,
) -> Runs:
    """The measures without batch norm, in each phase as many factors of two above those with it.

    Every third sample is half the others' median and every third 8 times (with batch norm 4 times)
    that: the maxima are a factor of two further apart than the medians."""

    def run(recipe: Recipe) -> Run:
        none = recipe.norm == "none"
        each = np.tile([0.5, 1, 8 if none else 4], 10) * 2 ** (3 * recipe.seed + jitter(recipe))

        def level(*powers: float) -> np.ndarray:
            return each * 2 ** (none * np.resize(powers, 3).astype(float)[PHASES])

        line = np.tile(np.arange(8) / 7, (30, 1))
        np.random.default_rng(recipe.seed).permuted(line, axis=1, out=line)
        no_next = np.where(np.arange(30) < 29, 1, np.nan)  # after the last sample
        arrays = {
            "gradient_losses": 3 + line * level(*spread)[:, None],
            "gradient_changes": line ** (1 + none) * level(*change)[:, None],
            "gradient_beta": level(*beta),
            "consecutive_changes": no_next * level(last),
            "consecutive_moves": no_next * 2.0 ** (none * moved),
        }
        return made_up_run(recipe, **arrays)

    return trained(recipe.grid(**ARMS), run)


def separate_runs(band: float = 1, falls: float = 1, last: float = 0, moved: float = 0) -> Runs:
    """Networks trained apart: the losses of the rates lie in a band ``band`` factors of two wider
    without batch norm; there the training loss is ``falls`` higher. The last layer's figures are
    those of the rate .001."""
    adam = BASE.but(optimizer="adam")
    runs = []
    for lr in RATES:
        figures = {"last": last, "moved": moved} if lr == 0.001 else {"last": -9, "moved": 9}
        runs += landscape_runs(recipe=adam.but(lr=lr), **figures)
    for run in runs:
        recipe, none, place = run.recipe, run.recipe.norm == "none", RATES[run.recipe.lr]
        random = np.random.default_rng(recipe.seed)
        widths = np.tile([0.5, 1.5, 1.0] if none else [0.5, 0.5, 2.0], 10)  # their mean is 1
        widths *= 2 ** (none * band + 3 * recipe.seed + jitter(recipe))
        run.arrays["loss"] = random.uniform(0, 2, 30) + place * widths
        epochs = random.normal(0, 1, 4) + none * falls + 0.1 * jitter(recipe)
        run.history["train_loss"] = (epochs + place).tolist()
    return Runs(runs)


def sweep_runs(batch: tuple, none: tuple, precise: tuple | None = None) -> Runs:
    """Which learning rates work in each arm (with batch norm by precise statistics too): the first
    gives .7, the others .64, above nine tenths of it, and the rest .62, below."""

    def reached(recipe: Recipe, works: tuple) -> float:
        level = 0.7 if recipe.lr == works[0] else 0.64 if recipe.lr in works else 0.62
        return level + 0.01 * jitter(recipe)

    def run(recipe: Recipe) -> Run:
        run = made_up_run(recipe, reached(recipe, none if recipe.norm == "none" else batch))
        if recipe.norm == "batch":
            run.summary["test_acc_precise"] = reached(recipe, precise or batch)
        return run

    return trained(BASE.grid(lr=SWEEP, **ARMS), run)


def start_runs(default: float, xavier: float, he: float, adam: float, noise: float = 0.1) -> Runs:
    """Accuracies without batch norm with SGD from three starts, and with Adam from the default;
    all others are .8."""
    sgd = {"default": default, "xavier": xavier, "he": he}

    def run(recipe: Recipe) -> Run:
        mean = sgd[recipe.init] if recipe.optimizer == "sgd" else 0.8
        if (recipe.optimizer, recipe.init) == ("adam", "default"):
            mean = adam
        return made_up_run(recipe, 0.8 if recipe.norm == "batch" else mean + noise * jitter(recipe))

    one, other = BASE.but(optimizer="sgd", lr=0.1), BASE.but(optimizer="adam", lr=0.001)
    return trained(one.grid(init=sgd, **ARMS) + other.grid(init=sgd, **ARMS), run)


FIVE = {"batch": 0.90, "none": 0.86, "none_dropout": 0.85, "light": 0.79, "batch_dropout": 0.90}


def five_runs(rises: tuple = (0.5, 0.1), precise: float = 0.0, **accuracies: float) -> Runs:
    """The five networks: the source's accuracies, or others; precise statistics add ``precise`` to
    that of batch norm alone. The test loss rises by this much, without and with dropout."""

    def run(recipe: Recipe) -> Run:
        name = recipe.norm + "_dropout" * (recipe.dropout > 0)
        reached = (FIVE | accuracies)["light" if recipe.model == "vgg_a_light" else name]
        run = made_up_run(recipe, reached + 0.02 * jitter(recipe))
        if recipe.norm == "batch":
            more = precise * (not recipe.dropout)
            run.summary["test_acc_precise"] = run.summary["test_acc"] + more
        rise = rises[recipe.dropout > 0] + (recipe.dropout > 0) * jitter(recipe)
        run.history["test_loss"] = [
            recipe.seed + loss for loss in (2 + recipe.dropout, 0.5, 1, 0.5 + rise)
        ]
        return run

    base = BASE.but(optimizer="adam", lr=0.001)
    light = base.but(model="vgg_a_light").grid(**SEEDS)
    return trained(base.grid(dropout=(0.0, 0.5), **ARMS) + light, run)


def sixteen_runs(
    moved: float = 0.01, falls: dict | float = 0.5, gains: dict | float = 0.2, precise: float = 0
) -> Runs:
    """VGG-16 without batch norm at .001: its matrices of length 5 and 20 move by this share of it,
    one a half more, one a half less. Its loss is ``falls`` higher, its accuracy ``gains`` lower, or
    so by data set and learning rate."""

    def of(recipe: Recipe, given: dict | float) -> float:
        return given.get((recipe.dataset, recipe.lr), 0.1) if isinstance(given, dict) else given

    def run(recipe: Recipe) -> Run:
        none, off = recipe.norm == "none", jitter(recipe)
        share = moved if none and (recipe.dataset, recipe.lr) == ("cifar10", 0.001) else 0.9
        share *= 10**off
        lengths, ways = np.array([5.0, 20.0]), np.array([1.5, 0.5])
        run = made_up_run(
            recipe,
            0.5 - none * of(recipe, gains) + 0.1 * off,
            weight_norms=np.linspace(lengths, 3 * lengths, 5),
            weights_moved=np.linspace(0 * lengths, share * ways * lengths, 5),
        )
        if not none:
            run.summary["test_acc_precise"] = run.summary["test_acc"] + precise
        classes = {"cifar10": 10, "cifar100": 100}[recipe.dataset]
        run.summary["class_acc"] = [run.summary["test_acc"]] * classes
        of_seed = np.random.default_rng(recipe.seed).normal(2, 1, 4)
        run.history["train_loss"] = (of_seed + none * of(recipe, falls) + 0.1 * off).tolist()
        return run

    rates = {"dataset": ("cifar10", "cifar100"), "lr": (0.001, 0.01, 0.1)}
    return trained(BASE.but(model="vgg16").grid(**rates, **ARMS), run)
