"""The landscape and the shift probe in a run: they see the step's own batch and noise, and change
nothing."""

import dataclasses

import numpy as np
import pytest
import torch
from made_up import SMALL, without_time
from torch import nn
from training import bits, trained

from bnlib import data
from bnlib.catalogue import NETS
from bnlib.measure.twin import Twin
from bnlib.recipe import Recipe
from bnlib.training import train as loop
from bnlib.training.step import Step
from bnlib.training.together import train

SEEN = SMALL.but(probes=("landscape",), probe_every=1, epochs=1)


def watched_by(recipe: Recipe, every: int) -> Recipe:
    return recipe.but(probes=("landscape", "shift"), probe_every=every)


def smallest(model: str, **fields) -> Recipe:
    """At the smallest width, on batches of 16."""
    fields |= {"width": 0.01} if NETS[model].scales else {}
    return Recipe(dataset="digits", model=model, epochs=1, batch_size=16, lr=0.01, **fields)


@pytest.fixture
def few(monkeypatch):
    """64 digits of each part: an epoch is 4 steps of 16."""
    digits = data.load("digits")
    parts = {
        name: data.Split(part.images[:64], part.labels[:64])
        for name in ("train", "val", "test")
        for part in [getattr(digits, name)]
    }
    small = dataclasses.replace(digits, **parts)
    monkeypatch.setattr(loop, "load", lambda *where: small)


FAMILIES = {net.module: name for name, net in reversed(NETS.items())}  # its first net

RUNS = [
    smallest(model, norm=norm, momentum=0.9)
    for model in FAMILIES.values()
    for norm in ("none", "batch", "torch")
] + [
    smallest("alexnet", norm="batch", dropout=0.5, dropout_at="conv", optimizer="adam"),
    smallest("alexnet", norm="none", dropout=0.5, momentum=0.9),
    smallest("lenet", norm="torch", optimizer="adam"),
    smallest("mlp", norm="batch", precision="bf16", weight_decay=0.01, momentum=0.9),
]


@pytest.mark.parametrize("recipe", RUNS, ids=str)
def test_the_training_is_the_same_to_the_last_bit(recipe, few):
    run, model = trained(recipe)
    seen, same = trained(watched_by(recipe, 2))
    assert bits(same) == bits(model)
    assert without_time(seen)[1:3] == without_time(run)[1:3]
    assert seen.arrays["steps"].tolist() == [0, 2]
    assert seen.arrays["shift_steps"].tolist() == [0, 2]


@pytest.mark.parametrize(
    "recipe",
    [
        SEEN.but(batch_size=16),
        SEEN.but(batch_size=16, norm="batch"),
        smallest("alexnet", norm="batch", dropout=0.5, probes=("landscape",), probe_every=1),
    ],
    ids=str,
)
def test_the_loss_is_that_of_the_step_to_come(recipe, few):
    """Same weights, batch and dropout masks: the samples' mean is the epoch's training loss."""
    run = train(recipe)
    assert run.arrays["loss"].mean() == pytest.approx(run.history["train_loss"][0], rel=1e-6)
    again = train(recipe)
    assert without_time(again) == without_time(run)
    other = train(recipe.but(seed=1))
    assert (other.arrays["random_beta"] != run.arrays["random_beta"]).all()


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("fields", [{}, {"dropout": 0.5, "norm": "batch"}], ids=str)
def test_a_shift_starts_from_the_step_that_the_landscape_looks_at(fields, every, few):
    """A step before it is measured: the same loss and gradients, of the same batch and masks."""
    found = train(watched_by(smallest("alexnet", **fields), every)).arrays
    steps = [0, 1, 2] if every == 1 else [0, 2]
    assert found["shift_steps"].tolist() == steps
    assert found["shift_loss"] == pytest.approx(found["loss"][: len(steps)], rel=1e-6)
    places = [found["layers"].tolist().index(layer) for layer in found["shift_layers"]]
    norms = found["layer_norms"][: len(steps), places]
    assert found["shift_norm"] == pytest.approx(norms, rel=1e-5)
    assert (found["shift_change"] > 0).all()
    assert (found["shift_difference"] > 0).all()


