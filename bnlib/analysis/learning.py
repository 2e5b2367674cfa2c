"""What is computed from runs that learned something: accuracies, times, arms, the choice of a rate.

Times and what else is read off a curve are taken on validation curves, as every choice is.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bnlib.analysis.findings import Spread, spread
from bnlib.catalogue import NORMS
from bnlib.recipe import Recipe
from bnlib.run import Run, Runs

RUNNING, PRECISE = "running averages", "precise statistics"
EVALUATIONS = {RUNNING: "", PRECISE: "_precise"}  # how a network with batch norm is evaluated
REACHES = 0.8  # of the best arm's accuracy: an arm below is no ordinary one
LEARNS = 2  # times the accuracy of guessing: a run that ends below has not learned
OWN_BEST = 0.95  # of a run's highest accuracy: there it has converged
FEW = 3  # the first few epochs
SAME_KIND = ("dataset", "model", "width", "epochs")
Measure = Callable[[Runs, str], np.ndarray]  # of an arm and an evaluation: one number a run


def column(arm: Runs, name: str, how: str) -> str:
    """A history's or summary's column under an evaluation; without averages there is only one."""
    averages = all(NORMS[run.recipe.norm].averages for run in arm)
    return name + EVALUATIONS[how] * averages


def accuracy(arm: Runs, how: str) -> np.ndarray:
    """Test accuracy after the last epoch, in percent: (runs,)."""
    return 100 * arm.final(column(arm, "test_acc", how))


def guessing(arm: Runs) -> float:
    """The accuracy of guessing, in percent."""
    return 100 / len(arm[0].summary["class_acc"])


def learned(arm: Runs, how: str) -> np.ndarray:
    """Whether a run ends well above guessing; one that diverged does not: (runs,)."""
    if not len(arm):
        return np.zeros(0, bool)
    return 100 * arm.final(column(arm, "val_acc", how)) > LEARNS * guessing(arm)


def two_outcomes(arm: Runs) -> bool:
    """Whether, under some evaluation, some of the runs learn and others do not."""
    return any(len(set(learned(arm, how).tolist())) == 2 for how in EVALUATIONS)


def curves(arm: Runs, how: str) -> np.ndarray:
    """Validation accuracy after each epoch, in percent: (runs, epochs)."""
    return 100 * arm.history(column(arm, "val_acc", how))


def time_to(target: float) -> Measure:
    """log₂ of the epochs to an accuracy in percent: inf for a run that never gets there."""

    def measure(arm: Runs, how: str) -> np.ndarray:
        return np.log2([_epochs_to(target, curve, guessing(arm)) for curve in curves(arm, how)])

    return measure


def time_to_own_best(arm: Runs, how: str) -> np.ndarray:
    """log₂ of the epochs to a share of a run's own highest accuracy: inf for one that is never
    well above guessing."""
    times = []
    for curve in curves(arm, how):
        top = np.nan_to_num(curve).max()
        learns = top > LEARNS * guessing(arm)
        times.append(_epochs_to(OWN_BEST * top, curve, guessing(arm)) if learns else np.inf)
    return np.log2(times)


def _epochs_to(target: float, curve: np.ndarray, start: float) -> float:
    """Where the straight lines between evaluations, from ``start`` before the first epoch, first
    reach ``target``. Whole epochs would round a short time up by more than a long one."""
    curve = np.array([start, *curve])
    reached = np.flatnonzero(curve >= target)
    if not len(reached):
        return np.inf
    after = reached[0]
    before = max(after - 1, 0)
    rise = curve[after] - curve[before]
    return float(after - (curve[after] - target) / rise) if rise else 0.0


def over_epochs(arm: Runs, how: str) -> np.ndarray:
    """Mean validation accuracy over the epochs, high where learning is fast: (runs,)."""
    return curves(arm, how).mean(axis=1)


def first_epochs(arm: Runs, how: str) -> np.ndarray:
    """Mean validation accuracy over the first few epochs: (runs,)."""
    return curves(arm, how)[:, :FEW].mean(axis=1)


def roughness(arm: Runs, how: str) -> np.ndarray:
    """log₂ of the spread, in points, of the validation accuracy around its trend in the second
    half of a run, four epochs at least: from second differences, which no straight line has."""
    epochs = curves(arm, how).shape[1]
    late = curves(arm, how)[:, min(epochs // 2, epochs - 4) :]
    bends = np.diff(late, n=2, axis=1)  # of white noise with spread s: √6 s
    return np.log2(np.sqrt((bends**2).mean(axis=1) / 6))


def time_constants(run: Run) -> float:
    """How often a run of SGD at a constant rate is as long as weight decay takes to bring the
    squared length of the weights to its equilibrium, 1 / (2 η λ) steps."""
    recipe = run.recipe
    rate = recipe.lr / (1 - recipe.momentum)
    return 2 * rate * recipe.weight_decay * run.summary["steps"]


def best(arm: Runs, field: str, how: str) -> Any:
    """The value of a recipe's field that validation data chooses under an evaluation; one with a
    run that diverged is never chosen while there is another."""

    def chosen_by(value: Any) -> float:
        some = arm.where(**{field: value})
        middle = some.final(column(some, "val_acc", how)).mean()
        return float(middle) if np.isfinite(middle) else -1.0

    return max(arm.values(field), key=chosen_by)


def one_per_seed(*several: Runs) -> Runs:
    """An arm's runs of several experiments, each seed once, by seed: a probe changes no run."""
    found = {run.recipe.seed: run for runs in reversed(several) for run in runs}
    return Runs(found[seed] for seed in sorted(found))


def arms_of(runs: Runs) -> list[Runs]:
    """The runs by arm: those whose recipes differ in seed and probes only."""
    arms: dict[str, list] = {}
    for run in runs:
        if isinstance(run.recipe, Recipe):
            arms.setdefault(run.recipe.arm, []).append(run)
    return [one_per_seed(Runs(some)) for some in arms.values()]


def kind_spread(among: Runs, one: Runs, other: Runs, measure: Measure, how: str) -> Spread | None:
    """The spread over seeds of the arms of the kind of ``one`` and ``other`` that reach a share
    of its best accuracy; None where the two are of different kinds or below that."""
    kind, other_kind = (_kind(arm) for arm in (one, other))
    if kind != other_kind:
        return None
    kin = [arm for arm in arms_of(among) if _kind(arm) == kind]
    reached = [_reached(arm, how) for arm in kin]
    enough = REACHES * max(reached)
    if min(_reached(one, how), _reached(other, how)) < enough:
        return None
    values = (measure(arm, how) for arm, r in zip(kin, reached, strict=True) if r >= enough)
    return spread([v for v in values if np.isfinite(v).all()])


def _kind(arm: Runs) -> tuple:
    return tuple(getattr(arm[0].recipe, name) for name in SAME_KIND)


def _reached(arm: Runs, how: str) -> float:
    middle = accuracy(arm, how).mean()
    return float(middle) if np.isfinite(middle) else -1.0
