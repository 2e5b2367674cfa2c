"""Runs of the VGG chapter that nobody trained, with effects that a test chooses."""

from collections.abc import Callable, Iterable

import numpy as np
from made_up import made_up_run

from bnlib.claims import cards
from bnlib.claims.card import Card
from bnlib.claims.landscape import LANDSCAPE
from bnlib.claims.vgg import VGG
from bnlib.recipe import Recipe
from bnlib.run import Run, Runs

BASE = Recipe(dataset="cifar10", model="vgg_a", activation="relu", epochs=4)
ADAM = BASE.but(optimizer="adam", lr=0.001)
SEEDS = range(6)
ARMS = {"norm": ("none", "batch"), "seed": SEEDS}
SWEEP = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
RATES = {0.001: 0.4, 0.002: 1.0, 0.0001: 0.0, 0.0005: 0.7}  # and their losses' place in the band
SAMPLES = 30
ETAS = np.geomspace(0.05, 0.4, 8)
FIVE = {"batch": 0.90, "none": 0.86, "none_dropout": 0.84, "light": 0.79, "batch_dropout": 0.90}


def card(claim: str, **runs: Runs) -> Card:
    (found,) = cards([known for known in (*LANDSCAPE, *VGG) if known.id == claim], runs)
    return found


def words(claim: str, **runs: Runs) -> list[str]:
    return [answer.word for answer in card(claim, **runs).answers]


def flipped(runs: Runs) -> Runs:
    """The two arms under each other's name."""
    other = {"none": "batch", "batch": "none"}
    return Runs(
        Run(run.recipe.but(norm=other[run.recipe.norm]), *list(vars(run).values())[1:])
        for run in runs
    )


def without(runs: Runs, **fields) -> Runs:
    gone = set(map(id, runs.where(**fields)))
    return Runs(run for run in runs if id(run) not in gone)


def noise(recipe: Recipe, salt: int = 0) -> float:
    """Of a run: standard normal, another for every recipe."""
    return float(np.random.default_rng([int(recipe.id, 16), salt]).normal())


def trained(recipe: Recipe, acc: float, precise: float | None = None, **arrays) -> Run:
    """A run that ends at this accuracy (a share), by precise statistics at ``precise``."""
    run = made_up_run(recipe, acc, **arrays)
    classes = {"cifar10": 10, "cifar100": 100}[recipe.dataset]
    run.summary["class_acc"] = [acc] * classes
    for how, value in (("", acc), ("_precise", acc if precise is None else precise)):
        for part in ("val", "test"):
            run.summary[f"{part}_acc{how}"] = value
            run.history[f"{part}_acc{how}"] = [0.1] * (recipe.epochs - 1) + [value]
    return run


def grid(recipe: Recipe, make: Callable[[Recipe], Run], **axes: Iterable) -> Runs:
    return Runs(make(one) for one in recipe.grid(**axes, **ARMS))


def leaves(seed: int) -> int:
    """The sample at which the made-up network without norm is first off its plateau."""
    return 5 + 2 * seed


