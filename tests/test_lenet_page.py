"""What the LeNet page computes, on made-up runs whose answer is known by hand."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from bnlib.analysis.digits import among_the_two_hardest, class_errors
from bnlib.analysis.early import blew_up
from bnlib.analysis.learning import PRECISE, RUNNING
from bnlib.analysis.rates import at_best, by_rate
from bnlib.book import (
    affine,
    digit_errors,
    epoch_curves,
    finals,
    layers,
    lenet_answers,
    rates,
    says,
    step_times,
    warm_up,
)
from bnlib.recipe import Recipe, Timing
from bnlib.run import Run, Runs, of_the_same_seeds

LENET = Recipe(dataset="mnist", model="lenet", lr=0.9, epochs=2)
EASY = [0.99] * 10


def run(recipe, accuracy, first_loss=0.3, by_digit=EASY, precise=0.0, val=None, **arrays):
    """A run that ends with this test accuracy; 0.9 after the first epoch."""
    val = accuracy if val is None else val
    history = {"train_loss": [first_loss, 0.01], "test_acc": [0.9, accuracy]}
    history |= {"test_loss": [0.4, 0.05], "val_acc": [0.9, val]}
    summary = {"test_acc": accuracy, "val_acc": val, "class_acc": by_digit, "parameters": 1234}
    summary |= {"test_acc_precise": accuracy + precise, "val_acc_precise": val}
    return Run(recipe, history, summary | {"diverged": False}, {"device_kind": "cpu"}, arrays)


def arm(accuracies, norm="none", **fields):
    kept = {key: fields.pop(key) for key in ("lr", "activation", "image_size") if key in fields}
    recipe = LENET.but(norm=norm, **kept)
    return [run(recipe.but(seed=seed), acc, **fields) for seed, acc in enumerate(accuracies)]


@pytest.fixture(autouse=True)
def no_figures_stay_open():
    plt.close("all")
    yield
    assert plt.get_fignums() == []


def test_errors_by_rate_are_sorted_by_rate():
    sweep = Runs(arm([0.9, 0.8], lr=1.0) + arm([0.98, 0.97], lr=0.1))
    found = by_rate(sweep, RUNNING)
    assert list(found) == [0.1, 1.0]
    assert found[0.1] == pytest.approx([2, 3])
    assert found[1.0] == pytest.approx([10, 20])


def test_the_best_rate_is_chosen_by_validation_and_takes_further_seeds():
    tried = Runs(arm([0.9, 0.9], lr=0.1, val=0.8) + arm([0.5, 0.5], lr=1.0, val=0.9))
    more = Runs(arm([0.6, 0.7, 0.8], lr=1.0) + arm([0.1], lr=0.1))
    found = at_best("none", RUNNING, tried, more)
    assert [r.recipe.lr for r in found] == [1.0] * 3
    assert found.final("test_acc").tolist() == [0.6, 0.7, 0.8]  # the first that is given counts


def test_a_run_blows_up_above_half_of_guessings_loss():
    half = np.log(10) / 2
    runs = Runs(run(LENET.but(seed=i), 0.9, loss) for i, loss in enumerate([half - 0.01, 2.5, 1.2]))
    assert blew_up(runs).tolist() == [False, True, True]
    runs[0].history["train_loss"][0] = None  # it diverged
    assert blew_up(runs)[0]


def test_the_two_hardest_digits_with_ties():
    runs = Runs([run(LENET, 0.9, by_digit=[0.9, 0.8, 0.7, 0.8, 1, 1, 1, 1, 1, 1])])
    assert class_errors(runs)[0, :4] == pytest.approx([10, 20, 30, 20])
    found = [bool(among_the_two_hardest(runs, digit)[0]) for digit in range(5)]
    assert found == [False, True, True, True, False]


def test_a_cell_shows_few_runs_one_by_one_and_many_with_their_interval():
    assert finals.cell(np.array([89.9, 1.449, 88.65])) == "1.45 · 88.7 · 89.9"
    values = np.array([1.0, 2.0, 3.0, 4.0])  # t = 3.182 at 3 df, sd = 1.291
    assert finals.cell(values) == "2.50 ± 2.05"


def test_both_evaluations_and_none_without_averages():
    runs = Runs(arm([0.9, 0.8]) + arm([0.9, 0.8], norm="batch", precise=0.01))
    assert finals.both(finals.by_norm(runs)) == {
        "no norm": {RUNNING: "10.0 · 20.0", PRECISE: "–"},
        "batch norm": {RUNNING: "10.0 · 20.0", PRECISE: "9.00 · 19.0"},
    }


SWEEP = Runs(
    arm([0.9, 0.92], lr=0.1)
    + arm([0.5, 0.1], lr=1.0)
    + arm([0.98, 0.97], norm="batch", lr=0.1)
    + arm([0.99, 0.98], norm="batch", lr=1.0)
)


def test_table_of_rates_marks_the_chosen_one():
    assert rates.table(SWEEP) == {
        "0.1": {"no norm": "**8.00 · 10.0**", "batch norm": "2.00 · 3.00"},
        "1": {"no norm": "50.0 · 90.0", "batch norm": "**1.00 · 2.00**"},
    }
    assert rates.span(SWEEP.where(norm="none")) == pytest.approx((9, 70))


def test_valley_draws_every_run_and_the_means():
    ax = rates.valley(SWEEP, source=0.9, chance=90).axes[0]
    lines = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    assert lines["no norm"] == pytest.approx([9, 70])
    assert lines["batch norm"] == pytest.approx([2.5, 1.5])
    drawn = [tuple(line.get_ydata()) for line in ax.get_lines() if line.get_marker() == "o"]
    assert np.allclose(drawn, [(10, 8), (50, 90), (2, 3), (1, 2)])


def test_dots_are_the_errors_of_the_runs():
    runs = Runs(arm([0.9, 0.8, 0.7]) + arm([0.99, 0.98, 0.97], norm="batch"))
    ax = finals.dots(runs, published=0.95, who="a book").axes[0]
    drawn = [line.get_xdata() for line in ax.get_lines() if line.get_marker() == "o"]
    assert np.allclose(drawn, [(1, 2, 3), (10, 20, 30)])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["batch norm", "no norm"]


MAIN = Runs(
    arm([0.980, 0.981, 0.982, 0.983])
    + [run(LENET.but(seed=s), 0.97, 2.4, acc_as_reported=np.zeros(2)) for s in (4, 5)]
    + arm([0.99] * 6, norm="batch")
)


def test_the_gain_has_its_interval():
    none, batch = Runs(arm([0.96, 0.97, 0.98])), Runs(arm([0.98, 0.985, 0.99], norm="batch"))
    # SD 1 and .5, pooled √.625: ± 2.776 √(.625 · 2 / 3), 4 degrees of freedom
    found = lenet_answers.gain(none, batch, {"main": Runs([*none, *batch])})
    assert found == "1.50 points (−0.29 to 3.29)"


def test_early_blow_ups_are_told_with_their_gain():
    said = lenet_answers.early(MAIN)
    assert "In 2 of 6 seeds (4, 5)" in said
    assert "they end at 3.00 to 3.00 % error, the others at 1.70 to 2.00 %" in said
    # 2.0, 1.9, 1.8, 1.7 against 1.0 six times: Welch with the 3 degrees of the one that varies
    half = 3.18245 * np.std([2.0, 1.9, 1.8, 1.7], ddof=1) / 2
    assert f"batch norm gains 0.85 points ({0.85 - half:.2f} to {0.85 + half:.2f})" in said
    assert "With batch norm 0 of 6 runs blow up" in said
    calm = Runs(r for r in MAIN if r.history["train_loss"][0] < 1)
    assert "do not fall into two groups" in lenet_answers.early(calm)


def test_short_answer_has_its_numbers():
    found = {"main": MAIN, "sweep": SWEEP, "best": Runs([]), "warmup": warmed([98.1, 98.12])}
    lines = lenet_answers.short_answer(found)
    assert "between 1.50 and 2.50 % with batch norm" in lines[2]
    assert "runs from 9.00 to 70.0 % (n = 2)" in lines[2]
    assert "2 of 6 runs without batch norm blow up" in lines[3]
    p = 2 * (6 * 5) / (12 * 11)  # both of two blow-ups among the six of one arm, twice
    assert f"0 of 6 runs with it (Fisher p = {p:.2f})" in lines[3]
    # 98.0 to 98.3 and twice 97 against six times 99
    assert lines[0].endswith(
        "6 of 6 pairs of single runs if decimals are cut off, in 6 if they are rounded."
    )


def warmed(percents):
    """With a warm-up: the plain network ends at these, batch norm at 99.00 and 99.02 in turn."""
    gentle = LENET.but(schedule="warmup")
    ends = {"none": percents, "batch": [99.00, 99.02] * (len(percents) // 2)}
    return Runs(
        run(gentle.but(norm=norm, seed=seed), percent / 100)
        for norm, some in ends.items()
        for seed, percent in enumerate(some)
    )


CALM = Runs(arm([0.980, 0.9802] * 5, first_loss=2.4) + arm([0.99] * 4, norm="batch"))


@pytest.mark.parametrize(
    ("percents", "head", "words"),
    [
        ([98.1, 98.12] * 2, "a bad start avoided is not the whole gain", "a lead of +0.90 points"),
        ([98.95, 98.97] * 2, "is not the whole gain", "a lead, perhaps a small one: +0.050 points"),
        ([99.0, 99.02] * 2, "the gain is a bad start avoided", "no lead any more: 0 points"),
        ([99.1, 99.12] * 2, "avoided, and more", "falls behind: −0.10 points"),
        ([98.5, 99.3] * 2, "stays open", "may keep a lead, or none: +0.11 points"),
    ],
)
def test_a_warm_up_takes_the_gain_or_leaves_it(percents, head, words):
    runs = {"main": CALM, "warmup": warmed(percents)}
    assert head in warm_up.head(runs)
    said = warm_up.said(runs)
    assert words in said
    assert "0 of 4 runs without batch norm blow up" in said
    assert "(n = 4)" in said


def test_a_warm_ups_gain_is_over_the_same_seeds():
    runs = {"main": CALM, "warmup": warmed([98.1, 98.12] * 2)}
    assert "changes by +0.10 points" in warm_up.said(runs)
    rows = warm_up.table(runs)
    assert list(rows) == [
        f"{rate}, {norm}" for rate in ("constant", "warm-up") for norm in ("no norm", "batch norm")
    ]
    assert [row["blow up"] for row in rows.values()] == ["4 of 4", "0 of 4", "0 of 4", "0 of 4"]
    assert rows["constant, no norm"]["test error (%)"] == "1.99 ± 0.02"


def test_arms_are_cut_to_the_seeds_that_all_have():
    many, few = Runs(arm([0.9, 0.8, 0.7])), Runs(arm([0.6, 0.5], norm="batch"))
    cut, same = of_the_same_seeds(many, few)
    assert [run.recipe.seed for run in cut] == [run.recipe.seed for run in same] == [0, 1]
    assert lenet_answers.single(Runs([*many, *few])).startswith(
        "Printed in whole percents it shows in 0 of 2 pairs"
    )


def test_single_runs_show_the_gain_where_their_whole_percents_differ():
    runs = Runs(arm([0.981, 0.983, 0.988, 0.991]) + arm([0.984, 0.987, 0.991, 0.993], norm="batch"))
    # cut: 98 98 98 99 against 98 98 99 99; rounded: 98 98 99 99 against 98 99 99 99
    assert lenet_answers.single(runs).endswith(
        "in 1 of 4 pairs of single runs if decimals are cut off, in 1 if they are rounded."
    )


def test_both_arms_print_the_sources_number():
    def arms(norm, ends):
        each = [{"acc_as_reported": np.array([0.5, end])} for end in ends]
        return [run(LENET.but(norm=norm, seed=i), 0.9, **probe) for i, probe in enumerate(each)]

    runs = Runs(arms("none", [0.971, 0.984, 0.986]) + arms("batch", [0.985, 0.981, 0.989]))
    said = lenet_answers.printed_alike(runs, 98)
    assert "98 % in 2 of 3 seeds if decimals are cut off, in 1 if they are" in said


def test_ours_and_pytorchs_are_compared_where_both_are_trained():
    ours = arm([0.990, 0.991, 0.992, 0.95], norm="batch")  # the fourth has no partner
    said = lenet_answers.beside_torch(Runs(ours + arm([0.991, 0.993, 0.995], norm="torch")))
    # −.1, −.2 and −.3 points: −.2 ± 4.303 · .1 / √3
    assert "(n = 3), our batch norm ends at −0.20 points (−0.45 to 0.048) of" in said


def test_what_the_averages_cost_is_paired():
    runs = [
        run(LENET.but(norm="batch", seed=i), 0.9 + 0.02 * i, precise=0.001 * i) for i in (0, 1, 2)
    ]
    # 0, .1, .2 points: .1 ± 4.303 · .1 / √3
    assert "still cost 0.10 points (−0.15 to 0.35; each" in lenet_answers.averages_cost(Runs(runs))


def test_lost_activations_are_counted():
    runs = Runs(
        arm([0.1, 0.9, 0.1], activation="relu")
        + arm([0.9] * 3, activation="tanh")
        + arm([0.98] * 3, norm="batch", activation="relu")
        + arm([0.96] * 3, norm="batch", activation="tanh")
    )
    said = lenet_answers.activations_said(runs)
    assert "of the rates 0.9: with ReLU 2 of 3 runs fail at 0.9." in said
    assert "all 2 settings end at 2.00 to 4.00 %" in said


def test_the_sources_evaluation_is_taken_apart():
    probes = {"acc_test_batches": np.array([0.8, 0.9]), "acc_as_reported": np.array([0.8, 0.985])}
    runs = Runs(arm([0.95], **probes) + arm([0.96], norm="batch", **probes))
    rows = lenet_answers.evaluations(runs)
    column = [row["no norm"] for row in rows.values()]
    assert column == ["5.00", "10.0", "1.50", "98 %", "98 %"]
    assert rows["evaluated properly"]["batch norm"] == "4.00"


def test_rows_of_activations_and_sizes():
    runs = Runs(arm([0.9], activation="relu") + arm([0.8], norm="batch", activation="relu"))
    assert lenet_answers.activations(runs) == {
        "relu, 0.9": {"no norm": "10.0", "batch norm": "20.0"}
    }
    bare = Runs(arm([0.7], image_size=28) + arm([0.6], norm="batch", image_size=28))
    rows = lenet_answers.sizes(runs, bare)
    assert rows["no norm, 28 × 28"] == {"test error (%)": "30.0", "parameters": "1,234"}
    assert next(iter(rows)) == "no norm, 32 × 32"


def test_what_the_size_changes_is_said_with_the_words_of_the_claim():
    near = [0.98, 0.981, 0.982]
    main = Runs(arm(near) + arm([x + 0.01 for x in near], norm="batch"))
    bare = Runs(arm(near, image_size=28) + arm(near, norm="batch", image_size=28))
    said = lenet_answers.sizes_said({"main": main, "unpadded": bare})
    assert "changes without BN by 0 points (−0.19 to 0.19), open (" in said
    assert "; with BN by +1.00 points (0.81 to 1.19), yes." in said


def test_hardest_digits_are_counted_run_by_run():
    hard = [[1, 1, 1, 1, 1, 1, 1, 0.8, 1, 0.7], [1, 0.8, 1, 1, 1, 1, 1, 0.9, 1, 0.7]]
    runs = Runs(run(LENET.but(seed=i), 0.9, by_digit=each) for i, each in enumerate(hard))
    said = lenet_answers.hardest(runs, (9, 7))
    assert "digit 9 is among the two hardest in 2 of 2 runs, the digit 7 in 1, both in 1." in said
    heights = [bar.get_height() for bar in digit_errors.by_digit(runs, ("none",)).axes[1].patches]
    assert heights == [0, 50, 0, 0, 0, 0, 0, 50, 0, 100]  # percent of the two runs


def test_curves_are_the_histories():
    probe = {"acc_as_reported": np.array([0.5, 0.6])}
    runs = Runs(arm([0.95], **probe) + arm([0.96], norm="batch", **probe))

    def drawn(ax):
        lines = [line for line in ax.get_lines() if not line.get_label().startswith("_")]
        return {line.get_label(): list(line.get_ydata()) for line in lines}

    train, test = epoch_curves.losses(runs).axes
    assert drawn(train)["no norm"] == [0.3, 0.01]
    assert drawn(test)["batch norm"] == [0.4, 0.05]
    printed = drawn(epoch_curves.as_printed(runs, ("none", "batch")).axes[1])
    assert printed["as the source prints"] == pytest.approx([50, 60])
    assert printed["as evaluated here"] == pytest.approx([90, 96])
    two = Runs([*runs, *arm([0.7], activation="relu")])
    tanh, relu = map(drawn, epoch_curves.by_activation(two).axes)
    assert tanh["no norm, lr 0.9"] == pytest.approx([10, 5])
    assert relu["no norm, lr 0.9"] == pytest.approx([10, 30])


def test_channels_show_their_values_and_medians():
    values = {"gamma1": np.array([1.0, 2.0, 6.0]), "beta1": np.array([-1.0, 0.0, 2.0])}
    figure = affine.channels(Runs(arm([0.9], norm="batch", **values)), ("conv1",))
    for ax, (dots, median) in zip(figure.axes, [([1, 2, 6], 2), ([-1, 0, 2], 0)], strict=True):
        assert list(ax.get_lines()[0].get_ydata()) == dots
        assert list(ax.get_lines()[1].get_ydata()) == [median, median]


def test_layers_are_those_of_lenet():
    two = (LENET, LENET.but(norm="batch"))
    rows = layers.layers(two, torch.zeros(2, 1, 32, 32))
    plain, normed = "parameters, no norm", "parameters, batch norm"
    assert rows["conv1"] == {"output": "6 × 28 × 28", plain: "156", normed: "150"}
    assert rows["norm3"][normed] == "240"
    assert rows["act1"] == {"output": "6 × 28 × 28", plain: "–", normed: "–"}
    assert list(rows)[-1] == "all"
    assert rows["all"][plain] == "61,706"


def timed(seed: int, **times: list[float]) -> Run:
    norms = tuple(times)
    return Run(Timing(recipe=LENET.but(seed=seed), norms=norms), times, {}, {})


def test_step_times_are_ratios_repeat_by_repeat_and_then_session_by_session():
    one = timed(0, none=[1.0, 2.0, 4.0], batch=[2.0, 4.0, 8.0], torch=[1.0, 3.0, 8.0])
    by_autograd = timed(0, naive=[1.0], torch=[9.0])
    rows = step_times.ratios(Runs([one, by_autograd]))
    assert rows["batch norm"] == {
        "no norm = 1": "2.00×",  # no range
        "how": "median and range of 3 repeats of one session",
    }
    assert rows["PyTorch's"]["no norm = 1"] == "1.50× (1.00–2.00)"
    assert list(rows) == ["batch norm", "PyTorch's"]
    two, three = (timed(s, none=[1.0, 1.0, 1.0], batch=[x, x, 9.0]) for s, x in ((1, 3.0), (2, 4)))
    rows = step_times.ratios(Runs([one, two, three]))
    assert rows["batch norm"] == {
        "no norm = 1": "3.00× (2.00–4.00)",
        "how": "median and range of 3 sessions",
    }


def test_autograds_time_is_against_pytorchs_in_the_same_session():
    alone = timed(0, none=[1.0], torch=[9.0])
    both = timed(0, naive=[2.0, 6.0, 12.0], torch=[1.0, 2.0, 3.0])
    said = step_times.by_autograd(Runs([alone, both]))
    assert "takes 3.00× (2.00–4.00) the time" in said
    assert "3 repeats of one session" in said
    assert step_times.by_autograd(Runs([alone])) == ""


def test_texts_in_a_box():
    assert says.box("Short", ["one", "two"]).data == (
        ":::{admonition} Short\n:class: tip\n\n- one\n- two\n:::"
    )


def test_a_chapters_code_is_shown_as_it_is():
    shown = says.code_of("03_lenet", "recipes")
    assert shown.startswith("```python\n")
    assert shown.endswith("\n```")
    assert "def experiments(profile):" in shown


def test_rates_that_work_are_counted_over_all_rates():
    """Within a tenth of a point of 98 %, or above it, by validation accuracy."""
    ends = {"none": {0.1: 0.98, 0.9: 0.9}, "batch": {0.1: 0.9795, 0.9: 0.99}}
    sweep = Runs(
        run
        for norm, by in ends.items()
        for lr, acc in by.items()
        for run in arm([acc] * 3, norm=norm, lr=lr)
    )
    assert "end 6 against 3 runs" in lenet_answers.near_the_best(sweep).replace(" of 6", "")
