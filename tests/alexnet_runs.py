"""Runs of the AlexNet chapter that nobody trained, with effects that a test chooses.

Every run differs from its arm's curve by a little of its own, so that nothing is equal by accident.
"""

import itertools
import zlib
from collections.abc import Callable, Iterable

import numpy as np
from made_up import made_up_run

from bnlib.claims import cards
from bnlib.claims.alexnet import ALEXNET
from bnlib.claims.card import Card
from bnlib.recipe import Recipe, Timing
from bnlib.run import Run, Runs

BASE = Recipe(dataset="cifar10", model="alexnet", activation="relu", epochs=12)
SEEDS = range(5)
ARMS = {"norm": ("none", "batch"), "seed": SEEDS}
STEPS = 351  # an epoch
SPREAD = 0.002  # of accuracies, as shares


def card(name: str, **runs: Runs) -> Card:
    """One claim's card on these experiments."""
    return cards([claim for claim in ALEXNET if claim.id == name], runs)[0]


def words(name: str, **runs: Runs) -> list[str]:
    return [answer.word for answer in card(name, **runs).answers]


def own(recipe: Recipe) -> np.random.Generator:
    """A source of noise for this run alone."""
    return np.random.default_rng(zlib.crc32(repr(recipe).encode()))


def learned(
    recipe: Recipe,
    accuracies: np.ndarray | float,
    precise: np.ndarray | float = 0.0,
    spread: float = SPREAD,
) -> Run:
    """A run with these accuracies after the epochs, of validation and test alike; by precise
    statistics they are ``precise`` higher."""
    run = made_up_run(recipe)
    row = np.broadcast_to(accuracies + own(recipe).normal(0, spread), recipe.epochs)
    rows = {"": row}
    if recipe.norm != "none":  # without norm no such column is recorded
        rows["_precise"] = row + precise
    for how, values in rows.items():
        for part in ("val_acc", "test_acc"):
            run.history[part + how] = values.tolist()
            run.summary[part + how] = float(values[-1])
    run.summary.update(class_acc=[0.5] * 10, steps=STEPS * recipe.epochs)
    return run


def each(recipes: Iterable[Recipe], accuracies: Callable[[Recipe], float | np.ndarray]) -> Runs:
    return Runs(learned(recipe, accuracies(recipe)) for recipe in recipes)


def ramp(epochs: int, arrives: float, top: float = 0.85) -> np.ndarray:
    """From guessing straight up to ``top`` at the epoch ``arrives``."""
    return np.minimum(top, 0.1 + (top - 0.1) * np.arange(1, epochs + 1) / arrives)


def speed_runs(none: float, batch: float, late: float = 0.0, top: float = 0.85) -> Runs:
    """The epochs in which an arm climbs to ``top``; with batch norm ``late`` later by precise
    statistics. At each arm's worse learning rate the arms are exchanged and end far lower."""

    def run(recipe: Recipe) -> Run:
        best = recipe.lr == {"none": 0.01, "batch": 0.1}[recipe.norm]
        arrives = none if (recipe.norm == "none") == best else batch
        arrives *= 1 + 0.02 * own(recipe).normal()
        curve = ramp(30, arrives, top if best else 0.4 * top)
        later = ramp(30, arrives + late, top if best else 0.4 * top) - curve
        return learned(recipe, curve, later, 0)

    return Runs(map(run, BASE.but(epochs=30).grid(lr=(0.01, 0.1), **ARMS)))


def optimizer_runs(gap: float, precise: float = 0.0) -> Runs:
    """SGD is ``gap`` better than Adam, each at its own better rate: .1 and .001; by precise
    statistics its other rate, .01, is the better one, by ``precise``."""

    def run(recipe: Recipe) -> Run:
        sgd, best = recipe.optimizer == "sgd", recipe.lr in (0.1, 0.001)
        other = 0.0 if best else 0.3 + precise
        return learned(recipe, 0.7 + gap * sgd - 0.3 * (not best), other * sgd * bool(precise))

    rates = {"sgd": (0.01, 0.1), "adam": (0.001, 0.01)}
    recipes = [
        BASE.but(norm="batch", optimizer=name).grid(lr=lrs, seed=SEEDS)
        for name, lrs in rates.items()
    ]
    return Runs(map(run, itertools.chain(*recipes)))


