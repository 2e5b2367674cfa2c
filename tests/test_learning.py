"""What is read off validation curves, on curves whose answer is known by hand."""

import numpy as np
import pytest
from alexnet_runs import BASE, STEPS, learned

from bnlib.analysis.learning import (
    PRECISE,
    RUNNING,
    first_epochs,
    guessing,
    over_epochs,
    roughness,
    time_constants,
    time_to,
    time_to_own_best,
    two_outcomes,
)
from bnlib.analysis.learning import learned as learns
from bnlib.run import Runs

CURVE = [0.2, 0.2, 0.4, 0.7, 0.6, 0.8]


def arm(*curves, norm="none", precise=0.0) -> Runs:
    recipe = BASE.but(norm=norm, epochs=len(curves[0]))
    return Runs(
        learned(recipe.but(seed=seed), np.array(curve, float), precise, spread=0)
        for seed, curve in enumerate(curves)
    )


@pytest.mark.parametrize(
    ("target", "epochs"),
    [
        (15, 0.5),  # half way from guessing, 10 %, to the first evaluation
        (20, 1),
        (30, 2.5),
        (40, 3),
        (65, 3 + 25 / 30),  # the first time, though it falls below again
        (70, 4),
        (75, 5.75),
        (80, 6),
        (81, np.inf),
    ],
)
def test_time_to_an_accuracy_lies_on_straight_lines(target, epochs):
    assert time_to(target)(arm(CURVE), RUNNING) == pytest.approx([np.log2(epochs)])


def test_time_follows_the_evaluation():
    late = arm([0.1, 0.5, 0.9], norm="batch", precise=np.array([0.4, 0.4, 0.0]))
    assert time_to(50)(late, RUNNING) == pytest.approx([1])
    assert time_to(50)(late, PRECISE) == pytest.approx([0])


def test_a_run_that_diverges_got_where_it_got():
    runs = arm(CURVE, CURVE)
    runs[1].history["val_acc"] = [0.2, 0.5, None]
    assert time_to(50)(runs, RUNNING) == pytest.approx([np.log2(3 + 1 / 3), 1])
    assert time_to(60)(runs, RUNNING)[1] == np.inf
    assert time_to_own_best(runs, RUNNING)[1] == pytest.approx(np.log2(1 + 0.275 / 0.3))


def test_time_to_ones_own_best():
    runs = arm(CURVE, [0.1, 0.15, 0.1, 0.2, 0.1, 0.1], [0.1, 0.21, 0.1, 0.1, 0.1, 0.1])
    # 95 % of 80 is 76, between 60 and 80; a run that is never above twice guessing has not learned
    expected = [5 + 16 / 20, np.inf, 1 + (0.1995 - 0.1) / 0.11]
    assert time_to_own_best(runs, RUNNING) == pytest.approx(np.log2(expected))


def test_a_run_has_learned_when_it_ends_above_twice_guessing():
    runs = arm([0.9, 0.2], [0.1, 0.21])
    assert guessing(runs) == 10
    assert learns(runs, RUNNING).tolist() == [False, True]
    runs[1].summary["val_acc"] = None  # it diverged
    assert learns(runs, RUNNING).tolist() == [False, False]


def test_two_outcomes_under_any_evaluation():
    both = {"val_acc": 0.5, "val_acc_precise": 0.5}
    runs = arm([0.5], [0.5], [0.5], norm="batch")
    for run in runs:
        run.summary.update(both)
    assert not two_outcomes(runs)
    assert not two_outcomes(Runs([]))
    for name in both:
        runs[1].summary[name] = 0.1
        assert two_outcomes(runs)
        runs[1].summary[name] = 0.5


def test_means_over_epochs():
    assert over_epochs(arm(CURVE), RUNNING) == pytest.approx([100 * np.mean(CURVE)])
    assert first_epochs(arm(CURVE), RUNNING) == pytest.approx([80 / 3])


def test_roughness_is_the_spread_around_a_trend_in_the_second_half():
    rng = np.random.default_rng(5)
    steep = np.linspace(0, 0.8, 4000)
    noise = rng.normal(0, 0.01, 4000)
    wild = np.where(np.arange(4000) < 2000, rng.normal(0, 0.1, 4000), 0)
    runs = arm(steep + noise, steep + 2 * noise, steep + wild + noise)
    first = roughness(runs, RUNNING)
    assert 2**first == pytest.approx([1, 2, 1], rel=0.05)  # points


def test_roughness_of_a_short_run_takes_four_epochs():
    # bends of 0.5, 0.3, 0.2, 0.4 are .1 and .3, in points 10 and 30
    runs = arm([0.9, 0.5, 0.3, 0.2, 0.4])
    assert roughness(runs, RUNNING) == pytest.approx([np.log2(np.sqrt((100 + 900) / 2 / 6))])


def test_time_constants_are_those_of_a_squared_length_that_decays():
    run = learned(BASE.but(lr=0.05, weight_decay=2e-3), 0.5)
    squared = 1.0
    for _ in range(12 * STEPS):
        squared *= (1 - 0.05 * 2e-3) ** 2  # a step of decay alone
    assert time_constants(run) == pytest.approx(-np.log(squared), rel=1e-3)
    faster = learned(BASE.but(lr=0.05, weight_decay=2e-3, momentum=0.9), 0.5)
    assert time_constants(faster) == pytest.approx(10 * time_constants(run))


def test_an_arm_without_runs_has_none_that_learned():
    assert learns(Runs([]), RUNNING).tolist() == []
