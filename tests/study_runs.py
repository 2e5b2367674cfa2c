"""Runs of the controlled study that nobody trained: every experiment of the chapter, with effects
that a test chooses."""

from collections.abc import Callable

import numpy as np
from alexnet_runs import learned, own, ramp
from made_up import made_up_run

from bnlib.book import chapter
from bnlib.claims import cards
from bnlib.claims.card import Card
from bnlib.claims.ledger import CLAIMS
from bnlib.recipe import Recipe, Timing
from bnlib.run import Run, Runs

NAME = "05_controlled_study"
LATER = {"made": "2026-12-01T00:00:00+00:00"}  # than the rules
CHANCE = 0.1
LAYERS = 11
Truth = Callable[[str, Recipe], float]  # the accuracy at the end, by experiment and recipe


def experiments() -> dict[str, list]:
    return chapter.experiments_of(chapter.CHAPTERS / f"{NAME}.ipynb")("laptop")


def usual(name: str, recipe: Recipe) -> float:
    """What the slides say: batch norm 3 points ahead, the plain network stuck where they say."""
    batch, end = recipe.norm != "none", 0.60
    if name in ("sigmoid", "fast", "normal") and not batch:
        return CHANCE
    end += 0.03 * batch
    end += {"fast": 0.02, "normal": -0.10, "sigmoid": -0.05, "elu": 0.015}.get(name, 0.0)
    end += 0.02 * bool(recipe.weight_decay) - 0.03 * bool(recipe.dropout)
    if name in ("sizes", "scaled"):
        end -= 0.01 * np.log2(recipe.batch_size / 32)
    if name == "rates":
        end -= 0.05 * abs(np.log10(recipe.lr / 0.01))
    end += {"constant": 0, "plateau": 0.02, "cosine": 0.03}[recipe.schedule] * (name == "schedules")
    return float(end)


def run_of(name: str, recipe: Recipe | Timing, truth: Truth) -> Run:
    if isinstance(recipe, Timing):
        steady = np.linspace(0.99, 1.01, recipe.repeats)
        times = {"none": 1.0, "torch": 1.18, "batch": 1.3}
        history = {arm: (x * steady).tolist() for arm, x in times.items()}
        return Run(recipe, history, {"diverged": False}, made_up_run().provenance | LATER, {})
    end = truth(name, recipe)
    batch = recipe.norm != "none"
    curve = ramp(recipe.epochs, recipe.epochs * (0.4 if batch else 0.7), end)
    curve = np.full(recipe.epochs, CHANCE) if end == CHANCE else curve
    curve = curve + 0.002 * own(recipe).normal(size=recipe.epochs)
    run = learned(recipe, curve, 0.0, 0)
    loss = 2.3 * np.exp(-3 * np.arange(1, recipe.epochs + 1) / recipe.epochs)
    run.history["train_loss"] = (loss + 0.001 * own(recipe).random()).tolist()
    run.history["test_loss"] = run.history["test_loss_precise"] = loss.tolist()
    falls = {"constant": 1.0, "plateau": 0.5, "cosine": 0.01}[recipe.schedule]
    run.history["lr"] = np.linspace(recipe.lr, falls * recipe.lr, recipe.epochs).tolist()
    run.summary.update(train_loss=run.history["train_loss"][-1], steps=703 * recipe.epochs)
    run.provenance.update(LATER)
    shape = (recipe.epochs + 1, LAYERS)
    flat = 0.0 if batch else 0.3
    for what in ("dead", "saturated"):
        run.arrays[f"units_{what}"] = np.clip(flat + 0.01 * own(recipe).random(shape), 0, 1)
    run.arrays["units_gradients"] = 1 + own(recipe).random((recipe.epochs + 1, LAYERS + 1))
    return run


def study(truth: Truth = usual, without: tuple[str, ...] = ("svhn",)) -> dict[str, Runs]:
    """Every experiment's runs, but for those in ``without``."""
    return {
        name: Runs([] if name in without else [run_of(name, r, truth) for r in recipes], "laptop")
        for name, recipes in experiments().items()
    }


def card(name: str, runs: dict[str, Runs]) -> Card:
    return cards([claim for claim in CLAIMS[NAME] if claim.id == name], runs)[0]


def words(name: str, runs: dict[str, Runs]) -> dict[str, str]:
    return {answer.part.name: answer.word for answer in card(name, runs).answers}
