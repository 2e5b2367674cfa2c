"""The claims on VGG on made-up runs whose truth is known."""

import pytest
from vgg_runs import card, five_runs, flipped, sixteen_runs, start_runs, without, words

from bnlib.claims.vgg import VGG

pytestmark = pytest.mark.filterwarnings("error")
YES, NO, REVERSE = "yes", "no", "the reverse"


def test_the_page_judges_every_claim():
    assert [claim.id for claim in VGG] == ["S3.25", "S3.26", "S4.29", "S4.29b"]


# S3.25


@pytest.mark.parametrize(("learn", "expected"), [
    ((0, 0, 0, 6), [YES] * 4),
    ((6, 6, 6, 0), [NO] * 4),
    ((0, 6, 6, 6), [YES, NO, NO, YES]),
    ((3, 2, 4, 3), ["open"] * 4),
])  # fmt: skip
def test_sgd_fails_and_adam_does_not(learn, expected):
    assert words("S3.25", start=start_runs(*learn)) == expected


def test_a_start_that_decides_is_named():
    found = card("S3.25", start=start_runs(0, 6, 6, 6))
    assert found.word == "holds in part"
    assert found.because.startswith("from PyTorch's default start; not from Xavier's start")
    assert found.main.size == "0 of 6 runs"


def test_three_runs_cannot_show_that_a_start_fails():
    assert words("S3.25", start=start_runs(0, 3, 3, 3, seeds=3)) == ["open"] * 4


def test_it_fails_with_sgd_only_if_it_does_at_its_best_rate():
    start = start_runs(0, 6, 6, 6)
    for run in start_runs(5, 6, 6, 6):
        if run.recipe.optimizer == "sgd":
            start.runs.append(type(run)(run.recipe.but(lr=1.0), *list(vars(run).values())[1:]))
    answer = card("S3.25", start=start).answers[0]
    assert (answer.size, answer.finding.note) == ("5 of 6 runs", "learning rate 1")


# S3.26


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, [YES] * 6),
    ({"batch": 0.84, "batch_dropout": 0.84}, [REVERSE] + [YES] * 5),
    ({"none_dropout": 0.86}, [YES, "no difference"] + [YES] * 4),
    ({"light": 0.87}, [YES, YES, REVERSE] + [YES] * 3),
    ({"rises": (0.5, 0.5)}, [YES] * 3 + ["no difference", YES, YES]),
    ({"rises": (0.3, 0.5)}, [YES] * 3 + [REVERSE, YES, YES]),
    ({"rises_bn": (0.3, 0.5)}, [YES] * 4 + [REVERSE, YES]),
    ({"batch_dropout": 0.93}, [YES] * 5 + ["no: higher"]),
    ({"batch_dropout": 0.87}, [YES] * 5 + ["no: lower"]),
])  # fmt: skip
def test_five_networks(changes, expected):
    assert words("S3.26", performance=five_runs(**changes)) == expected


def test_no_loss_can_be_flatter_that_does_not_rise():
    found = card("S3.26", performance=five_runs(rises=(0.02, 0.0)))
    assert [a.word for a in found.answers][3:5] == ["untestable here", YES]
    assert "a test loss that rises without dropout" in found.answers[3].why
    assert found.word == "holds"


def test_accuracy_is_judged_as_the_source_evaluates():
    found = card("S3.26", performance=five_runs(precise=-0.1))
    assert [a.word for a in found.answers] == [YES] * 6
    assert found.answers[0].flag == "turns with precise statistics: the reverse"
    assert found.answers[5].flag == "turns with precise statistics: no: higher"


def test_an_arm_of_which_only_some_runs_learn_is_compared_by_ranks():
    runs = five_runs()
    for run in runs.where(norm="none", dropout=0.5, model="vgg_a")[:3]:
        run.summary.update(val_acc=0.1, test_acc=0.1)
    found = card("S3.26", performance=runs).answers[:3]
    assert [a.finding.method for a in found][1:] == ["exact rank-sum test"] * 2
    assert [a.size for a in found][1:] == [
        "above in 36, below in 0 of 36 pairs",
        "above in 18, below in 18 of 36 pairs",
    ]
    assert [a.word for a in found] == [YES, YES, "open"]


