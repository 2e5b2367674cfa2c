"""Runs of the AlexNet chapter that nobody trained, with differences that a test chooses."""

import itertools

import numpy as np
from made_up import made_up_run

from bnlib.claims import Verdict, verdicts
from bnlib.claims.alexnet import ALEXNET
from bnlib.recipe import Recipe, Timing
from bnlib.run import Run, Runs

BASE = Recipe(dataset="cifar10", model="alexnet", activation="relu", epochs=12)
ARMS = {"norm": ("none", "batch"), "seed": range(5)}
Accuracies = np.ndarray | float  # after every epoch


def judged(claim: str, **runs: Runs) -> Verdict:
    """One claim's verdict on these experiments."""
    (chosen,) = (known for known in ALEXNET if known.id == claim)
    return verdicts([chosen], runs)[0].verdict


def learned(
    recipe: Recipe, accuracies: Accuracies, precise: Accuracies = 0.0, val_acc: float = 0.5
) -> Run:
    """A run with these accuracies on the test part, give or take a little that its norm and seed
    decide; by precise statistics they are ``precise`` higher."""
    run = made_up_run(recipe)
    noise = np.random.default_rng([recipe.seed, recipe.norm == "none"]).normal(0, 1e-3)
    rows = {"test_acc": np.broadcast_to(accuracies + noise, recipe.epochs)}
    if recipe.norm != "none":  # without norm no such column is recorded
        rows["test_acc_precise"] = rows["test_acc"] + precise
    run.history.update({name: row.tolist() for name, row in rows.items()})
    run.summary.update({name: float(row[-1]) for name, row in rows.items()}, val_acc=val_acc)
    return run


def speed_runs(none: list[int], batch: list[int], late: int = 0) -> Runs:
    """The accuracy is .3 until the seed's epoch and .8 from there on, ``late`` epochs later by
    precise statistics. At each arm's worse learning rate the arms are exchanged."""

    def stairs(arrives: int) -> np.ndarray:
        return np.where(np.arange(1, 31) < arrives, 0.3, 0.8)

    def run(recipe: Recipe) -> Run:
        best = recipe.lr == {"none": 0.01, "batch": 0.1}[recipe.norm]
        arrives = (none if (recipe.norm == "none") == best else batch)[recipe.seed]
        later = stairs(arrives + late) - stairs(arrives)
        return learned(recipe, stairs(arrives), later, val_acc=0.7 + best / 10)

    return Runs(map(run, BASE.but(epochs=30).grid(lr=(0.01, 0.1), **ARMS)))


def optimizer_runs(gap: float, precise: float) -> Runs:
    """SGD is ``gap`` better than Adam, each at its own better rate: .1 and .001."""

    def run(recipe: Recipe) -> Run:
        sgd, best = recipe.optimizer == "sgd", recipe.lr in (0.1, 0.001)
        accuracy = 0.7 + (gap + 1e-4 * recipe.seed) * sgd - 0.3 * (not best)
        return learned(recipe, accuracy, precise * sgd, val_acc=0.4 + best / 10)

    rates = {"sgd": (0.01, 0.1), "adam": (0.001, 0.01)}
    recipes = [
        BASE.but(norm="batch", optimizer=name).grid(lr=lrs, seed=range(5))
        for name, lrs in rates.items()
    ]
    return Runs(map(run, itertools.chain(*recipes)))


def init_runs(xavier: float, he: float) -> Runs:
    """Gains over the default with batch norm; without it He's gains .2."""
    gains = {"default": 0, "xavier": xavier, "he": he, "normal": -0.6}

    def run(recipe: Recipe) -> Run:
        gain = gains[recipe.init] if recipe.norm == "batch" else 0.2 * (recipe.init == "he")
        return learned(recipe, 0.7 + gain + 1e-4 * recipe.seed * (recipe.init == "default"))

    return Runs(map(run, BASE.grid(init=gains, **ARMS)))


