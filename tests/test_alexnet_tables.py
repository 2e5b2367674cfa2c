"""Tables, sentences and shapes of the AlexNet page, from runs whose numbers a test chooses."""

import re
from dataclasses import replace

import numpy as np
import pytest
from alexnet_runs import (
    ARMS,
    BASE,
    decay_runs,
    each,
    learned,
    optimizer_runs,
    speed_runs,
    time_runs,
)
from matplotlib import pyplot as plt

from bnlib.analysis.course import effective_rate, travelled
from bnlib.analysis.learning import PRECISE, RUNNING
from bnlib.analysis.variance_shift import shift
from bnlib.book import alexnet_answers as answers
from bnlib.book import alexnet_curves as curves
from bnlib.book import alexnet_sweeps as sweeps
from bnlib.book import alexnet_tables as tables
from bnlib.book.tables import both, folded, numbered, percent
from bnlib.run import Runs


def arm(*ends: float, norm: str = "none", precise: float = 0.0, **fields) -> Runs:
    recipe = BASE.but(norm=norm, epochs=4, **fields)
    return Runs(
        learned(recipe.but(seed=seed), np.full(4, end), precise, spread=0)
        for seed, end in enumerate(ends)
    )


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# What all pages share


def test_up_to_three_runs_stand_one_by_one():
    assert percent(arm(0.5, 0.612, 0.1)) == "50.0 · 61.2 · 10.0"


def test_more_are_a_mean_with_its_interval():
    # 60, 62, 64, 66: mean 63, SD √(20/3), t(3) = 3.182
    half = 3.18245 * np.sqrt(20 / 3) / 2
    assert percent(arm(0.60, 0.62, 0.64, 0.66)) == f"63.0 ± {half:.1f}"


def test_two_outcomes_are_counted():
    assert percent(arm(0.1, 0.6, 0.1, 0.62, 0.1)) == "2 of 5 learn"


def test_both_evaluations_of_an_arm():
    assert both(arm(0.5, norm="batch", precise=0.1)) == {RUNNING: "50.0", PRECISE: "60.0"}
    assert both(arm(0.5)) == {RUNNING: "50.0", PRECISE: "–"}


def test_a_numbered_table_has_all_columns_and_gaps():
    rows = {"one": {"a": "1"}, "two": {"a": "2", "b": "3"}}
    assert numbered(rows, "run", "tab-it", "What it is.").data.splitlines() == [
        ":::{table} What it is.",
        ":name: tab-it",
        "",
        "| run | a | b |",
        "| --- | --- | --- |",
        "| one | 1 | – |",
        "| two | 2 | 3 |",
        ":::",
    ]


def test_what_is_folded_stands_below_its_title():
    table = numbered({"one": {"a": "1"}}, "run", "tab-it", "What it is.")
    lines = folded("Numbers", "First.", table).data.splitlines()
    assert lines[:5] == ["::::{admonition} Numbers", ":class: dropdown", "", "First.", ""]
    assert lines[5:] == [*table.data.splitlines(), "::::"]


# Measures of a course


def with_arrays(recipe, **arrays):
    return replace(learned(recipe, 0.5), arrays=arrays)


def test_effective_rate_leaves_out_the_last_tensor():
    lengths = np.array([[1.0, 4.0, 9.0], [2.0, 8.0, 1e9]])  # (moments, tensors)
    runs = Runs([with_arrays(BASE.but(lr=0.5), weight_norms=lengths)])
    # .5 / (1 · 4), then .5 / (2 · 8): the geometric means of the squares
    assert effective_rate(runs) == pytest.approx(np.array([[0.125, 0.5 / 16]]))


def test_travelled_is_in_units_of_each_tensors_start():
    lengths = np.array([[1.0, 4.0], [3.0, 5.0]])
    moved = np.array([[0.0, 0.0], [2.0, 2.0]])
    runs = Runs([with_arrays(BASE, weight_norms=lengths, weights_moved=moved)])
    assert travelled(runs) == pytest.approx(np.array([[0, (2 + 0.5) / 2]]))


