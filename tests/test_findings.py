"""Effects and their intervals against closed forms, scipy's tests, enumeration and simulation."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from bnlib.analysis.counts import ranks, share, shares
from bnlib.analysis.findings import (
    combination,
    difference,
    exact,
    mean,
    paired_difference,
    sessions,
    spread,
)


@pytest.fixture
def rng():
    """A test's own: the same numbers in any order of the tests."""
    return np.random.default_rng(11)


def test_a_pooled_difference_by_its_formula(rng):
    arms = [rng.normal(m, 0.5, n) for m, n in ((90, 3), (91, 5), (80, 10))]
    kind = spread(arms)
    squares = sum(sum((v - sum(a) / len(a)) ** 2 for v in a) for a in arms)
    assert kind.df == 15
    assert kind.sd == pytest.approx(math.sqrt(squares / 15))
    found = difference(arms[1], arms[0], kind)
    half = 2.131449546 * math.sqrt(squares / 15) * math.sqrt(1 / 5 + 1 / 3)  # t, 15 df, printed
    assert found.interval() == pytest.approx((found.value - half, found.value + half), rel=1e-8)
    assert found.value == pytest.approx(arms[1].mean() - arms[0].mean())
    assert "15 df" in found.method


def test_of_two_arms_the_pooled_difference_is_students(rng):
    a, b = rng.normal(1, 1, 6), rng.normal(0, 1, 4)
    found = difference(a, b, spread([a, b]))
    theirs = stats.ttest_ind(a, b)
    assert found.interval(0.9) == pytest.approx(tuple(theirs.confidence_interval(0.9)))
    assert 2 * min(found.p_above(0), found.p_below(0)) == pytest.approx(theirs.pvalue)


def test_arms_of_different_spread_are_compared_by_welch(rng):
    a, b = rng.normal(1, 5, 20), rng.normal(0, 0.1, 20)
    kind = spread([a, b])
    assert kind.p == pytest.approx(stats.bartlett(a, b).pvalue)
    assert not kind.shared
    welch = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    for found in (difference(a, b, kind), difference(a, b)):
        assert found.interval() == pytest.approx(tuple(welch))
        assert "Welch" in found.method


@pytest.mark.parametrize("pooled", [True, False])
def test_a_combination_of_arms_by_its_formula(pooled):
    rng = np.random.default_rng(4)
    arms, weights = [rng.normal(size=n) for n in (4, 3, 6)], (1.0, -3.0, 2.0)
    found = combination(arms, weights, spread(arms) if pooled else None)
    assert found.value == pytest.approx(arms[0].mean() - 3 * arms[1].mean() + 2 * arms[2].mean())
    of_each = [arm.var(ddof=1) for arm in arms]
    common = (3 * of_each[0] + 2 * of_each[1] + 5 * of_each[2]) / 10
    a, b, c = [common] * 3 if pooled else of_each
    assert found.error == pytest.approx(np.sqrt(a / 4 + 9 * b / 3 + 4 * c / 6))
    welch = (a / 4 + 9 * b / 3 + 4 * c / 6) ** 2 / (
        (a / 4) ** 2 / 3 + (9 * b / 3) ** 2 / 2 + (4 * c / 6) ** 2 / 5
    )
    assert found.df == pytest.approx(10 if pooled else welch)


def test_a_paired_difference_loses_what_the_pairs_share(rng):
    pairs = rng.normal(0, 10, 8)
    a, b = pairs + rng.normal(1, 0.1, 8), pairs + rng.normal(0, 0.1, 8)
    found = paired_difference(a, b)
    assert found.interval() == pytest.approx(tuple(stats.ttest_rel(a, b).confidence_interval()))
    assert found.method == "paired, 7 df"


@pytest.mark.parametrize("found", [
    difference([0.5] * 3, [0.1] * 3),
    difference([1, 2], [3, 4, 5]),
    paired_difference([2, 3, 4], [1, 2, 3]),
    mean([1.0, 1.0, 1.0]),
])  # fmt: skip
def test_equal_values_or_too_few_have_no_interval_and_no_p_of_zero(found):
    assert np.isnan(found.interval()).all()
    assert not found.p_above(0) < 1
    assert found.seeds_for(0.1) is None
    assert "no interval" in found.method


def test_a_constant_arm_does_not_make_a_kind_precise():
    constant = np.full(3, 10.0)
    assert not spread([constant, np.array([10.0, 10.1, 10.2])]).shared


def test_seeds_wanted_come_from_the_spread_alone(rng):
    arm = rng.normal(0, 0.5, 40)
    kind = spread([arm, arm[::-1] + 1])
    t = stats.t.ppf(0.975, kind.df)
    for gap in (0, 5):
        found = difference(arm[:4] + gap, arm[4:8], kind)
        assert found.seeds_for(0.2) == math.ceil((t * kind.sd * math.sqrt(2) / 0.2) ** 2)


def test_pooled_intervals_cover_as_often_as_they_say():
    rng, covered, repeats = np.random.default_rng(1), 0, 1000
    for _ in range(repeats):
        arms = rng.normal(0, 0.5, (6, 3))
        low, high = difference(arms[0] + 1, arms[1], spread(arms)).interval()
        covered += low <= 1 <= high
    # Bartlett sends one draw in a hundred to Welch, whose interval covers nearly as often
    assert stats.binomtest(covered, repeats, 0.95).pvalue > 1e-4


