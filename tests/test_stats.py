"""Intervals and corrections against closed forms, worked examples and simulation."""

import math

import numpy as np
import pytest

from bnlib.analysis.stats import (
    holm,
    mean_interval,
    percent,
)

T_975 = {2: 4.302652730, 4: 2.776445105, 9: 2.262157163, 29: 2.045229642}  # printed tables


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_t_interval_by_its_formula(n):
    x = np.random.default_rng(n).normal(3, 2, n)
    spread = math.sqrt(sum((v - sum(x) / n) ** 2 for v in x) / (n - 1))
    middle, half = mean_interval(x)
    assert middle == pytest.approx(sum(x) / n)
    assert half == pytest.approx(T_975[n - 1] * spread / math.sqrt(n), rel=1e-8)


def test_interval_goes_over_the_first_axis():
    table = np.random.default_rng(0).normal(size=(6, 4))
    middle, half = mean_interval(table)
    for j in range(4):
        assert (middle[j], half[j]) == pytest.approx(mean_interval(table[:, j]))


@pytest.mark.parametrize("n", [1, 2])
def test_no_interval_from_fewer_than_three(n):
    middle, half = mean_interval(np.arange(n))
    assert middle == pytest.approx((n - 1) / 2)
    assert np.isnan(half)


@pytest.mark.parametrize(("n", "level"), [(3, 0.95), (10, 0.95), (5, 0.9)])
def test_interval_covers_as_often_as_it_says(n, level):
    draws = np.random.default_rng(n).normal(1.7, 3, (n, 40_000))
    middle, half = mean_interval(draws, level)
    share = (np.abs(middle - 1.7) <= half).mean()
    assert share == pytest.approx(level, abs=0.005)  # four and a half standard errors


@pytest.mark.parametrize(
    ("p_values", "survives"),
    [
        # .05/4 = .0125, .05/3 = .0167, .05/2 = .025: the third stops the rest, though .04 < .05
        ([0.01, 0.04, 0.03, 0.005], [True, False, False, True]),
        ([0.04], [True]),
        ([0.06], [False]),
        ([], []),
        ([0.02, 0.02, 0.02], [False] * 3),  # each alone would pass
        ([0.016, 0.02, 0.05], [True, True, True]),
        ([0.001, float("nan"), 0.02], [True, False, True]),  # .05/3 and .05/2
        ([float("nan")] * 2, [False] * 2),
    ],
)
def test_holm_by_hand(p_values, survives):
    assert holm(p_values) == survives


def test_holm_keeps_the_chance_of_any_false_alarm():
    uniform = np.random.default_rng(3).uniform(size=(4000, 10))
    assert np.mean([any(holm(row)) for row in uniform]) == pytest.approx(0.05, abs=0.015)


def test_percent():
    half = T_975[2] * 0.01 / math.sqrt(3) * 100
    assert percent([0.97, 0.98, 0.99]) == f"98.00 ± {half:.2f} (n = 3)"
    assert percent([0.5]).startswith("50.00")
    assert "nan" not in percent([0.5])