def test_shift_is_the_ratio_of_the_medians_layer_by_layer():
    arrays = {
        "variance_train1": np.array([1.0, 6.0, 8.0]),
        "variance_eval1": np.array([2.0, 3.0, 1.0]),
        "variance_train2": np.array([5.0]),
        "variance_eval2": np.array([10.0]),
    }
    assert shift(Runs([with_arrays(BASE, **arrays)])) == pytest.approx(np.array([[3, 0.5]]))


# Sentences


def test_optimisers_differ_by_what_they_differ():
    said = answers.tuned_optimisers({"optimizer": optimizer_runs(0.05)})
    assert "running averages 5.0 points" in said
    apart = re.findall(
        r"lie (\S+) points for SGD and (\S+) points for Adam", said
    )  # the better and the worse rate
    assert np.array(apart, float) == pytest.approx(np.full((2, 2), 30), abs=0.5)


def test_decay_is_said_where_the_runs_are_long_enough_for_it():
    short, long = decay_runs({5e-4: 0.2}), decay_runs({5e-4: 0.03, 4e-3: -0.05}, epochs=86)
    said = answers.weight_decay({"decay": short})
    # 1 / (2 · .1 · 5e-4) is 10,000 steps; 12 epochs of 351 are 4,212
    assert "For λ = 0.0005 a time constant is 10,000 steps" in said
    assert "4,212**, which is 0.42 time constants" in said
    assert "Against" not in said
    said = answers.weight_decay({"decay": Runs([*short, *long])})
    assert said.startswith("Runs of 30,186 steps last 3 and 24 time constants")
    assert re.findall(r"at λ = (\S+) by", said) == ["0.0005", "0.004"]
    gains = [float(x.replace("−", "-")) for x in re.findall(r"(\S+) points", said)]
    assert gains == pytest.approx([3, 3, -5, -5], abs=0.4)  # against runs as long
    assert "untestable" not in said
    rows = tables.decays(Runs([*short, *long]))
    assert len(rows) == 2 + 3


def test_the_effective_rate_at_the_end_is_that_of_the_longest_runs():
    def run(decay, epochs, factor):
        lengths = np.array([[2.0, 3.0, 1.0], [2.0 * factor, 3.0 * factor, 9.0]])
        recipe = BASE.but(norm="batch", weight_decay=decay, epochs=epochs)
        return with_arrays(recipe, weight_norms=lengths)

    runs = Runs([run(0.0, 9, 2.0), run(0.01, 9, 0.5), run(0.0, 2, 7.0)])
    said = answers.effective_rates(runs)
    assert "is 0.25 (λ = 0), 4 (λ = 0.01) times that of the start" in said


def test_dropout_is_said_with_what_the_evaluation_takes():
    """Behind the convolutions 60 points fall to 20, by precise statistics to 50."""
    recipes = BASE.grid(**ARMS) + BASE.grid(dropout=(0.3,), dropout_at=("fc", "conv"), **ARMS)
    drop = Runs(
        learned(r, 0.2 if r.dropout_at == "conv" else 0.6, 0.3 * (r.dropout_at == "conv"))
        for r in recipes
    )
    said = answers.dropped_behind_convolutions(drop)
    assert "at p = 0.3 the accuracy is 20 % by running averages, 50 % by precise" in said
    assert said.endswith("60 % without dropout.")
    costs = re.findall(r"(\S+) points", answers.dropout({"dropout": drop}).replace("−", "-"))
    assert np.array(costs, float) == pytest.approx([0, 0, -40, -10, -40], abs=0.5)


def test_the_largest_batch_is_on_the_plateau_while_its_mean_loss_is_above_it():
    def run(recipe):
        made = learned(recipe, 0.5)
        late = 3 if recipe.batch_size == 512 else 0
        made.history["train_loss"] = [2.3] * late + [2.1] * (recipe.epochs - late)
        return made

    sizes = BASE.but(norm="none").grid(batch_size=(64, 512), seed=range(3))
    runs = {name: Runs(map(run, sizes)) for name in ("batch", "scaled")}
    assert "3 (learning rate 0.1) and 3 (" in answers.on_the_plateau(runs)


