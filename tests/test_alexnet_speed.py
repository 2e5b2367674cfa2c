"""The AlexNet page's sentences on speed, from runs whose times a test chooses."""

import re

import numpy as np
import pytest
from alexnet_runs import BASE, learned, ramp, speed_runs

from bnlib.book import alexnet_speed as speed
from bnlib.book.alexnet_curves import arms
from bnlib.run import Runs


def test_the_speed_is_said_with_every_endpoint():
    main = speed_runs(20, 5)
    said = speed.answer(main, main)
    # 75 points in 20 or in 5 epochs: four times, wherever the clock stops; all arrive at 70 %
    found = re.match(r"\*\*At its best rate each, (\S+) to (\S+) times", said).groups()
    assert np.array(found, float) == pytest.approx([4, 4], rel=0.1)
    assert "to 60 %" in said
    assert "to 95 % of its own best" in said
    assert "n = 5 and 5" in said
    assert "5 of 5 and 5 of 5 runs" in said


def late_runs(norm: str, arrives: list[float]) -> Runs:
    """Straight up to 80 % at these epochs, in 20."""
    recipe = BASE.but(norm=norm, epochs=20)
    return Runs(
        learned(recipe.but(seed=seed), ramp(20, x, 0.8), spread=0) for seed, x in enumerate(arrives)
    )


def test_an_endpoint_that_most_runs_never_reach_gives_a_bound():
    # 70 % of the way from 10 to 80 is 60 of 70 points: at 6 / 7 of the epochs to the top
    fast, slow = late_runs("batch", [7, 7, 7]), late_runs("none", [7, 50, 60])
    said = speed.late(slow, fast)
    assert "3.3 times apart or more" in said  # 20 / 6
    assert "1 of 3 plain runs get there in 20 epochs: seven is not excluded" in said


def test_a_bound_above_seven_excludes_nothing_to_exclude():
    assert "seven" not in speed.late(late_runs("none", [50] * 3), late_runs("batch", [2] * 3))


def test_a_median_that_is_reached_gives_counts():
    slow, fast = late_runs("none", [10, 11, 50]), late_runs("batch", [5, 5, 5])
    assert "2 of 3 and 3 of 3 runs" in speed.late(slow, fast)


def test_the_smallest_rate_is_said_apart():
    # at 0.01 the arm without norm is the fast one: 5 epochs against 20, up to 34 % for the other
    said = speed.at_small_rate(speed_runs(20, 5))
    assert said == "At the rate 0.01 for both some runs never get to 50 %."
    recipes = [
        r.but(lr=0.01) for r in BASE.but(epochs=30).grid(norm=("none", "batch"), seed=[0, 1, 2])
    ]
    runs = Runs(
        learned(r, ramp(30, {"none": 24, "batch": 4}[r.norm] * (1 + 0.01 * r.seed)), spread=0)
        for r in recipes
    )
    assert "for both it is 6.0× (" in speed.at_small_rate(runs)


def test_a_better_start_is_compared_with_batch_norm():
    main = speed_runs(20, 5)
    plain, _ = arms(main)
    started = Runs(
        learned(run.recipe.but(init="xavier"), ramp(30, 10), spread=0)
        for run in plain.where(lr=0.01)
    )
    said = speed.from_a_better_start(main, started)
    # 55 of 75 points: after 7.3 epochs of 10, and 3.7 of 5
    assert re.search(r"takes 7\.3 against 3\.[67] epochs to 65 %", said)
