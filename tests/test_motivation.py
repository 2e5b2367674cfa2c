"""The motivation chapter: its computing cells against closed forms, its claims on made-up runs."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from bnlib.analysis.drift import drift, drift_between, typical
from bnlib.book.motivation_page import before_early, drifts, short_answer
from bnlib.book.proofs import Checks
from bnlib.claims import cards
from bnlib.claims.motivation import MOTIVATION, ratio
from bnlib.paths import HOUSE
from bnlib.recipe import Recipe
from bnlib.run import Run, Runs
from bnlib.seeds import stream

CELLS = {
    "chapters/01_motivation.ipynb": ("digits", "product", "adam-change", "propagate", "shift"),
    "background.ipynb": ("example-gradients", "noise"),
}


@pytest.fixture(scope="module")
def page():
    """The names that the pages' computing cells define, in their double precision."""
    from sklearn.datasets import load_digits

    names = {"torch": torch, "np": np, "math": math, "F": F, "stream": stream}
    names |= {"load_digits": load_digits, "checks": Checks()}
    before = torch.get_default_dtype()
    try:
        for path, cells in CELLS.items():
            notebook = json.loads((HOUSE / path).read_text(encoding="utf-8"))
            source = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}
            for cell in cells:
                exec(compile(source[cell], cell, "exec"), names)
        yield names
    finally:
        torch.set_default_dtype(before)


def test_example_gradients_are_autograds(page):
    W = torch.randn(64, 10)
    ours = page["example_gradients"](W)
    for i in (0, 700, 1796):
        leaf = W.clone().requires_grad_()
        F.cross_entropy(page["x"][i] @ leaf, page["y"][i]).backward()
        torch.testing.assert_close(ours[i], leaf.grad.flatten())


@pytest.mark.parametrize("size", [1, 2, 5, 7])
def test_noise_law_is_the_mean_over_every_possible_batch(page, size):
    g = torch.randn(7, 3)
    batches = [list(rows) for rows in itertools.combinations(range(7), size)]
    off = torch.stack([g[rows].mean(0) - g.mean(0) for rows in batches])
    exact = off.square().sum(1).mean().sqrt()
    torch.testing.assert_close(page["noise_law"](g, size), exact, atol=1e-12, rtol=1e-12)


def test_drawn_batches_have_the_noise_of_the_law(page):
    g = torch.randn(40, 5)
    drawn = page["batch_noise"](g, 8, 20_000, torch.Generator().manual_seed(1))
    assert abs(drawn / page["noise_law"](g, 8) - 1) < 0.02


