"""The AlexNet chapter's claims on made-up runs whose verdicts are known."""

import numpy as np
import pytest
from alexnet_runs import (
    BETTER_LATER,
    batch_runs,
    decay_runs,
    dropout_runs,
    init_runs,
    judged,
    optimizer_runs,
    speed_runs,
    time_runs,
)

from bnlib.claims import verdicts
from bnlib.claims.alexnet import ALEXNET
from bnlib.run import Runs

SLOW, FAST = [20, 21, 20, 22, 21], [3, 3, 4, 3, 3]  # epochs, by seed


def test_the_page_judges_every_claim_of_the_report():
    ids = [claim.id for claim in ALEXNET]
    assert ids == ["S0.1", "S0.2", "S0.3", "S0.4a", "S0.4b", "S0.5", "S0.6", "S0.8"]


@pytest.mark.parametrize(
    ("none", "batch", "late", "word"),
    [
        (SLOW, FAST, 0, "supported"),
        ([7, 7, 8, 7, 7], FAST, 0, "mixed"),  # fewer, but not 3.5 times
        (FAST, SLOW, 0, "contradicted"),
        (SLOW, FAST, 17, "mixed"),  # by precise statistics as late as without norm
    ],
)
def test_speed(none, batch, late, word):
    assert judged("S0.1", main=speed_runs(none, batch, late)).word == word


def test_speed_is_that_of_each_arms_best_rate():
    found = judged("S0.1", main=speed_runs(SLOW, FAST))
    assert "20.8 without (learning rate 0.01), 3.2 with (0.1)" in found.because
    assert [f.mean for f in found.findings[:2]] == pytest.approx([20.8 - 3.2] * 2)
    ratio = np.log2(np.array(SLOW) / FAST).mean()
    assert [f.mean for f in found.findings[2:]] == pytest.approx([ratio] * 2)


@pytest.mark.parametrize(("reached", "word"), [(0.19, "inconclusive"), (0.21, "supported")])
def test_a_run_below_twice_the_chance_level_has_no_time_to_compare(reached, word):
    runs = speed_runs(SLOW, FAST)
    for run in runs.where(norm="none"):
        run.history["test_acc"] = [0.1] * 29 + [reached]
    found = judged("S0.1", main=runs)
    assert found.word == word
    assert all(np.isfinite(f.half) == (word == "supported") for f in found.findings)


@pytest.mark.parametrize(
    ("gap", "precise", "word"),
    [
        (0, 0, "supported"),
        (0.05, 0, "contradicted"),
        (-0.05, 0, "contradicted"),
        (0, 0.05, "mixed"),
    ],
)
def test_optimisers(gap, precise, word):
    found = judged("S0.2", optimizer=optimizer_runs(gap, precise))
    assert found.word == word
    assert "0.1 for SGD, 0.001 for Adam" in found.because


@pytest.mark.parametrize(
    ("xavier", "he", "word"),
    [(0, 0.001, "supported"), (0.05, 0.05, "contradicted"), (0, 0.05, "mixed")],
)
def test_initialisations(xavier, he, word):
    found = judged("S0.3", init=init_runs(xavier, he))
    assert found.word == word
    assert found.findings[-1].mean == pytest.approx(20, abs=0.1)  # without norm, not judged
    assert "+20.0 points" in found.because


@pytest.mark.parametrize(
    ("slopes", "word"),
    [
        ((0.01, 0.01, 0.01), "supported"),
        ((-0.01, -0.01, -0.01), "contradicted"),
        ((0.01, -0.01, 0.01), "mixed"),
        ((0.01, 0.01, -0.01), "mixed"),
    ],
)
def test_batch_sizes(slopes, word):
    found = judged("S0.6", **batch_runs(*slopes))
    assert found.word == word
    expected = [100 * slopes[i] + 0.02 for i in (0, 1, 2, 2)]  # seeds 0 to 4 have .01 more each
    assert [f.mean for f in found.findings] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("slower", "colour", "word"),
    [
        (4.0, 0.6, "mixed"),
        (4.0, 0.05, "supported"),
        (4.0, 0.1, "mixed"),  # at chance
        (0.25, 0.6, "contradicted"),
        (1.0, 0.1, "inconclusive"),
    ],
)
def test_time_and_colour(slower, colour, word):
    found = judged("S0.8", **time_runs(slower, colour))
    assert found.word == word
    assert [f.mean for f in found.findings[:2]] == pytest.approx([np.log2(slower)] * 2, abs=0.05)
    assert found.findings[2].mean == pytest.approx(100 * (colour - 0.1), abs=0.2)


def all_runs() -> dict[str, Runs]:
    """Every experiment that the page judges."""
    return {
        "main": speed_runs(SLOW, FAST),
        "optimizer": optimizer_runs(0, 0),
        "init": init_runs(0, 0),
        "dropout": dropout_runs({}, BETTER_LATER),
        "decay": decay_runs(0, 0),
        **batch_runs(0.01, 0.01, 0.01),
        **time_runs(4, 0.6),
    }


@pytest.mark.parametrize(
    ("claim", "experiment", "missing", "said"),
    [
        ("S0.1", "main", {"norm": "none"}, "norm none"),
        ("S0.1", "main", {"norm": "batch"}, "batch norm"),
        ("S0.2", "optimizer", {"optimizer": "adam"}, "optimizer adam"),
        ("S0.2", "optimizer", {"optimizer": "sgd"}, "optimizer sgd"),
        ("S0.3", "init", {"init": "he"}, "init he"),
        ("S0.3", "init", {"init": "default"}, "init default"),
        ("S0.4a", "dropout", {"dropout": 0.5}, "dropout 0.5, dropout_at fc"),
        ("S0.4a", "dropout", {"dropout": 0.0}, "dropout 0.0"),
        ("S0.4b", "dropout", {"dropout_at": "conv"}, "dropout 0.5, dropout_at conv"),
        ("S0.5", "decay", {"weight_decay": 0.0}, "weight_decay 0.0"),
        ("S0.6", "scaled", {"norm": "none"}, "norm none"),
        ("S0.8", "lenet", {"norm": "none"}, "norm none"),
    ],
    ids=str,
)
def test_a_claim_whose_arm_is_missing_is_not_tested_and_says_which(
    claim, experiment, missing, said
):
    runs = all_runs()
    gone = runs[experiment].where(**missing).runs
    runs[experiment] = Runs(run for run in runs[experiment] if run not in gone)
    found = judged(claim, **runs)
    assert (found.word, found.because) == ("not tested", f"There is no run with {said}.")


def test_one_seed_gives_no_definite_word_of_a_training():
    one = all_runs()
    for name, runs in one.items():
        if name != "timing":  # it is repeated within a run
            one[name] = runs.where(seed=0)
    words = {j.claim.id: j.verdict.word for j in verdicts(ALEXNET, one)}
    assert words.pop("S0.8") == "mixed"
    assert set(words.values()) == {"inconclusive"}