def test_ours_and_pytorchs_differ_by_the_mean_of_the_pairs():
    recipes = BASE.grid(norm=("none", "batch", "torch"), seed=range(3))
    ends = {"none": 0.5, "batch": 0.6, "torch": 0.61}
    runs = Runs(learned(r, ends[r.norm] + 0.01 * r.seed, spread=0) for r in recipes)
    # all pairs are 1.0 apart: a difference with no spread, and no interval
    assert answers.ours_and_torchs(runs).endswith("PyTorch's − ours: 1.0 points.")


# Rows


def test_rows_of_times_count_the_runs_that_never_get_there():
    main = speed_runs(20, 5, top=0.68)
    rows = tables.speeds(main, Runs([]), Runs([]))
    assert list(rows) == [f"{n}, {lr}" for lr in ("0.01", "0.1") for n in ("no norm", "batch norm")]
    assert rows["batch norm, 0.01"]["epochs to 65 %"] == "0 of 5 get there"
    # 55 of 58 points in 5 epochs
    middle = float(rows["batch norm, 0.1"]["epochs to 65 %"].split()[0])
    assert middle == pytest.approx(5 * 55 / 58, rel=0.05)


def test_the_chosen_rate_is_the_one_of_the_evaluation_by_precise_statistics():
    rows = tables.optimisers(optimizer_runs(0.05, precise=0.1))
    assert [name for name in rows if "chosen" in name] == [
        "SGD, 0.01 (chosen)",
        "Adam, 0.001 (chosen)",
    ]


def test_dropout_of_none_has_no_place():
    recipes = BASE.grid(**ARMS) + BASE.grid(dropout=(0.3,), dropout_at=("fc", "conv"), **ARMS)
    rows = tables.dropouts(each(recipes, lambda r: 0.6 - 0.1 * (r.dropout_at == "conv")))
    assert list(rows) == ["none", "behind the linear layers, 0.3", "behind the convolutions, 0.3"]
    conv = float(rows["behind the convolutions, 0.3"]["BN, running"].split()[0])
    assert [float(rows["none"]["no norm"].split()[0]), conv] == pytest.approx([60, 50], abs=0.5)


def test_multiply_adds_are_those_of_an_image():
    rows = tables.networks(Runs([]), Runs([]), time_runs(5)["timing"])
    # two convolutions, one that covers what is left, two linear layers
    lenet = 28**2 * 3 * 6 * 25 + 10**2 * 6 * 16 * 25 + 16 * 25 * 120 + 120 * 84 + 84 * 10
    assert rows["LeNet, no norm"]["multiply-adds"] == f"{lenet / 1e6:.3g} M"


# Figures


def test_every_rate_has_a_panel_with_the_arms_errors():
    main = speed_runs(20, 5)
    axes = curves.by_rate(main).axes
    assert [ax.get_title() for ax in axes] == ["learning rate 0.01", "learning rate 0.1"]
    shown = {line.get_label(): line for line in axes[1].get_lines()}
    wanted = 100 - 100 * main.where(lr=0.1, norm="batch").history("test_acc").mean(axis=0)
    assert shown["batch norm"].get_ydata() == pytest.approx(wanted)


def test_dropouts_lines_go_through_the_means():
    recipes = BASE.grid(**ARMS) + BASE.grid(dropout=(0.3,), dropout_at=("fc", "conv"), **ARMS)
    drop = each(recipes, lambda r: 0.6 - 0.1 * (r.dropout_at == "conv"))
    conv = sweeps.by_dropout(drop).axes[1]
    line = next(line for line in conv.get_lines() if line.get_label() == "no norm")
    ends = [
        drop.where(norm="none", dropout=p, dropout_at=a) for p, a in ((0.0, "fc"), (0.3, "conv"))
    ]
    assert line.get_ydata() == pytest.approx([100 * some.final("test_acc").mean() for some in ends])