@settings(deadline=None)
@given(st.lists(st.floats(0.5, 1.5), min_size=1, max_size=7), st.floats(0.001, 0.3), st.booleans())
def test_orders_of_the_product_model(page, sizes, lr, negative):
    w = torch.tensor(sizes)
    w[0] *= -1 if negative else 1
    f = math.prod(w.tolist())
    changes = [-lr * f / each**2 for each in w.tolist()]
    by_hand = [
        f * sum(math.prod(some) for some in itertools.combinations(changes, k))
        for k in range(1, len(sizes) + 1)
    ]
    assert page["orders"](w, lr).tolist() == pytest.approx(by_hand, rel=1e-9, abs=1e-12)
    before, after = page["product_step"](w, lr)
    assert before == pytest.approx(f)
    assert after - before == pytest.approx(sum(by_hand), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
@pytest.mark.parametrize("size", [0.8, 1.0, 1.3])
def test_change_of_a_negative_product(page, kind, size):
    ours = page["change"](size, 0.01, kind, depth=6)
    assert ours == pytest.approx(page["change_law"](size, 0.01, kind, depth=6), rel=1e-5)


def test_propagated_slopes_and_variances(page):
    s = math.sqrt(1 / 64)
    net = page["propagate"](torch.sigmoid, s, depth=4, width=64, batch=8, nets=50)
    p = torch.sigmoid(net["z"])
    torch.testing.assert_close(net["slope"], p * (1 - p))
    torch.testing.assert_close(net["h"][:, 1:], p[:, :-1])
    linear = page["propagate"](lambda z: 1 * z, 1.1 * s, depth=4, width=64, batch=8, nets=200)
    for what, power in (("z", torch.arange(1, 5)), ("dz", torch.arange(3, -1, -1))):
        ratio = page["square"](linear[what]) / 1.21**power
        assert (ratio - 1).abs().max() < 0.05


@settings(deadline=None)
@given(st.floats(0.1, 10), st.floats(-10, 10))
def test_standardising_removes_any_affine_change(page, scale, shift):
    a = page["test"]
    moved = scale * a + shift
    ours = page["standardise"](moved, moved)
    torch.testing.assert_close(ours, page["standardise"](a, a), atol=1e-8, rtol=1e-8)


def made_up(norm, seed, speed, width=2.0, before=None, lr=0.1, diverged=False):
    """Quantiles that all move by ``speed`` a look, ``width`` apart; before BN by ``before``: one
    number, or one for the first look and one for the others."""
    around = np.array([-width / 2, 0, width / 2])[None, :, None] * np.ones((1, 1, 3))  # three units
    first, later = (before, before) if np.isscalar(before) else before or (speed, speed)
    path = np.array([0.0, first, *(first + later * np.arange(1, 10))])[:, None, None]
    steps = np.arange(11)
    arrays = {
        "steps": 10 * steps,
        "unit_after": around + speed * steps[:, None, None],
        "unit_before": around + path,
    }
    recipe = Recipe(model="mlp", norm=norm, lr=lr, seed=seed)
    summary = {"diverged": diverged, "steps": 100, "epochs": 4}
    summary |= {"test_acc": 0.5, "test_acc_precise": 0.5}
    return Run(recipe, {}, summary, {"device_kind": "cpu"}, arrays)


def arms(none, batch, before=None, lrs=(0.1,), scatter=0.01, n=5, later=None):
    """Both arms; the drift differs from seed to seed by shares of about ``scatter``."""
    rng = np.random.default_rng(3)
    runs = []
    for lr in lrs:
        for seed in range(n):
            off, on = np.exp2(rng.normal(0, scatter, 2))
            first = batch if before is None else before
            at = (first * on, (first if later is None else later) * on)
            runs.append(made_up("none", seed, none * off, lr=lr))
            runs.append(made_up("batch", seed, batch * on, before=at, lr=lr))
    return {"mnist": Runs(runs)}


def test_drift_of_a_steady_movement():
    run = made_up("none", 0, speed=0.5, width=2.0)
    assert drift(run, "after", "early") == pytest.approx(0.25)  # one of ten looks
    assert drift(run, "after", "late") == pytest.approx(9 * 0.25)
    assert drift(run, "after") == pytest.approx(10 * 0.25)
    assert drift(run, "after", "late", own_spread=False) == pytest.approx(9 * 0.5)


def test_drift_tells_the_phases_and_the_places_apart():
    run = made_up("batch", 0, speed=0.5, before=(4.0, 0.1))
    assert drift(run, "before", "early") == pytest.approx(2.0)
    assert drift(run, "before", "late") == pytest.approx(0.45)
    assert drift(run, "before") == pytest.approx(2.45)


def test_drift_does_not_depend_on_the_scale():
    small, large = made_up("none", 0, 0.5, 2.0), made_up("none", 0, 50.0, 200.0)
    assert drift(large, "after", "late") == pytest.approx(drift(small, "after", "late"))


def test_drift_of_a_constant_unit_and_of_a_diverged_run():
    assert np.isfinite(drift(made_up("none", 0, 0.0, 0.0), "after", "late")).all()
    assert np.isnan(drift(made_up("none", 0, 1.0, diverged=True), "after", "late")).all()


def test_a_run_counts_by_its_median_unit():
    run = made_up("none", 0, speed=1.0)
    run.arrays["unit_after"][:, :, 0] *= 100.0  # scale alone changes nothing …
    run.arrays["unit_after"][:, :, 1] = 0.0  # … and one unit that stands still is outvoted
    assert typical(Runs([run]), "after") == pytest.approx([5.0])


def test_the_short_answer_has_its_numbers():
    runs = arms(none=0.4, batch=0.1, before=0.2, later=0.8, lrs=(0.1, 1.0), scatter=0)
    for run in runs["mnist"].where(norm="batch"):
        run.summary["test_acc"] = 0.515 + 0.001 * run.recipe.seed
    lines = short_answer(runs)
    # five runs 1.5 to 1.9 points above .5; the other arm has no spread
    assert "1.70 points (" in lines[1]
    assert "at learning rate 0.1" in lines[1]
    assert "n = 5" in lines[1]
    assert "construction: 0.25× of the drift" in lines[2]
    assert "early in training (0.50×), mostly because" in lines[2]
    assert "and not later (2.00×)" in lines[2]


def looked_at(norm: str, seed: int, moves: list[float], lr: float = 0.1) -> Run:
    """Looks after 250, 500, 1,000, 1,500, 2,000 and 20,000 steps; before each the quantiles have
    moved by so much, of a width of 2."""
    run = made_up(norm, seed, 0.0, lr=lr)
    run.summary["steps"] = 20_000
    path = (1 + 0.01 * seed) * np.cumsum([0.0, *moves])
    run.arrays["steps"] = np.array([0, 250, 500, 1000, 1500, 2000, 20_000])
    around = np.array([-1.0, 0.0, 1.0])[None, :, None] * np.ones((1, 1, 3))
    run.arrays["unit_after"] = run.arrays["unit_before"] = around + path[:, None, None]
    return run


def test_drift_between_two_steps_counts_the_looks_between_them():
    run = looked_at("none", 0, [8, 4, 2, 1, 0.5, 100])
    assert drift_between(run, "after", 0, 500) == pytest.approx(6.0)
    assert drift_between(run, "after", 500, 1500) == pytest.approx(1.5)
    assert drift_between(run, "before", 1000, 2000) == pytest.approx(0.75)


def test_the_early_drift_is_parted_into_the_first_steps_and_the_rest():
    slow, calm = [0.5, 0.5, 0.5, 0.95, 0.95, 1], [0.5, 0.5, 0.5, 0.5, 0.5, 1]
    plain = [8, 8, 2, 1, 1, 1]
    each = [("none", plain, 0.1), ("batch", slow, 0.1), ("none", plain, 1.0), ("batch", calm, 1.0)]
    runs = Runs(looked_at(norm, s, moves, lr) for norm, moves, lr in each for s in range(3))
    said = before_early(runs)
    assert "*Early* the ratio is 0.17× and 0.12× (rates 0.1 and 1)" in said  # 3.4 / 20, 2.5 / 20
    assert "80 and 80 % of the plain network's drift there is made in the first 500 steps" in said
    assert "From step 1,000 to the end of that tenth the ratio is 0.95× (" in said
    assert " and 0.50× (" in said
    assert said.endswith(
        "So at 0.1 a calming of the layers before, to less than 0.8×, is not shown."
    )


def test_short_runs_have_no_parts_of_the_early_drift():
    runs = arms(none=0.4, batch=0.1, before=0.2)["mnist"]
    assert "too short" in before_early(runs)


def test_the_ratio_is_a_logarithm():
    runs = arms(none=0.4, batch=0.1, scatter=0.02)
    found = ratio(runs, 0.1, "after")
    assert found.value == pytest.approx(-2, abs=0.05)
    assert "8 df" in found.method  # of two arms of five
    assert ratio(runs, 0.1, "before", "late").value == pytest.approx(-2, abs=0.05)


def verdict(*args, **more):
    (card,) = (card for card in cards(MOTIVATION, arms(*args, **more)) if card.label != "erratum")
    return card


def split(card) -> str:
    """The headline with what splits it."""
    return f"{card.word}: {card.because}".rstrip(": ")


@pytest.mark.parametrize(("speeds", "word"), [
    ({"none": 0.4, "batch": 0.1}, "holds"),
    ({"none": 0.1, "batch": 0.4}, "does not hold"),
    ({"none": 0.1, "batch": 0.1}, "does not hold"),  # the same is not less
    ({"none": 0.4, "batch": 0.1, "before": 0.4},
     "holds in part: after BN (by construction); not before BN early or before BN late"),
    ({"none": 0.4, "batch": 0.1, "before": 0.1, "later": 0.5},
     "holds in part: after BN (by construction) and before BN early; not before BN late"),
    ({"none": 0.4, "batch": 0.4, "before": 0.1, "later": 0.5},
     "holds in part: before BN early; not after BN (by construction) or before BN late"),
])  # fmt: skip
def test_the_verdict_says_where(speeds, word):
    assert split(verdict(**speeds, lrs=(0.1, 1.0))) == word


def test_a_claim_that_turns_on_the_rate_says_so():
    runs = Runs([*arms(0.4, 0.1)["mnist"], *arms(0.1, 0.4, lrs=(1.0,))["mnist"]])
    (card,) = (card for card in cards(MOTIVATION, {"mnist": runs}) if card.label != "erratum")
    assert split(card) == "holds in part: at learning rate 0.1; not at learning rate 1"


def test_a_drift_is_less_by_a_quarter_or_perhaps_by_little():
    words = {answer.word for answer in verdict(0.4, 0.36).answers}
    assert words == {"yes, perhaps small"}
    assert {answer.word for answer in verdict(0.4, 0.3).answers} == {"yes"}
    assert {answer.word for answer in verdict(0.4, 0.41).answers} == {"the reverse"}
    assert {answer.word for answer in verdict(0.4, 0.4).answers} == {"no difference"}


def test_wide_scatter_or_few_runs_leave_it_open():
    assert verdict(0.2, 0.2, scatter=1.0).word == "open"
    few = verdict(0.4, 0.1, n=2)
    assert few.word == "open"
    assert few.main.size == "0.25×"


def test_runs_that_diverged_cannot_be_asked():
    some = arms(0.4, 0.1)["mnist"]
    broken = made_up("batch", 9, 0.1, diverged=True)
    (card,) = (c for c in cards(MOTIVATION, {"mnist": Runs([*some, broken])}) if c.label[0] != "e")
    assert {answer.word for answer in card.answers} == {"untestable here"}


def test_the_erratum_counts_the_updates_where_there_are_runs():
    assert "mini-batch: 25 times an epoch in" in str(cards(MOTIVATION[:1], arms(0.4, 0.1))[0])
    assert "every mini-batch. Updating" in str(cards(MOTIVATION[:1], {})[0])


def test_claims_are_those_of_the_ledger():
    assert [claim.id for claim in MOTIVATION] == ["S0.7", "S1.20"]


def test_runs_that_diverge_leave_the_page_standing():
    runs = arms(none=1.0, batch=0.25)
    lost = [made_up("none", seed, 1.0, diverged=True) for seed in range(5)]
    runs = {"mnist": Runs([*runs["mnist"].where(norm="batch"), *lost])}
    assert any("no number, since runs diverge," in line for line in short_answer(runs))
    assert "diverge" in before_early(runs["mnist"])
    assert len(drifts(runs).axes) == 2
