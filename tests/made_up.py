"""Small recipes, and runs that nobody trained."""

import numpy as np

from bnlib.recipe import PROTOCOL, Recipe
from bnlib.run import Run

SMALL = Recipe(dataset="digits", model="mlp", epochs=2)  # 10 steps an epoch, a tenth of a second


def made_up_run(recipe: Recipe = SMALL, test_acc: float = 0.5, **arrays: np.ndarray) -> Run:
    """What training ``recipe`` might have given."""
    rng = np.random.default_rng(recipe.seed)
    history = {
        column: rng.uniform(0, 2, recipe.epochs).tolist()
        for column in ("train_loss", "val_loss", "test_loss", "test_acc", "seconds")
    }
    history["test_acc"][-1] = test_acc
    summary = {"diverged": False, "test_acc": test_acc, "epochs": recipe.epochs, "parameters": 7}
    provenance = {
        "made": "2026-01-02T03:04:05+00:00",
        "commit": "0123456789abcdef",
        "dirty": False,
        "versions": {"torch": "2.14.1"},
        "device": "a made-up processor",
        "device_kind": "cpu",
        "seconds": 1.5,
        "protocol": PROTOCOL,
    }
    return Run(recipe, history, summary, provenance, arrays)


def without_time(run: Run) -> tuple:
    """Everything of a run that its recipe determines, to be compared with ==."""
    history = {column: row for column, row in run.history.items() if column != "seconds"}
    arrays = {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in run.arrays.items()}
    return run.recipe, history, run.summary, arrays