# S4.29


@pytest.mark.parametrize(("moved", "many", "expected"), [
    ((0, 0, 0), (8, 6, 2), [YES] * 4),
    ((1e-9, 1e-6, 1e-2), (8, 6, 2), [NO, YES, NO, NO]),
    ((1e-9, 1e-6, 1e-2), (9, 7, 0), [YES, YES, NO, YES]),
    ((1e-9, 1e-6, 1e-2), (0, 8, 8), [NO] * 4),
    ((5e-8, 7e-8, 9e-5), (9, 6, 1), [YES, YES, NO, YES]),  # 2^-24 is 6e-8
    ((5e-8, 7e-8, 2e-4), (8, 7, 1), [NO, YES, NO, NO]),
])  # fmt: skip
def test_does_not_update(moved, many, expected):
    assert words("S4.29", vgg16=sixteen_runs(moved, many)) == expected


def test_it_is_said_how_many_tensors_stay():
    found = card("S4.29", vgg16=sixteen_runs())
    assert found.main.finding.note == "14 of 16 tensors a run"
    assert found.main.size == "0 of 12 runs"


def test_both_readings_by_which_tensors():
    found = card("S4.29", vgg16=sixteen_runs(many=(9, 5, 2)))
    assert found.because == (
        "most to 10⁻⁴ of their length and most to 2⁻²⁴ of it; "
        "not all to 10⁻⁴ of their length or all to 2⁻²⁴ of it"
    )


def test_weights_without_a_number_cannot_be_asked():
    runs = sixteen_runs()
    runs.where(norm="none", lr=0.001)[0].arrays["weights_moved"][-1] = float("nan")
    assert words("S4.29", vgg16=runs) == ["untestable here"] * 4


# S4.29b


@pytest.mark.parametrize(("falls", "gains", "expected"), [
    (0.5, 3, [YES, YES]),
    (-0.5, -3, [REVERSE, REVERSE]),
    (0, 0, ["no difference", "no difference"]),
    (0.03, 0.5, ["yes, perhaps small", "yes, perhaps small"]),
])  # fmt: skip
def test_faster_and_better(falls, gains, expected):
    assert words("S4.29b", vgg16=sixteen_runs(falls=falls, gains=gains)) == 6 * expected


def test_flipping_the_arms_flips_the_words():
    assert words("S4.29b", vgg16=flipped(sixteen_runs(gains=3))) == ["the reverse"] * 12
    performance = five_runs()
    deep = flipped(performance.where(model="vgg_a"))
    runs = type(deep)([*deep, *performance.where(model="vgg_a_light")])
    assert words("S3.26", performance=runs)[0] == "the reverse"


def test_a_rate_that_differs_is_named():
    runs = sixteen_runs(gains=3)
    worse = sixteen_runs(falls=-0.5, gains=-3)
    mixed = type(runs)([*without(runs, lr=0.1), *worse.where(lr=0.1)])
    found = card("S4.29b", vgg16=mixed)
    assert found.because == "at 0.001 and at 0.01; not at 0.1"


# what is missing


@pytest.mark.parametrize(("claim", "experiment", "gone", "expected"), [
    ("S3.25", "start", {"init": "he"}, [YES, NO, "not tested", YES]),
    ("S3.25", "start", {"optimizer": "adam"}, [YES, NO, NO, "not tested"]),
    ("S3.26", "performance", {"model": "vgg_a_light"}, [YES, YES, "not tested", YES, YES, YES]),
    ("S4.29", "vgg16", {"lr": 0.001}, ["not tested"] * 4),
    ("S4.29b", "vgg16", {"norm": "batch", "lr": 0.1}, ([YES] * 4 + ["not tested"] * 2) * 2),
])  # fmt: skip
def test_an_arm_that_is_missing_leaves_the_other_parts(claim, experiment, gone, expected):
    runs = {
        "start": start_runs(0, 6, 6, 6),
        "performance": five_runs(),
        "vgg16": sixteen_runs(gains=3),
    }
    runs[experiment] = without(runs[experiment], **gone)
    assert words(claim, **runs) == expected


def test_without_its_experiment_a_claim_is_not_tested():
    for claim in VGG:
        assert card(claim.id).word == "not tested"
