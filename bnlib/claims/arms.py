"""Picking and comparing the arms of an experiment, where batch norm is always judged twice."""

from collections.abc import Callable

import numpy as np

from bnlib.analysis.stats import to_own_best
from bnlib.catalogue import NORMS
from bnlib.claims.judge import Finding
from bnlib.run import Runs

EVALUATIONS = {"running averages": "", "precise statistics": "_precise"}
CHANCE = 0.1  # of ten classes
Measure = Callable[[Runs, str], np.ndarray]  # of an arm and a column: one number a run


class NotTested(Exception):
    """The runs that a claim needs are not there; the text says which."""


def pick(runs: Runs, **fields) -> Runs:
    """The runs with these values, at least one."""
    found = runs.where(**fields)
    if not len(found):
        wanted = ", ".join(f"{name} {value}" for name, value in fields.items())
        raise NotTested(f"There is no run with {wanted}.")
    return found


def arms(runs: Runs) -> tuple[Runs, Runs]:
    """The arm with batch norm (ours or PyTorch's) and the one without."""
    norms = [norm for norm in runs.values("norm") if norm != "none"]
    if not norms:
        raise NotTested("There is no run with batch norm.")
    return pick(runs, norm=norms[0]), pick(runs, norm="none")


def column(runs: Runs, name: str, how: str) -> str:
    """A history's or summary's column under one evaluation; there is but one without averages."""
    averages = all(NORMS[run.recipe.norm].averages for run in runs)
    return name + EVALUATIONS[how] * averages


def final(runs: Runs, how: str) -> np.ndarray:
    """Test accuracy after the last epoch: (runs,)."""
    return runs.final(column(runs, "test_acc", how))


def curves(runs: Runs, how: str) -> np.ndarray:
    """Test accuracy after each epoch: (runs, epochs)."""
    return runs.history(column(runs, "test_acc", how))


def epochs_to_best(runs: Runs, how: str) -> np.ndarray:
    """Epochs to 95 % of a run's own best test accuracy; inf for one that never learns."""
    accuracies = curves(runs, how)
    learns = np.nanmax(accuracies, axis=1) > 2 * CHANCE
    return np.where(learns, to_own_best(accuracies), np.inf)


def twice(
    what: str,
    one: Runs,
    other: Runs,
    measure: Measure = final,
    scale: float = 100,
    unit: str = "points",
) -> list[Finding]:
    """one − other by seed, with the running averages and with precise statistics."""
    return [
        Finding.of_pairs(f"{what}, {how}", measure(one, how), measure(other, how), scale, unit)
        for how in EVALUATIONS
    ]
