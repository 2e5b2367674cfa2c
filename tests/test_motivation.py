"""The motivation chapter: its computing cells against closed forms, its claims on made-up runs."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from bnlib.claims.motivation import MOTIVATION, compared, drift, drifts_less, text_errors
from bnlib.paths import HOUSE
from bnlib.recipe import Recipe
from bnlib.run import Run, Runs
from bnlib.seeds import stream

CELLS = ("digits", "example-gradients", "noise", "product", "adam-change", "propagate", "shift")


@pytest.fixture(scope="module")
def page():
    """The names that the chapter's computing cells define, in its double precision."""
    from sklearn.datasets import load_digits

    chapter = json.loads((HOUSE / "chapters" / "01_motivation.ipynb").read_text(encoding="utf-8"))
    source = {cell["id"]: "".join(cell["source"]) for cell in chapter["cells"]}
    names = {"torch": torch, "np": np, "math": math, "F": F, "stream": stream}
    names["load_digits"] = load_digits
    before = torch.get_default_dtype()
    try:
        for cell in CELLS:
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


@given(st.floats(0.1, 10), st.floats(-10, 10))
def test_standardising_removes_any_affine_change(page, scale, shift):
    a = page["test"]
    moved = scale * a + shift
    ours = page["standardise"](moved, moved)
    torch.testing.assert_close(ours, page["standardise"](a, a), atol=1e-8, rtol=1e-8)


def made_up(norm, seed, speed, width=2.0, before=None, lr=0.1, diverged=False):
    """Quantiles that all move by ``speed`` a look, ``width`` apart; ``before`` BN by ``before``."""
    moments = np.arange(11.0)[:, None, None]
    around = np.array([-width / 2, 0, width / 2])[None, :, None]
    after = around + speed * moments * np.ones((1, 1, 3))  # three units
    at = around + (speed if before is None else before) * moments * np.ones((1, 1, 3))
    arrays = {"steps": np.arange(11) * 10, "unit_after": after, "unit_before": at}
    recipe = Recipe(model="mlp", norm=norm, lr=lr, seed=seed)
    summary = {"diverged": diverged, "steps": 100, "epochs": 4, "test_acc": 0.5}
    return Run(recipe, {}, summary, {}, arrays)


def arms(none, batch, before=None):
    """Three seeds of both arms, the drift a little different in each."""
    runs = [made_up("none", seed, none * (1 + 0.002 * seed)) for seed in range(3)]
    at = batch if before is None else before
    runs += [
        made_up("batch", s, batch * (1 + 0.003 * s), before=at * (1 - 0.001 * s)) for s in range(3)
    ]
    return {"mnist": Runs(runs)}


def test_drift_of_a_steady_movement():
    run = made_up("none", 0, speed=0.5, width=2.0)
    assert drift(run, "after", "early") == pytest.approx(0.25)  # one of ten looks
    assert drift(run, "after", "late") == pytest.approx(9 * 0.25)
    assert drift(run, "after", "late", own_spread=False) == pytest.approx(9 * 0.5)


def test_drift_does_not_depend_on_the_scale():
    small, large = made_up("none", 0, 0.5, 2.0), made_up("none", 0, 50.0, 200.0)
    assert drift(large, "after", "late") == pytest.approx(drift(small, "after", "late"))


def test_drift_of_a_constant_unit_and_of_a_diverged_run():
    assert np.isfinite(drift(made_up("none", 0, 0.0, 0.0), "after", "late")).all()
    assert np.isnan(drift(made_up("none", 0, 1.0, diverged=True), "after", "late")).all()


def test_findings_are_logarithms_of_ratios():
    findings = compared(arms(none=0.4, batch=0.1)["mnist"])
    assert len(findings) == 4  # two places, two phases, one learning rate
    assert [f.mean for f in findings] == pytest.approx([2, 2, 2, 2], abs=0.1)


@pytest.mark.parametrize(
    ("none", "batch", "before", "word"),
    [
        (0.4, 0.1, None, "supported"),
        (0.1, 0.4, None, "contradicted"),
        (0.1, 0.1, None, "contradicted"),  # the same is not less
        (0.4, 0.1, 0.4, "mixed"),  # less behind BN only
    ],
)
def test_verdict_on_drift(none, batch, before, word):
    verdict = drifts_less(arms(none, batch, before))
    assert verdict.word == word


def test_verdict_needs_an_interval():
    scattered = [made_up("none", s, 0.2) for s in range(3)]
    scattered += [made_up("batch", s, speed) for s, speed in enumerate((0.02, 0.2, 2.0))]
    assert drifts_less({"mnist": Runs(scattered)}).word == "inconclusive"
    few = [made_up(norm, s, v) for norm, v in (("none", 0.4), ("batch", 0.1)) for s in range(2)]
    assert drifts_less({"mnist": Runs(few)}).word == "inconclusive"


def test_text_verdict_counts_the_updates():
    verdict = text_errors(arms(0.4, 0.1))
    assert verdict.text
    assert verdict.word == "contradicted"
    assert "25 times an epoch" in verdict.because


def test_claims_are_those_of_the_ledger():
    assert [claim.id for claim in MOTIVATION] == ["S0.7", "S1.20"]