# Counts and ranks


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (1, 10), (7, 12)])
def test_a_share_has_clopper_and_pearsons_interval(k, n):
    found = share([True] * k + [False] * (n - k))
    theirs = stats.binomtest(k, n).proportion_ci(0.9, "exact")
    assert found.interval(0.9) == pytest.approx(tuple(theirs))
    assert found.p_above(0.3) == pytest.approx(stats.binomtest(k, n, 0.3, "greater").pvalue)
    assert found.p_below(0.3) == pytest.approx(stats.binomtest(k, n, 0.3, "less").pvalue)
    assert found.counted == f"{k} of {n} runs"


@pytest.mark.parametrize(("n", "settled"), [(3, False), (4, True), (5, True)])
def test_all_against_none_is_settled_where_fishers_test_says_so(n, settled):
    found = shares([True] * n, [False] * n)
    assert found.p_above(0) == pytest.approx(1 / math.comb(2 * n, n))
    assert (found.interval()[0] > 0) == settled
    mirrored = shares([False] * n, [True] * n).interval()
    assert mirrored == pytest.approx(tuple(-x for x in found.interval()[::-1]))


def p_by_enumeration(a, b) -> float:
    """Of the rank sum of ``a`` or a larger one, over every way to deal the values out."""
    values = stats.rankdata([*a, *b])
    sums = [sum(hand) for hand in itertools.combinations(values, len(a))]
    return np.mean([s >= sum(values[: len(a)]) - 1e-9 for s in sums])


@pytest.mark.parametrize(("a", "b"), [
    ([5, 6, math.inf, math.inf], [1, 2, 3]),
    ([3, 3, 4], [3, 5, math.inf, 2]),
    ([math.inf] * 3, [math.inf] * 3),
    ([1, 2, 3], [4, 5, 6]),
])  # fmt: skip
def test_censored_times_are_compared_by_exact_ranks(a, b):
    found = ranks(a, b)
    assert found.p_above(0) == pytest.approx(p_by_enumeration(a, b))
    assert ranks(b, a).p_below(0) == pytest.approx(p_by_enumeration(a, b))
    wins = sum(np.sign(x - y) if x != y else 0 for x in a for y in b)
    assert found.value == pytest.approx(wins / (len(a) * len(b)))
    low, high = found.interval()
    assert (low > 0) == (found.p_above(0) <= 0.025)
    assert low <= found.value <= high


def test_three_runs_cannot_settle_an_order_and_five_can():
    assert ranks([1, 2, 3], [4, 5, 6]).interval()[1] == 0
    never = math.inf
    assert ranks([1, 2, 3, 4, 5], [6, 7, never, never, never]).interval()[1] < 0


def test_no_interval_leaves_the_range_of_its_measure():
    rng = np.random.default_rng(4)
    for n in (2, 3, 5, 10):
        for _ in range(40):
            a, b = rng.random(n) < rng.random(), rng.random(n + 1) < rng.random()
            for found, low in (
                (share(a), 0),
                (shares(a, b), -1),
                (ranks(np.where(a, 1.0, math.inf), np.where(b, 1.0, 2.0)), -1),
            ):
                ends = (*found.interval(), *found.interval(0.9))
                assert low <= min(ends)
                assert max(ends) <= 1
                assert ends[0] <= found.value <= ends[1]


@pytest.mark.parametrize(("n", "p", "q"), [(5, 0.8, 0.3), (8, 0.5, 0.5), (8, 0.95, 0.1)])
def test_the_interval_of_two_shares_covers_by_enumeration(n, p, q):
    covered = 0.0
    for i, j in itertools.product(range(n + 1), repeat=2):
        low, high = shares(
            [True] * i + [False] * (n - i), [True] * j + [False] * (n - j)
        ).interval()
        chance = stats.binom.pmf(i, n, p) * stats.binom.pmf(j, n, q)
        covered += chance * (low - 1e-9 <= p - q <= high + 1e-9)
    assert covered >= 0.95


def test_the_interval_of_ranks_covers_nearly_as_often_as_it_says():
    rng, repeats, covered = np.random.default_rng(5), 1000, 0
    for _ in range(repeats):
        x, y = rng.exponential(3, 8), rng.exponential(1, 8)  # P(x > y) = 3 / 4
        low, high = ranks(np.where(x > 9, math.inf, x), y).interval()
        covered += low <= 0.5 <= high
    assert covered / repeats > 0.93


def test_timings_have_a_median_and_a_range():
    one = sessions([np.array([1.0, 1.2, 1.1])])
    assert (one.value, *one.interval()) == (1.1, 1.0, 1.2)
    three = sessions([np.array([1.0, 9.0, 1.2]), np.array([2.0] * 3), np.array([1.5] * 3)])
    assert (three.value, *three.interval(), three.n) == (1.5, 1.2, 2.0, (3,))
    assert np.isnan(three.p_above(0))
    assert exact(3.0).interval() == (3, 3)
