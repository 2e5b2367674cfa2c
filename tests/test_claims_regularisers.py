"""The claims on dropout and weight decay on made-up runs whose verdicts are known."""

import numpy as np
import pytest
from alexnet_runs import (
    BASE,
    BETTER_LATER,
    batch_runs,
    decay_runs,
    dropout_runs,
    judged,
    time_runs,
)

from bnlib.recipe import Timing
from bnlib.run import Run, Runs


@pytest.mark.parametrize(
    ("both", "alone", "more", "word"),
    [
        ({"arrives": 6, "final": 0.6}, {"final": 0.69}, {}, "supported"),
        ({"arrives": 2, "final": 0.75}, {"final": 0.7}, {}, "contradicted"),
        ({"arrives": 6, "final": 0.6}, {"final": 0.5}, {}, "mixed"),  # slower, but costs less
        ({"arrives": 6, "final": 0.6}, {"final": 0.69}, {"only": "fc"}, "mixed"),
        ({"arrives": 6, "final": 0.6}, {"final": 0.69}, {"precise": {"final": 0.75}}, "mixed"),
    ],
    ids=str,
)
def test_dropout_with_batch_norm(both, alone, more, word):
    assert judged("S0.4a", dropout=dropout_runs(both, alone, **more)).word == word


def test_the_cost_of_dropout_is_a_difference_of_differences():
    found = judged("S0.4a", dropout=dropout_runs({"final": 0.6}, {"final": 0.68})).findings
    costs = [f.mean for f in found if f.what.startswith("cost")]
    # two of five seeds are .001 higher with dropout, without norm .002
    assert costs == pytest.approx([100 * ((0.7 - 0.6 - 0.0004) - (0.7 - 0.68 - 0.0008))] * 4)
    slower = [f.mean for f in found if f.what.startswith("mean over")]
    # from epoch 3 to 12 of 12
    assert slower == pytest.approx([100 * (0.1 * 10 / 12 - 0.0004)] * 4)


@pytest.mark.parametrize(
    ("both", "alone", "more", "word"),
    [
        ({}, BETTER_LATER, {}, "supported"),
        (BETTER_LATER, {}, {}, "contradicted"),
        ({}, BETTER_LATER | {"first": 0.6}, {}, "mixed"),
        ({}, BETTER_LATER | {"arrives": 2}, {}, "mixed"),
        ({}, BETTER_LATER | {"final": 0.6}, {}, "mixed"),
        ({}, BETTER_LATER | {"rough": 0.02}, {}, "mixed"),
        ({}, BETTER_LATER, {"only": "conv"}, "mixed"),
        ({}, BETTER_LATER, {"precise": {"final": 0.8}}, "mixed"),
    ],
    ids=str,
)
def test_dropout_without_batch_norm(both, alone, more, word):
    assert judged("S0.4b", dropout=dropout_runs(both, alone, **more)).word == word


def test_its_four_differences_by_hand():
    found = judged("S0.4b", dropout=dropout_runs({}, BETTER_LATER)).findings
    # the changes over epochs 7 to 12 are −2r, 2r, −2r, 2r, −r: their deviation is √3.36 r
    expected = np.repeat([20, 3, 5, 100 * np.sqrt(3.36) * (0.01 - 0.002)], 2)  # two evaluations
    assert [f.mean for f in found] == pytest.approx([*expected, *expected], abs=0.15)  # the noise


@pytest.mark.parametrize(
    ("gains", "precise", "word"),
    [
        ((0, 0.005, -0.1), 0, "supported"),
        ((0.02, 0.03, 0.05), 0, "contradicted"),
        ((0, 0.03, 0), 0, "mixed"),
        ((0, 0), 0.03, "mixed"),
        ((0.0096,), 0, "inconclusive"),  # the interval holds the margin of a point
    ],
)
def test_weight_decay(gains, precise, word):
    assert judged("S0.5", decay=decay_runs(*gains, precise=precise)).word == word


def test_without_a_weight_decay_or_a_second_batch_size_nothing_is_tested():
    assert judged("S0.5", decay=decay_runs()).word == "not tested"
    one_size = {n: r.where(batch_size=128) for n, r in batch_runs(0.01, 0.01, 0.01).items()}
    assert judged("S0.6", **one_size).word == "not tested"


def test_a_timing_without_resnet_tests_nothing():
    runs = time_runs(4, 0.6)
    timing = Timing(recipe=BASE, norms=("none", "batch"), models=("alexnet",))
    runs["timing"] = Runs([Run(timing, {name: [1.0] * 5 for name in timing.arms()}, {}, {})])
    assert judged("S0.8", **runs).word == "not tested"
