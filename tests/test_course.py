"""The course of a training on made-up runs: what rises, moves, reaches a level."""

import numpy as np
import pytest
from made_up import made_up_run

from bnlib.analysis import course
from bnlib.analysis.learning import PRECISE, RUNNING
from bnlib.recipe import Recipe
from bnlib.run import Runs

pytestmark = pytest.mark.filterwarnings("error")
PLAIN = Recipe(dataset="cifar10", model="vgg_a", epochs=4)
NORMED = PLAIN.but(norm="batch")


def run(recipe: Recipe = PLAIN, classes: int = 10, **summary: float):
    made = made_up_run(recipe)
    made.summary.update({"class_acc": [0.5] * classes} | summary)
    return made


def test_the_rise_is_from_the_lowest_to_the_last_under_an_evaluation():
    made = run(NORMED)
    made.history.update(test_loss=[3, 1, 2, 1.5], test_loss_precise=[3, 2, 1, 1])
    assert course.rise(Runs([made]), RUNNING).tolist() == [0.5]
    assert course.rise(Runs([made]), PRECISE).tolist() == [0.0]


def test_a_loss_that_diverged_has_no_mean():
    made = [run(), run()]
    made[0].history["train_loss"] = [4, 3, 2, 1]
    made[1].history["train_loss"] = [4, None]
    found = course.training_loss(Runs(made))
    assert found[0] == 2.5
    assert np.isnan(found[1])


def test_tensors_move_in_units_of_their_length_at_the_start():
    arrays = {
        "weight_norms": np.array([[2.0, 5.0], [9.0, 9.0], [9.0, 9.0]]),
        "weights_moved": np.array([[0.0, 0.0], [7.0, 7.0], [1.0, 1e-6]]),
    }
    arm = Runs([made_up_run(PLAIN, **arrays)])
    np.testing.assert_allclose(course.moved(arm), [[0.5, 2e-7]])


def test_the_common_level_is_that_of_the_best_rate_less_the_points():
    runs = [
        run(PLAIN.but(lr=lr, seed=seed), val_acc=acc + 0.02 * seed)
        for lr, acc in ((0.1, 0.4), (0.3, 0.6), (1.0, 0.5))
        for seed in range(3)
    ]
    level = course.common_level(Runs(runs), 1.0, PRECISE)
    assert level == pytest.approx(0.61)
    there = [False] * 4 + [True] * 2 + [False] * 3
    assert course.reaches(Runs(runs), level, PRECISE).tolist() == there