def init_runs(xavier: float, he: float) -> Runs:
    """Gains over the default with batch norm; without it He's gains .2."""
    gains = {"default": 0, "xavier": xavier, "he": he, "normal": -0.5}

    def accuracy(recipe: Recipe) -> float:
        return 0.7 + (gains[recipe.init] if recipe.norm == "batch" else 0.2 * (recipe.init == "he"))

    return each(BASE.grid(init=gains, **ARMS), accuracy)


def batch_runs(batch: float, none: float, scaled: float) -> dict[str, Runs]:
    """Gains with every doubling of the batch: of the arms at one rate, and at rates ∝ B."""

    def sweep(recipes: Iterable[Recipe], **slopes: float) -> Runs:
        return each(
            recipes, lambda r: 0.6 + slopes[r.norm] * float(np.log2(r.batch_size / 32)) / 100
        )

    sizes = (32, 128, 512)
    scaled_rates = [BASE.but(batch_size=b, lr=0.1 * b / 128).grid(**ARMS) for b in sizes]
    return {
        "batch": sweep(BASE.grid(batch_size=sizes, **ARMS), batch=batch, none=none),
        "scaled": sweep(itertools.chain(*scaled_rates), batch=scaled, none=scaled),
    }


def time_runs(slower: float, colour: float | None = None) -> dict[str, Runs]:
    """ResNet-18's step takes ``slower`` times AlexNet's; colour gains LeNet so much, where it was
    tried on grey images."""
    timing = Timing(recipe=BASE, models=("lenet", "alexnet", "resnet18"), norms=("none", "batch"))
    seconds = {"lenet": 0.1, "alexnet": 1.0, "resnet18": slower}
    jitter = np.array([1, 1.1, 0.9, 1.05, 0.95])
    times = {name: (seconds[name.split()[0]] * jitter).tolist() for name in timing.arms()}
    lenet = BASE.but(model="lenet").grid(**ARMS)
    where = made_up_run(BASE).provenance
    runs = {
        "timing": Runs([Run(timing, times, {"diverged": False}, where)]),
        "lenet": each(lenet, lambda recipe: 0.6),
    }
    if colour is not None:
        grey = BASE.but(model="lenet", epochs=13).grid(**ARMS)
        runs["grey"] = each(grey, lambda recipe: 0.6 - colour)
    return runs


PLAIN = {"first": 0.5, "arrives": 3.0, "top": 0.7, "rough": 0.01}  # a course of training


def course(first: float, arrives: float, top: float, rough: float, rng) -> np.ndarray:
    """``first`` for three epochs, then a straight line to ``top``, ``arrives`` epochs later;
    ``rough`` above and below it by turns, no two epochs alike."""
    epochs = np.arange(1, BASE.epochs + 1)
    curve = np.interp(epochs, [3, 3 + arrives], [first, top])
    turns = rough * (-1.0) ** epochs * rng.uniform(0.9, 1.1, len(epochs))
    return curve + np.where(epochs > 3, turns, 0)


def dropout_runs(both: dict, alone: dict, only: str | None = None, plain: dict | None = None):
    """How dropout at .5 changes the course of training with batch norm and without it, behind all
    layers or ``only`` some; ``plain`` is the course without norm and dropout."""

    def curve(recipe: Recipe) -> np.ndarray:
        change = {} if recipe.norm == "batch" else plain or {}
        if recipe.dropout == 0.5 and only in (None, recipe.dropout_at):
            change = both if recipe.norm == "batch" else alone
        if recipe.dropout == 0.1:  # is not judged
            change = {"first": 0.7, "arrives": 1.0, "top": 0.72}
        return course(**PLAIN | change, rng=own(recipe))

    rates = BASE.grid(dropout=(0.1, 0.5), dropout_at=("fc", "conv"), **ARMS)
    return each(BASE.grid(**ARMS) + rates, curve)


def decay_runs(gains: dict[float, float], epochs: int = 12) -> Runs:
    """Gains over none by weight decay, with batch norm; without it they are 0."""
    recipes = BASE.but(epochs=epochs).grid(weight_decay=(0.0, *gains), **ARMS)
    gain = {0.0: 0.0, **gains}
    return each(recipes, lambda r: 0.7 + gain[r.weight_decay] * (r.norm == "batch"))
