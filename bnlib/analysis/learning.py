"""What is computed from runs that learned something: accuracies, arms, the choice of a rate."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bnlib.analysis.findings import Spread, spread
from bnlib.catalogue import NORMS
from bnlib.recipe import Recipe
from bnlib.run import Runs

RUNNING, PRECISE = "running averages", "precise statistics"
EVALUATIONS = {RUNNING: "", PRECISE: "_precise"}  # how a network with batch norm is evaluated
REACHES = 0.8  # of the best arm's accuracy: an arm below is no ordinary one
SAME_KIND = ("dataset", "model", "width", "epochs")
Measure = Callable[[Runs, str], np.ndarray]  # of an arm and an evaluation: one number a run


def column(arm: Runs, name: str, how: str) -> str:
    """A history's or summary's column under an evaluation; without averages there is only one."""
    averages = all(NORMS[run.recipe.norm].averages for run in arm)
    return name + EVALUATIONS[how] * averages


def accuracy(arm: Runs, how: str) -> np.ndarray:
    """Test accuracy after the last epoch, in percent: (runs,)."""
    return 100 * arm.final(column(arm, "test_acc", how))


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
            fields = run.recipe.changed()
            kept = {k: v for k, v in fields.items() if k != "seed" and not k.startswith("probe")}
            arms.setdefault(repr(sorted(kept.items())), []).append(run)
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
