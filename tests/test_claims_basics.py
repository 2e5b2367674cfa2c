"""The claims that need no training, on made-up numbers and on what is computed."""

import math

import pytest
import torch

from bnlib.claims import cards
from bnlib.claims.basics import BASICS
from bnlib.norm.identities import ALPHAS, EPS, scale_errors, violations

EXACT, OFF = (1e-14, 1e-14, 1e-14), (0.3, 0.3, 0.3)


def invariance(without, with_eps):
    (card,) = cards(BASICS[:1], {"S1.11": {0.0: without, 1e-5: with_eps}})
    return card


def made_up(minus=EXACT, small=EXACT, large=EXACT, exact=EXACT):
    return invariance(
        {0.1: exact, 10.0: exact, -2.0: minus}, {0.001: small, 0.1: EXACT, 10.0: large}
    )


def test_the_conditions_are_judged_apart():
    assert made_up().word == "holds"
    assert made_up(minus=OFF, small=OFF).because == (
        "without ε for α > 0 and with ε for large α; not with ε for small α or for α < 0"
    )
    assert made_up(OFF, OFF, OFF, OFF).word == "does not hold"


def test_without_eps_an_identity_is_exact_and_with_it_a_hundredth_matters():
    assert made_up(small=(9e-3,) * 3).word == "holds"
    assert "with ε for small α" in made_up(small=(1.1e-2,) * 3).because
    assert "not without ε for α > 0" in made_up(exact=(1e-9,) * 3).because


def test_one_broken_statement_is_named():
    card = made_up(exact=(1e-14, 1e-14, 0.5))
    no = [answer.part.name for answer in card.answers if answer.side is False]
    assert no == ["error of ∂/∂(αw) = α⁻¹ ∂/∂w, without ε for α > 0"]


def test_the_worst_alpha_decides_and_no_number_settles_nothing():
    assert made_up(small=(EXACT[0], EXACT[0], 0.3)).word == "holds in part"
    card = made_up(exact=(float("nan"),) * 3)
    assert [answer.label for answer in card.answers[:3]] == ["open"] * 3


def test_what_is_computed_has_no_p():
    assert math.isnan(made_up(minus=OFF).p)
    assert cards(BASICS[:1], {"S1.11": scale_errors()}).holm() == {}


def test_the_computed_errors_are_those_of_the_closed_form():
    """With ε the output is off by √((σ² + ε) / (σ² + ε/α²)), channel by channel."""
    errors = scale_errors()
    assert set(errors) == {0.0, EPS}
    assert all(set(by_alpha) == set(ALPHAS) for by_alpha in errors.values())
    rng = torch.Generator().manual_seed(1)
    w, x, dy = (
        torch.randn(*shape, generator=rng, dtype=torch.float64)
        for shape in ((3, 1), (50, 3), (50, 1))
    )
    var = (x @ w).var(0, correction=0)
    for alpha in (1e-3, 0.1, 100.0):
        factor = torch.sqrt((var + 1e-2) / (var + 1e-2 / alpha**2)).item()
        assert violations(w, x, dy, alpha, 1e-2)[0] == pytest.approx(abs(factor - 1))
    assert violations(w, x, dy, -3.0, 0.0) == pytest.approx((2, 2, 2))
    shifted = violations(w, x, dy, 5.0, 0.0, b=7.0)
    assert max(shifted) < 1e-10


def test_the_verdict_on_what_is_computed():
    card, erratum = cards(BASICS, {"S1.11": scale_errors()})
    assert [answer.side for answer in card.answers] == [True] * 6 + [False] * 6
    assert not card.post_hoc
    assert erratum.label == "erratum"
    assert "Three slips" in erratum.because


def test_without_the_numbers_nothing_is_judged():
    assert cards(BASICS, {})[0].word == "not tested"


def test_an_error_is_shown_against_what_it_is_an_error_of():
    sizes = {answer.size for answer in made_up(minus=(2.0, 2.0, 2.0)).answers}
    assert sizes == {"0 of its size", "+2.00 of its size"}
