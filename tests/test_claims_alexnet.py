"""The claims on AlexNet on made-up runs whose truth is known."""

import copy

import numpy as np
import pytest
from alexnet_runs import (
    BASE,
    batch_runs,
    card,
    decay_runs,
    dropout_runs,
    each,
    init_runs,
    optimizer_runs,
    speed_runs,
    time_runs,
    words,
)

from bnlib.claims import cards
from bnlib.claims.alexnet import ALEXNET
from bnlib.run import Runs

PARTS = {
    "S0.1": 12,
    "S0.2": 1,
    "S0.3": 2,
    "S0.4a": 8,
    "S0.4b": 8,
    "S0.5": 2,
    "S0.6": 4,
    "S0.8": 4,
}  # of the runs below


def all_runs() -> dict[str, Runs]:
    """Every experiment that the page judges."""
    return {
        "main": speed_runs(20, 3),
        "optimizer": optimizer_runs(0),
        "init": init_runs(0, 0),
        "dropout": dropout_runs({}, {}),
        "decay": decay_runs({5e-4: 0, 2e-3: 0}),
        **batch_runs(1, 1, 1),
        **time_runs(4, 0.0),
    }


def test_the_page_judges_every_claim_of_the_report():
    judged = cards(ALEXNET, all_runs())
    assert {c.claim.id: len(c.answers) for c in judged} == PARTS


@pytest.mark.parametrize(
    ("none", "batch", "fewer", "many"),
    [
        (21, 3, "yes", "yes"),
        (6, 3, "yes", "no"),
        (3.3, 3, "yes, perhaps small", "no"),
        (3, 3, "no difference", "no"),
        (3, 21, "the reverse", "no"),
    ],
)
def test_speed_is_asked_of_six_endpoints_twice(none, batch, fewer, many):
    assert words("S0.1", main=speed_runs(none, batch)) == [fewer] * 6 + [many] * 6


def test_the_factor_is_that_of_each_arms_best_rate():
    answers = card("S0.1", main=speed_runs(12, 4)).answers
    assert {answer.finding.note for answer in answers} == {"learning rates 0.01, 0.1"}
    # both climb along straight lines, so that every endpoint is reached 3 times as late
    assert [a.finding.value for a in answers] == pytest.approx([np.log2(3)] * 12, abs=0.05)
    split = card("S0.1", main=speed_runs(6, 3))
    assert (split.word, split.because) == ("holds in part", "fewer; not at least 3.5 times fewer")


def test_speed_by_the_other_evaluation_is_flagged():
    late = card("S0.1", main=speed_runs(20, 3, late=17)).answers[0]
    assert (late.word, late.flag) == ("no difference", "turns with running averages: yes")


@pytest.mark.parametrize(
    ("none", "batch", "fewer", "many"),
    [
        (60, 3, "yes", "yes"),  # never 60 % in 30 epochs, against 2
        (60, 18, "yes", "open"),  # against 12: as far as 30 epochs show, it may take 30 or 100
        (3, 60, "the reverse", "the reverse"),
    ],
)
def test_times_that_never_come_are_compared_by_ranks(none, batch, fewer, many):
    answers = card("S0.1", main=speed_runs(none, batch)).answers
    to_60 = [a for a in answers if a.part.at["endpoint"] == "to 60 %"]
    assert [a.word for a in to_60] == [fewer, many]
    assert "of 25 pairs" in to_60[0].size


def test_an_accuracy_that_nobody_reaches_cannot_be_asked():
    low = card("S0.1", main=speed_runs(20, 3, top=0.72))
    assert [a.word for a in low.answers] == (["yes"] * 3 + ["untestable here"] * 2 + ["yes"]) * 2
    assert low.answers[3].why == "It needs runs that get there."


def test_a_run_that_never_learns_never_gets_to_its_best():
    runs = speed_runs(20, 3)
    for run in runs.where(norm="none"):
        run.history["val_acc"] = [0.1] * 29 + [0.12]
    answers = card("S0.1", main=runs).answers
    assert {a.finding.method for a in answers} == {"exact rank-sum test"}
    assert {a.word for a in answers} == {"yes"}


@pytest.mark.parametrize(
    ("gap", "word"), [(0, "yes"), (0.004, "yes"), (0.03, "no: higher"), (-0.03, "no: lower")]
)
def test_optimisers(gap, word):
    found = card("S0.2", optimizer=optimizer_runs(gap))
    assert [a.word for a in found.answers] == [word]
    assert found.main.finding.note == "learning rates 0.1, 0.001"


def test_rates_are_chosen_under_the_evaluation_that_judges():
    (found,) = card("S0.2", optimizer=optimizer_runs(0, precise=0.05)).answers
    assert found.finding.note == "learning rates 0.1, 0.001"
    assert (found.word, found.flag) == ("yes", "turns with precise statistics: no: higher")


@pytest.mark.parametrize(
    ("xavier", "he", "each_start", "word"),
    [
        (0, 0.001, ["yes", "yes"], "holds"),
        (-0.05, -0.05, ["yes", "yes"], "holds"),  # one-sided: what harms adds nothing
        (0.05, 0.05, ["no", "no"], "does not hold"),
        (0, 0.05, ["yes", "no"], "holds in part"),
    ],
)
def test_initialisations(xavier, he, each_start, word):
    found = card("S0.3", init=init_runs(xavier, he))
    assert ([a.word for a in found.answers], found.word) == (each_start, word)