def landscape_runs(
    on: dict | float = 0.0,
    off: dict | float = 0.0,
    free: dict | float | None = None,
    limit: tuple = (0.1, 0.1),
    last: float = 0.0,
    moved: float = 0.0,
    recipe: Recipe = BASE,
) -> Runs:
    """The measures without batch norm as many factors of two above those with it, on and off the
    plateau; ``free``: off the plateau in scale-free units. β is ``limit`` times the largest that
    the smallest step can show, without and with batch norm. Every third sample is a half and every
    third 8 times the median; after the plateau the loss rises above it once again."""

    def run(recipe: Recipe) -> Run:
        none = recipe.norm == "none"
        each = np.tile([0.5, 1, 8], SAMPLES // 3 + 1)[:SAMPLES] * 2 ** (0.03 * noise(recipe))
        end = leaves(recipe.seed)
        early = np.arange(SAMPLES) < end
        loss = np.where(early, 2.3, 1.5) if none else np.full(SAMPLES, 1.0)
        loss[end + 2] = 2.5
        line = np.tile(np.arange(8) / 7, (SAMPLES, 1))
        np.random.default_rng(recipe.seed).permuted(line, axis=1, out=line)
        no_next = np.where(np.arange(SAMPLES) < SAMPLES - 1, 1, np.nan)
        arrays = {
            "loss": loss,
            "etas": ETAS,
            "scale_free_etas": ETAS / 100,
            "consecutive_changes": no_next * each * 2.0 ** (none * last),
            "consecutive_moves": no_next * 2.0 ** (none * moved),
        }
        lines = {"gradient": (off, ETAS), "scale_free": (off if free is None else free, ETAS / 100)}
        for name, (later, etas) in lines.items():

            def level(what: str, later: dict | float = later) -> np.ndarray:
                powers = [p.get(what, 0.0) if isinstance(p, dict) else p for p in (on, later)]
                return each * 2.0 ** (none * np.where(early, *powers))

            arrays[f"{name}_losses"] = loss[:, None] + line * level("spread")[:, None]
            arrays[f"{name}_changes"] = line * level("change")[:, None]
            arrays[f"{name}_beta"] = level("beta") * limit[not none] / etas.min()
        return trained(recipe, 0.7, **arrays)

    return grid(recipe, run)


def separate_runs(
    band: float = 0.0, falls: float = 0.0, sooner: int = 0, last: float = 0.0, moved: float = 0.0
) -> Runs:
    """Networks trained apart: the losses of the rates lie in a band ``band`` factors of two wider
    without batch norm, where the training loss is ``falls`` higher; all reach the accuracy .7, with
    batch norm ``sooner`` epochs earlier. The last layer's figures are those of the rate .001."""
    runs = []
    for lr, place in RATES.items():
        figures = {"last": last, "moved": moved} if lr == 0.001 else {"last": -9, "moved": 9}
        for run in landscape_runs(recipe=ADAM.but(lr=lr), **figures):
            recipe, none = run.recipe, run.recipe.norm == "none"
            of_seed = np.random.default_rng(recipe.seed)
            widths = 2.0 ** (none * band + 0.03 * noise(recipe.but(lr=0.001)))
            run.arrays["loss"] = of_seed.uniform(0, 2, SAMPLES) + place * widths
            epochs = np.linspace(2, 1, 4) + none * falls + 0.01 * noise(recipe)
            run.history["train_loss"] = (epochs + place).tolist()
            reached = 3 - max(0, sooner if not none else -sooner)  # the epoch, from 0
            curve = np.where(np.arange(4) < reached, 0.3, 0.7).tolist()
            run.history.update(val_acc=curve, val_acc_precise=curve)
            runs.append(run)
    return Runs(runs)


def sweep_runs(batch: tuple, none: tuple, precise: tuple | None = None, plain: float = 0.6) -> Runs:
    """The learning rates that work in each arm; with batch norm at .8, and without at ``plain``;
    the others reach .05 less than the latter."""

    def run(recipe: Recipe) -> Run:
        high = plain if recipe.norm == "none" else 0.8
        works = (none, none) if recipe.norm == "none" else (batch, precise or batch)
        return trained(recipe, *(high if recipe.lr in rates else plain - 0.05 for rates in works))

    return grid(BASE, run, lr=SWEEP)


def start_runs(default: int, xavier: int, he: int, adam: int, seeds: int = 6) -> Runs:
    """How many of the runs without batch norm learn with SGD from three starts, and with Adam from
    PyTorch's; all others do."""
    many = {("sgd", "default"): default, ("sgd", "xavier"): xavier, ("sgd", "he"): he}
    many["adam", "default"] = adam

    def run(recipe: Recipe) -> Run:
        learns = many.get((recipe.optimizer, recipe.init), seeds)
        return trained(recipe, 0.5 if recipe.seed < learns or recipe.norm == "batch" else 0.19)

    arms = {"init": ("default", "xavier", "he"), "norm": ("none", "batch"), "seed": range(seeds)}
    both = BASE.but(lr=0.1).grid(**arms) + ADAM.grid(**arms)
    return Runs(run(recipe) for recipe in both)


def five_runs(
    rises: tuple = (0.5, 0.1), rises_bn: tuple = (0.5, 0.1), precise: float = 0.0, **accuracies
) -> Runs:
    """The five networks: the source's accuracies, or others; precise statistics add ``precise`` to
    that of batch norm alone. The test loss rises so much, without and with dropout."""

    def run(recipe: Recipe) -> Run:
        dropped = recipe.dropout > 0
        light = recipe.model == "vgg_a_light"
        name = "light" if light else recipe.norm + "_dropout" * dropped
        acc = (FIVE | accuracies)[name] + 0.002 * noise(recipe)
        run = trained(recipe, acc, acc + precise * (name == "batch"))
        rise = (rises if recipe.norm == "none" else rises_bn)[dropped] + 0.01 * noise(recipe, 1)
        for how in ("", "_precise"):
            run.history[f"test_loss{how}"] = [2.0, 0.5, 0.9, 0.5 + max(0.0, rise)]
        return run

    light = Runs(run(one) for one in ADAM.but(model="vgg_a_light").grid(seed=SEEDS))
    return Runs([*grid(ADAM, run, dropout=(0.0, 0.5)), *light])


def sixteen_runs(
    moved: tuple = (1e-9, 1e-6, 1e-2), many: tuple = (8, 6, 2), falls: float = 0.5, gains: float = 2
) -> Runs:
    """VGG-16: of its 16 tensors so ``many`` have moved by these shares of their length without
    batch norm at .001. There its loss is ``falls`` higher, its accuracy ``gains`` points lower."""

    def run(recipe: Recipe) -> Run:
        none = recipe.norm == "none"
        shares = np.repeat(moved, many) if none and recipe.lr == 0.001 else np.ones(16)
        lengths = np.linspace(5, 20, 16)
        run = trained(
            recipe,
            0.5 - 0.01 * none * gains + 0.001 * noise(recipe),
            weight_norms=np.linspace(lengths, 3 * lengths, 5),
            weights_moved=np.linspace(0 * lengths, shares * lengths, 5),
        )
        loss = np.linspace(3, 1, 4) + none * falls + 0.01 * noise(recipe, 1)
        run.history["train_loss"] = loss.tolist()
        return run

    rates = {"dataset": ("cifar10", "cifar100"), "lr": (0.001, 0.01, 0.1)}
    return grid(BASE.but(model="vgg16"), run, **rates)