def batch_runs(batch: float, none: float, scaled: float) -> dict[str, Runs]:
    """Gains with every doubling of the batch: of the arms at one rate, and at rates ∝ B."""

    def sweep(recipes: list[Recipe], **slopes: float) -> Runs:
        def run(recipe: Recipe) -> Run:
            slope = slopes[recipe.norm] + 1e-4 * recipe.seed
            return learned(recipe, 0.6 + slope * np.log2(recipe.batch_size / 32))

        return Runs(map(run, recipes))

    sizes = (32, 128, 512)
    scaled_rates = [BASE.but(batch_size=b, lr=0.1 * b / 128).grid(**ARMS) for b in sizes]
    return {
        "batch": sweep(BASE.grid(batch_size=sizes, **ARMS), batch=batch, none=none),
        "scaled": sweep(list(itertools.chain(*scaled_rates)), batch=scaled, none=scaled),
    }


def time_runs(slower: float, colour: float) -> dict[str, Runs]:
    """ResNet-18's step takes ``slower`` times AlexNet's; LeNet reaches ``colour``."""
    timing = Timing(recipe=BASE, models=("lenet", "alexnet", "resnet18"), norms=("none", "batch"))
    jitter = np.array([1, 1.1, 0.9, 1.05, 0.95])
    seconds = {"lenet": 0.1, "alexnet": 1.0, "resnet18": slower}
    times = {
        name: (seconds[name.split()[0]] * jitter**i).tolist()
        for i, name in enumerate(timing.arms())
    }
    lenet = BASE.but(model="lenet").grid(**ARMS)
    return {
        "timing": Runs([Run(timing, times, {"diverged": False}, {})]),
        "lenet": Runs(learned(recipe, colour) for recipe in lenet),
    }


PLAIN = {"first": 0.5, "arrives": 3, "final": 0.7, "rough": 0.01}  # a course of training
BETTER_LATER = {"first": 0.3, "arrives": 6, "final": 0.75, "rough": 0.002}


def course(first: float, arrives: int, final: float, rough: float) -> np.ndarray:
    """``first`` after the first epoch, ``final`` from ``arrives`` on, but ``rough`` above and
    below it by turns in epochs 7 to 11."""
    curve = np.where(np.arange(1, 13) < arrives, 0.3, final)
    curve[0] = first
    curve[6:11] += rough * np.array([1, -1, 1, -1, 1])
    return curve


def dropout_runs(both: dict, alone: dict, only: str | None = None, precise: dict | None = None):
    """How dropout at .5 changes the course of training with batch norm and without it, behind all
    layers or ``only`` some; ``precise`` is the change with batch norm by precise statistics."""

    def run(recipe: Recipe) -> Run:
        change = both if recipe.norm == "batch" else alone
        if recipe.dropout == 0 or only not in (None, recipe.dropout_at):
            change = {}
        if recipe.dropout == 0.1:  # is not judged
            change = {"first": 0.9, "arrives": 2, "final": 0.9, "rough": 0.0}
        wiggle = 1e-3 * (recipe.seed % 2) * (recipe.dropout > 0) * (1 + (recipe.norm == "none"))
        shift = 0.0
        if precise is not None and recipe.norm == "batch" and recipe.dropout == 0.5:
            shift = course(**PLAIN | precise) - course(**PLAIN | change)
        return learned(recipe, course(**PLAIN | change) + wiggle, shift)

    rates = BASE.grid(dropout=(0.1, 0.5), dropout_at=("fc", "conv"), **ARMS)
    return Runs(map(run, BASE.grid(**ARMS) + rates))


def decay_runs(*gains: float, precise: float = 0.0) -> Runs:
    """Gains by weight decays of 1e-4, 2e-4 … over none, larger by precise statistics."""

    def run(recipe: Recipe) -> Run:
        decays = recipe.weight_decay > 0
        gain = gains[round(recipe.weight_decay / 1e-4) - 1] if decays else 0
        return learned(recipe, 0.7 + gain + 1e-3 * (recipe.seed % 2) * decays, precise * decays)

    rates = [1e-4 * i for i in range(len(gains) + 1)]
    return Runs(map(run, BASE.grid(weight_decay=rates, **ARMS)))
