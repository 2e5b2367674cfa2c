"""The tables of the VGG chapter on training, on made-up runs whose answer is known."""

import numpy as np
from made_up import made_up_run

from bnlib.book import vgg_answer, vgg_figures, vgg_tables
from bnlib.book import vgg_readings as readings
from bnlib.recipe import Recipe
from bnlib.run import Run, Runs

BASE = Recipe(dataset="cifar10", model="vgg_a", activation="relu", epochs=2)
ARMS = {"norm": ("none", "batch"), "seed": range(3)}


def ended(recipe: Recipe, acc: float, **arrays) -> Run:
    run = made_up_run(recipe, acc, **arrays)
    run.summary["class_acc"] = [acc] * 10
    run.summary["test_loss"] = 2.0
    for part in ("val", "test"):
        for how in ("", "_precise"):
            run.summary[f"{part}_acc{how}"] = acc
            run.history[f"{part}_acc{how}"] = [0.1, acc]
    return run


def cells(shown: object, start: str) -> list[str]:
    """Of the row that starts so, split where two blanks stand."""
    (row,) = (line for line in repr(shown).splitlines() if line.startswith(start))
    return [cell.strip() for cell in row[len(start) :].split("  ") if cell.strip()]


def test_the_sweep_counts_runs_and_beats_the_best_of_the_same_seed():
    plain = {0.01: 0.1, 0.1: 0.5, 1.0: 0.1}
    batch = {0.01: 0.45, 0.1: 0.6, 1.0: 0.55}
    runs = Runs(
        ended(recipe, (plain if recipe.norm == "none" else batch)[recipe.lr])
        for recipe in BASE.grid(lr=tuple(plain), **ARMS)
    )
    shown = vgg_tables.sweep(runs)
    assert cells(shown, "no norm") == ["3 of 9 runs", "0.1", "–", "50.0 (0.1)"]
    known = ["9 of 9 runs", "0.01, 0.1, 1", "6 of 9 runs", "60.0 (0.1)"]
    assert cells(shown, "batch norm") == known


def test_rates_above_the_best_and_on_the_plateau_are_counted_apart():
    plain = {0.01: 0.1, 0.1: 0.5, 1.0: 0.1}
    runs = Runs(
        ended(recipe, plain[recipe.lr] if recipe.norm == "none" else 0.6)
        for recipe in BASE.grid(lr=tuple(plain), **ARMS)
    )
    said = vgg_answer.by_rates(runs)
    assert said == "; at 1 and above, 3 of 3 against 0 of 3; at 0.01, 3 of 3 against 0 of 3"
    assert vgg_answer.by_rates(runs.where(lr=0.1)) == ""


def test_other_norms_and_dropout_are_differences_of_accuracy():
    ends = {"none": 0.4, "batch": 0.6, "l1": 0.58}
    recipes = BASE.grid(norm=tuple(ends), seed=range(3))
    some = Runs(ended(r, ends[r.norm] + 0.01 * r.seed) for r in recipes)
    # SD 1 in both of two arms at 80 % of the best: ± 2.776 √(2 / 3)
    half = 2.77645 * np.sqrt(2 / 3)
    text = f"−2.0 (−{2 + half:.1f} to {half - 2:.1f})"
    assert readings.norms(some, some).count(text) == 2
    nets = {
        name: some.where(norm=n)
        for name, n in {
            "plain": "batch",
            "dropout": "l1",
            "batch norm": "batch",
            "both": "batch",
        }.items()
    }
    said = readings.dropout(nets, some)
    assert f"by {text} points without batch norm, by 0.0 (" in said


def test_updates_are_counted_tensor_by_tensor():
    def run(recipe: Recipe) -> Run:
        starts = np.array([[2.0, 4.0, 1.0, 1.0]])
        moved = np.array([[1.0, 1e-9, 2e-5, 0.0 if recipe.seed else 1e-3]])
        return ended(recipe, 0.1, weight_norms=starts, weights_moved=moved)

    shown = vgg_tables.updates(Runs(run(recipe) for recipe in BASE.grid(**ARMS)))
    assert cells(shown, "CIFAR-10, no norm")[:2] == ["2 to 3 of 4", "1 to 2 of 4"]
    assert cells(shown, "CIFAR-10, no norm")[-1] == "0.5"


def test_starts_show_the_geometric_mean_of_the_spread():
    runs = Runs(
        ended(recipe, 0.3, logit_spread=np.array([10.0 ** (-recipe.seed), 5.0]))
        for recipe in BASE.grid(init=("default", "he"), **ARMS)
    )
    assert cells(vgg_tables.starts(runs), "He, no norm") == ["0.1", "30.0"]


def test_the_five_networks_are_told_apart():
    recipes = BASE.grid(dropout=(0.0, 0.5), **ARMS) + BASE.but(model="vgg_a_light").grid(
        seed=range(3)
    )
    runs = Runs(ended(recipe, 0.5, ece=np.array([0.5, 0.02])) for recipe in recipes)
    found = vgg_figures.nets(runs)
    assert list(found) == ["plain", "dropout", "batch norm", "both", "Light"]
    assert {len(arm) for arm in found.values()} == {3}
    assert found["both"][0].recipe.dropout == 0.5
    shown = vgg_tables.five(found, {"plain": "86.3"})
    assert cells(shown, "plain")[:3] == ["86.3", "50.0", "2.00"]
    assert cells(shown, "both")[-1] == "2.00"


def test_networks_are_counted_at_full_width():
    shown = vgg_tables.networks(BASE)
    assert cells(shown, "conv1 ") == ["64: 1,792", "64: 1,792", "16: 448"]
    assert cells(shown, "fc3")[-1] == "10: 1,290"
    assert len(cells(shown, "all")) == 3
