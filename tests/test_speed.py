"""How many times as many epochs, on curves whose answer is known by hand."""

import numpy as np
import pytest
from alexnet_runs import BASE, each, ramp

from bnlib.analysis.learning import PRECISE, RUNNING
from bnlib.analysis.speed import OWN, epochs, factors
from bnlib.run import Runs

FEW = range(4)


def arm(norm: str, arrives: float, top: float = 0.85) -> Runs:
    """Straight from guessing, 10 %, up to ``top`` in so many epochs."""
    recipes = BASE.but(norm=norm, epochs=24).grid(seed=FEW)
    return each(recipes, lambda recipe: ramp(24, arrives * (1 + 0.01 * recipe.seed), top))


def test_epochs_to_an_endpoint():
    fast = arm("batch", 5)
    # 10 to 85 % in 5 epochs is 15 an epoch: 60 % after 50/15 of them, 80.75 % after 70.75/15
    assert epochs(fast, "60 %", PRECISE) == pytest.approx([10 / 3] * 4, rel=0.05)
    assert epochs(fast, OWN, RUNNING) == pytest.approx([70.75 / 15] * 4, rel=0.05)


def test_the_factor_is_the_same_at_every_endpoint_of_straight_lines():
    slow, fast = arm("none", 15), arm("batch", 5)
    found = factors(slow, fast, Runs([*slow, *fast]))
    assert {how for _, how in found} == {RUNNING, PRECISE}
    assert len(found) == 8
    for one in found.values():
        assert 2**one.value == pytest.approx(3, rel=0.05)
        assert one.method.startswith("pooled")


def test_the_higher_arm_is_faster_to_the_same_accuracy_and_not_to_its_own_best():
    low, high = arm("none", 10, top=0.68), arm("batch", 10, top=0.85)
    found = factors(low, high, Runs([*low, *high]))
    assert 2 ** found["60 %", PRECISE].value == pytest.approx(75 / 58, rel=0.05)
    assert 2 ** found[OWN, PRECISE].value == pytest.approx((54.6 / 58) / (70.75 / 75), rel=0.05)


def test_an_endpoint_that_some_run_never_reaches_has_no_factor():
    low, high = arm("none", 10, top=0.68), arm("batch", 10)
    assert ("70 %", PRECISE) not in factors(low, high, Runs([*low, *high]))
    assert np.isinf(epochs(low, "70 %", PRECISE)).all()
