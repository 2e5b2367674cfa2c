"""Probes see what they say they see, and change nothing. Precise evaluation likewise."""

import copy

import numpy as np
import pytest
import torch
from made_up import SMALL, without_time
from torch import nn
from torch.nn import functional as F
from training import bits, trained

from bnlib import data, measure, models
from bnlib.measure import PROBES, Watched
from bnlib.measure.s2_evaluation import S2Evaluation
from bnlib.measure.unit_inputs import UnitInputs
from bnlib.recipe import PROBES as NAMES
from bnlib.training.evaluate import evaluate
from bnlib.training.precise import precise

NORMS = ("none", "batch", "torch")
OF_NORMS = ("affine",), ("variance_shift",)  # these watch norm layers only


def watched(recipe, model, steps: int = 100) -> Watched:
    digits = data.load("digits")
    batch = digits.train.images[: recipe.batch_size], digits.train.labels[: recipe.batch_size]
    return Watched(recipe, model, digits, F.cross_entropy, steps, *batch)


def nudge(model: nn.Module, amount: float) -> None:
    """Other weights, as after some training."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(amount * torch.randn_like(p))


def run_without_probes(run) -> tuple:
    return without_time(run)[1:3]


def test_every_probe_is_known_by_its_name():
    assert tuple(sorted(PROBES)) == NAMES


@pytest.mark.parametrize("norm", NORMS)
def test_no_probe_changes_a_bit_of_the_training(norm):
    recipe = SMALL.but(norm=norm, epochs=2, momentum=0.9, lr=0.05)
    run, model = trained(recipe)
    for probes in [(name,) for name in NAMES] + [NAMES]:
        seen, same = trained(recipe.but(probes=probes))
        assert bits(same) == bits(model), probes
        assert run_without_probes(seen) == run_without_probes(run), probes
        assert bool(seen.arrays) or (norm == "none" and probes in OF_NORMS)


def test_a_probe_that_disturbs_is_caught(monkeypatch):
    """The comparison above is able to fail."""

    class Clumsy(measure.Probe):
        def due(self, step):
            return step == 5

        def sample(self):
            self.watched.model(torch.randn(2, 1, 32, 32))  # moves the running averages

    recipe = SMALL.but(norm="batch", epochs=1)
    _, model = trained(recipe)
    monkeypatch.setitem(PROBES, "affine", (Clumsy,))
    _, other = trained(recipe.but(probes=("affine",)))
    assert bits(model) != bits(other)


def s2_norm(x, gamma, beta, mean, var):
    """The review's batch norm: its mode is whether gradients are on, not ``module.training``."""
    if not torch.is_grad_enabled():
        return gamma * (x - mean) / torch.sqrt(var + 1e-5) + beta
    return gamma * (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + 1e-5) + beta


@pytest.mark.parametrize("norm", ["batch", "torch"])
def test_s2_evaluation_repeats_the_reviews_two_mistakes(norm):
    recipe = SMALL.but(norm=norm, batch_size=90)
    model = models.build(recipe)
    probe = S2Evaluation(watched(recipe, model))
    test = data.load("digits").test
    reported, per_epoch, right, seen = [], [], 0, 0  # the counters that are never set back
    for epoch in range(1, 4):
        nudge(model, 0.05)
        p = dict(model.named_parameters()) | dict(model.named_buffers())
        before, start = bits(model), right
        probe.epoch(epoch)
        assert bits(model) == before
        for first in range(0, len(test), 90):
            h = test.images[first : first + 90].flatten(1)
            for i in (1, 2, 3):
                stats = [p[f"norm{i}.{n}"] for n in ("weight", "bias", "running_mean")]
                h = s2_norm(h @ p[f"fc{i}.weight"].T, *stats, p[f"norm{i}.running_var"]).tanh()
            predicted = (h @ p["fc4.weight"].T + p["fc4.bias"]).argmax(1)
            right += int((predicted == test.labels[first : first + 90]).sum())
            seen += len(predicted)
        reported.append(right / seen)
        per_epoch.append((right - start) / len(test))
    found = probe.result()
    assert found["acc_test_batches"] == pytest.approx(per_epoch)
    assert found["acc_as_reported"] == pytest.approx(reported)
    assert len(set(per_epoch)) > 1


def test_s2_evaluation_without_norm_has_the_second_mistake_only():
    run, _ = trained(SMALL.but(probes=("s2_evaluation",), epochs=4))
    true = np.array(run.history["test_acc"])
    assert run.arrays["acc_test_batches"] == pytest.approx(true)
    assert run.arrays["acc_as_reported"] == pytest.approx(true.cumsum() / [1, 2, 3, 4])


