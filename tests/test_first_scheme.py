"""The first scheme: verdicts from made-up differences whose answer is known."""

import numpy as np
import pytest
from scipy import stats

from bnlib.claims import Claim, Finding, Verdict, verdicts
from bnlib.claims.first_scheme import above, together, within


def finding(mean: float, half: float, n: int = 10) -> Finding:
    return Finding("made up", mean, half, n, 0.5)


@pytest.mark.parametrize(
    ("mean", "half", "word"),
    [
        (1, 0.5, "supported"),
        (-1, 0.5, "contradicted"),
        (0.3, 0.5, "inconclusive"),
        (1, float("nan"), "inconclusive"),
    ],
)
def test_a_claim_of_more_needs_an_interval_above_zero(mean, half, word):
    assert above(finding(mean, half)) == word


@pytest.mark.parametrize(
    ("mean", "half", "word"),
    [
        (0.02, 0.05, "supported"),
        (0.3, 0.1, "contradicted"),
        (-0.3, 0.1, "contradicted"),
        (0.1, 0.05, "inconclusive"),
        (0, 0.2, "inconclusive"),
    ],
)
def test_a_claim_of_equality_needs_an_interval_within_its_margin(mean, half, word):
    assert within(finding(mean, half), margin=0.1) == word


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "contradicted"], "mixed"),
        (["supported", "inconclusive"], "mixed"),
        (["inconclusive", "not tested"], "inconclusive"),
    ],
)
def test_conditions_that_differ_are_mixed(words, word):
    assert together(words) == word


def test_a_finding_is_the_paired_t_interval():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.9, 0.1, 7), rng.normal(0.8, 0.1, 7)
    found = Finding.of_pairs("accuracy", a, b)
    interval = stats.ttest_rel(100 * a, 100 * b).confidence_interval()
    assert found.low == pytest.approx(interval.low)
    assert found.high == pytest.approx(interval.high)
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_the_smallest_visible_difference_is_found_four_times_out_of_five():
    rng = np.random.default_rng(2)
    pairs = rng.normal(0, 1, (800, 10))
    spread = np.mean([finding_of(row).detectable for row in pairs])
    seen = [finding_of(row + spread).low > 0 for row in pairs]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.05)


def finding_of(difference: np.ndarray) -> Finding:
    return Finding.of_pairs("made up", difference, np.zeros_like(difference), scale=1)


def test_an_unknown_word_is_refused():
    with pytest.raises(ValueError, match="supported, contradicted"):
        Verdict("true", "because")


def test_a_page_corrects_for_all_that_it_judges():
    def claim(number: int, p: float) -> Claim:
        found = Finding("made up", 1, 0.9, 10, p)
        return Claim(str(number), "S", "s", "r", lambda runs: Verdict("supported", "b", (found,)))

    judged = verdicts([claim(1, 0.001), claim(2, 0.02), claim(3, 0.04), claim(4, 0.3)], {})
    assert [j.holm for j in judged] == [(True,), (False,), (False,), (False,)]  # .02 > .05 / 3


def test_a_card_escapes_what_it_shows():
    claim = Claim("X1", "<b>", "a < b", "r", lambda runs: Verdict("supported", "1 < 2"))
    (card,) = verdicts([claim], {})
    assert "a &lt; b" in card._repr_html_()
    assert "<b>" not in card._repr_html_()