@pytest.mark.parametrize(("every", "momentum"), [(1, 0.0), (2, 0.0), (4, 0.9)])
def test_consecutive_gradients_are_those_that_the_training_took(every, momentum, monkeypatch):
    gradients, weights = [], []
    plain = Step.update

    def kept(step: Step) -> None:
        last = [m for m in step.model.modules() if isinstance(m, nn.Linear)][-1].weight
        weights.append(last.detach().clone())
        plain(step)
        gradients.append(last.grad.clone())

    monkeypatch.setattr(Step, "update", kept)
    recipe = watched_by(SMALL.but(norm="batch", momentum=momentum), every)
    found = train(recipe).arrays
    sampled = range(0, 20, every)
    assert found["steps"].tolist() == list(sampled)
    for name, series in (("changes", gradients), ("moves", weights)):
        ends = [s for s in sampled if s + (2 if name == "changes" else 1) < 20]
        expected = [(series[s + 1] - series[s]).norm().item() for s in ends]
        measured = found[f"consecutive_{name}"]
        assert measured[: len(ends)] == pytest.approx(expected, rel=1e-5)
        assert len(measured) == len(sampled)
        assert np.isnan(measured[len(ends) :]).all()
    norms = [gradients[s].norm().item() for s in sampled]
    assert found["layer_norms"][:, -1] == pytest.approx(norms, rel=1e-4)


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.filterwarnings("error")
def test_a_run_that_diverges_gives_nan(norm):
    recipe = watched_by(SMALL.but(norm=norm, activation="relu", loss="mse", lr=1e20), 1)
    run = train(recipe)
    assert run.summary["diverged"]
    for name, values in run.arrays.items():
        if not name.endswith(("steps", "etas", "layers")):
            assert len(values) == (9 if name.startswith("shift") else 10), name
            assert np.isnan(values[5:]).all(), name
    assert np.isfinite(run.arrays["loss"][0])


def test_measured_in_float32_whatever_the_training_uses(monkeypatch):
    """The first sample, before any step, is bit for bit the same; a TF32 run is set to float32."""
    seen = []

    def noted(twin: Twin, gradient=Twin.gradient):
        twin.model.register_forward_pre_hook(
            lambda *_: seen.append((torch.get_float32_matmul_precision(), *tf32()))
        )
        return gradient(twin)

    def tf32() -> tuple[bool, bool]:
        return torch.backends.cudnn.allow_tf32, torch.is_autocast_enabled("cpu")

    plain = train(SEEN).arrays
    monkeypatch.setattr(Twin, "gradient", noted)
    for precision in ("bf16", "tf32"):
        found = train(SEEN.but(precision=precision, probe_every=10)).arrays
        for name in ("loss", "gradient_changes", "random_beta", "scale_free_losses"):
            assert found[name][0].tobytes() == plain[name][0].tobytes(), (precision, name)
    assert set(seen) == {("highest", False, False)}


def test_what_the_training_takes_is_put_back(monkeypatch):
    """A TF32 run trains in TF32 after a sample as before it."""
    seen = []
    plain = Step.update

    def noted(step: Step) -> None:
        seen.append((torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32))
        plain(step)

    monkeypatch.setattr(Step, "update", noted)
    train(SEEN.but(precision="tf32", probe_every=5))
    assert set(seen) == {("high", True)}


def test_a_record_stays_small():
    """300 samples of a network of 11 weight layers, with room to spare."""
    found = train(SEEN).arrays
    per_sample = sum(a[0].nbytes for a in found.values() if len(a) == 10)
    layers = sum(found[name][0].nbytes for name in ("layer_norms", "layer_changes")) / 4
    assert 300 * (per_sample + (11 - 4) * layers) < 400_000