@pytest.mark.parametrize("norm", NORMS)
def test_unit_inputs_are_the_quantiles_of_the_last_hidden_layer(norm):
    recipe = SMALL.but(norm=norm)
    model = models.build(recipe)
    nudge(model, 0.1)
    probe = UnitInputs(watched(recipe, model, steps=50))
    for step in range(50):
        if probe.due(step):
            probe.sample()
    x = data.load("digits").val.images.permute(0, 3, 1, 2)
    layers = list(copy.deepcopy(model).train())
    with torch.no_grad():
        before = nn.Sequential(*layers[:-3])(x)  # the output of the third linear layer
        after = layers[-3](before)
    found = probe.result()
    assert found["steps"][0] == 0
    assert found["steps"][-1] == 49
    assert found["steps"].tolist() == sorted(set(found["steps"].tolist()))
    for name, values in (("unit_before", before), ("unit_after", after)):
        expected = np.quantile(values.numpy(), (0.15, 0.5, 0.85), axis=0)
        assert found[name].shape == (len(found["steps"]), 3, 100)
        for moment in found[name]:  # the network stood still
            assert moment == pytest.approx(expected, rel=2e-3, abs=2e-3)


def test_affine_and_predictions_are_the_networks_at_the_end():
    run, model = trained(SMALL.but(norm="torch", probes=("affine", "predictions")))
    for i, layer in enumerate((model.norm1, model.norm2, model.norm3), start=1):
        assert np.array_equal(run.arrays[f"gamma{i}"], layer.weight.detach())
        assert np.array_equal(run.arrays[f"beta{i}"], layer.bias.detach())
    with torch.no_grad():
        logits = model.eval()(data.load("digits").test.images.permute(0, 3, 1, 2))
    assert np.array_equal(run.arrays["predicted"], logits.argmax(1))


def precise_by_hand(model: nn.Module, images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Each layer's mean and unbiased variance over batches of 1,000, averaged over the batches."""
    found: dict[str, list[torch.Tensor]] = {}
    p = dict(model.named_parameters())
    for batch in images.split(1000):
        h = batch.flatten(1).double()
        for i in (1, 2, 3):
            h = h @ p[f"fc{i}.weight"].double().T
            found.setdefault(f"norm{i}.running_mean", []).append(h.mean(0))
            found.setdefault(f"norm{i}.running_var", []).append(h.var(0))
            h = (h - h.mean(0)) / torch.sqrt(h.var(0, correction=0) + 1e-5)
            h = torch.tanh(h * p[f"norm{i}.weight"] + p[f"norm{i}.bias"])
    return {name: torch.stack(values).mean(0) for name, values in found.items()}


@pytest.mark.parametrize("norm", ["batch", "torch"])
def test_precise_statistics_are_averages_over_batches_and_touch_nothing(norm):
    model = models.build(SMALL.but(norm=norm)).train()
    nudge(model, 0.1)
    train = data.load("digits").train  # 1,348 images: a batch of 1,000 and one of 348
    before = bits(model)
    twin = precise(model, train)
    assert bits(model) == before
    assert all(layer.training for layer in model.modules())
    assert model.norm1.momentum == 0.1
    assert not any(layer.training for layer in twin.modules())
    with torch.no_grad():
        for name, expected in precise_by_hand(model, train.images).items():
            torch.testing.assert_close(
                twin.state_dict()[name].double(), expected, rtol=1e-4, atol=1e-5
            )
    for name, p in model.named_parameters():
        assert torch.equal(p, twin.get_parameter(name))


@pytest.mark.parametrize("norm", ["batch", "torch"])
def test_precise_statistics_forget_what_came_before(norm):
    """Weights may recover from steps whose batches left no number in the running averages."""
    model = models.build(SMALL.but(norm=norm)).train()
    train = data.load("digits").train
    expected = precise(model, train).state_dict()
    for value in (torch.inf, torch.nan):
        for i in (1, 2, 3):
            layer = model.get_submodule(f"norm{i}")
            layer.running_mean.fill_(value), layer.running_var.fill_(value)
            layer.num_batches_tracked.fill_(1000)
        found = precise(model, train).state_dict()
        for name, tensor in expected.items():
            torch.testing.assert_close(found[name], tensor)
        assert found["norm1.num_batches_tracked"] == 2


def test_evaluation_is_the_whole_splits_mean_and_leaves_the_mode():
    model = models.build(SMALL.but(norm="batch"))
    for split in (data.load("digits").train, data.load("digits").test):  # two batches, and one
        for training in (True, False):
            result = evaluate(model.train(training), split, F.cross_entropy)
            assert model.training == training
            with torch.no_grad():
                logits = copy.deepcopy(model).eval()(split.images.permute(0, 3, 1, 2))
            torch.testing.assert_close(result.loss, F.cross_entropy(logits, split.labels))
            assert torch.equal(result.predicted, logits.argmax(1))
            assert torch.equal(result.correct, result.predicted == split.labels)