@pytest.mark.parametrize(
    ("slopes", "expected"),
    [
        ((1, 1, 1), ["yes"] * 4),
        ((-1, -1, -1), ["the reverse"] * 4),
        ((1, -1, 0), ["yes", "the reverse", "no difference", "no difference"]),
    ],
)
def test_batch_sizes(slopes, expected):
    found = card("S0.6", **batch_runs(*slopes))
    assert [a.word for a in found.answers] == expected
    values = [a.finding.value for a in found.answers]
    assert values == pytest.approx([slopes[i] for i in (0, 1, 2, 2)], abs=0.15)


def test_a_slope_has_the_pooled_spread_of_its_arms():
    answer = card("S0.6", **batch_runs(1, 1, 1)).answers[0]
    assert "pooled SD" in answer.finding.method
    sd = float(answer.finding.method.split()[2])
    # 5 runs at each of three sizes, 0, 2 and 4 doublings: the sum of squares is 5 · 8
    assert answer.finding.error == pytest.approx(sd / np.sqrt(40), rel=0.05)


@pytest.mark.parametrize(("learns_at", "word"), [(32, "the reverse"), (512, "yes")])
def test_where_an_arm_does_not_learn_the_runs_are_counted(learns_at, word):
    recipes = BASE.grid(batch_size=(32, 128, 512), norm=("none", "batch"), seed=range(5))
    fails = {32: 512, 512: 32}[learns_at]
    runs = batch_runs(1, 1, 1)
    runs["batch"] = each(
        recipes, lambda r: 0.1 if r.norm == "none" and r.batch_size == fails else 0.7
    )
    found = card("S0.6", **runs).answers[1]
    assert found.word == word
    assert found.finding.counted in ("5 of 5 against 0 of 5 runs", "0 of 5 against 5 of 5 runs")


@pytest.mark.parametrize(
    ("slower", "colour", "expected"),
    [
        (4.0, 0.0, ["yes"] * 4),
        (4.0, -0.05, ["yes"] * 4),
        (4.0, 0.05, ["yes", "yes", "no", "no"]),
        (0.25, 0.05, ["the reverse", "the reverse", "no", "no"]),
        (4.0, None, ["yes", "yes", "not tested", "not tested"]),
    ],
)
def test_time_and_colour(slower, colour, expected):
    assert words("S0.8", **time_runs(slower, colour)) == expected


def test_colour_says_what_is_missing():
    found = card("S0.8", **time_runs(4.0))
    assert (found.word, found.because) == ("holds", "2 parts not tested")
    assert found.answers[2].why == "The experiment “grey” is not recorded."


@pytest.mark.parametrize(
    ("claim", "experiment", "missing", "said"),
    [
        ("S0.1", "main", {"norm": "none"}, "norm none"),
        ("S0.1", "main", {"norm": "batch"}, "batch norm"),
        ("S0.2", "optimizer", {"optimizer": "adam"}, "optimizer adam"),
        ("S0.3", "init", {"init": "default"}, "init default"),
        ("S0.4a", "dropout", {"dropout": 0.0}, "dropout 0.0"),
        ("S0.4b", "dropout", {"dropout": 0.5}, "dropout 0.5, dropout_at fc"),
        ("S0.5", "decay", {"weight_decay": 0.0}, "weight_decay 0.0, epochs 12"),
        ("S0.6", "scaled", {"norm": "none"}, "norm none"),
    ],
    ids=str,
)
def test_what_is_missing_is_not_tested_and_says_which(claim, experiment, missing, said):
    runs = all_runs()
    gone = runs[experiment].where(**missing).runs
    runs[experiment] = Runs(run for run in runs[experiment] if run not in gone)
    found = card(claim, **runs)
    reasons = {found.missing} | {a.why for a in found.answers if a.word == "not tested"}
    assert f"There is no run with {said}." in reasons
    runs.pop(experiment)
    without = card(claim, **runs)
    assert (without.word, without.missing) == (
        "not tested",
        f"The experiment “{experiment}” is not recorded.",
    )


def test_one_seed_settles_nothing():
    one = {name: runs if name == "timing" else runs.where(seed=0)
           for name, runs in all_runs().items()}  # fmt: skip
    for found in cards(ALEXNET, one):
        assert found.settled == (2 if found.claim.id == "S0.8" else 0)  # a timing has repeats


def test_flipping_the_arms_flips_the_word():
    def flipped(runs: Runs) -> Runs:
        """With and without batch norm exchanged: their curves, not their recipes."""
        other = {"none": "batch", "batch": "none"}
        by_recipe = {run.recipe: run for run in runs}
        found = []
        for run in runs:
            source = by_recipe[run.recipe.but(norm=other[run.recipe.norm])]
            run = copy.deepcopy(run)
            for how in ("", "_precise") if run.recipe.norm == "batch" else ("",):
                run.history[f"val_acc{how}"] = source.history["val_acc"]
                run.summary[f"val_acc{how}"] = source.summary["val_acc"]
            found.append(run)
        return Runs(found)

    runs = speed_runs(12, 3)
    assert words("S0.1", main=runs)[:6] == ["yes"] * 6
    assert words("S0.1", main=flipped(runs))[:6] == ["the reverse"] * 6
