"""The probes and the timing of the AlexNet chapter see what they say they see."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import SMALL, without_time
from torch import nn
from torch.nn import functional as F
from training import bits, trained

from bnlib import data, models
from bnlib.measure import Watched
from bnlib.measure.variance_shift import VarianceShift
from bnlib.measure.weights import Weights
from bnlib.models.dropout import Dropout, Noise, noises
from bnlib.norm import BATCH_NORMS
from bnlib.recipe import PROBES, Recipe, Timing
from bnlib.training import timing

THIN = SMALL.but(model="alexnet", activation="relu", width=1 / 32, epochs=1)


def watched(model: nn.Module, images: torch.Tensor | None = None) -> Watched:
    """``model`` trained on the digits, or on these (N, H, W, C)."""
    found = data.load("digits")
    if images is not None:
        labels = torch.zeros(len(images), dtype=torch.long)
        found = replace(found, train=data.Split(images, labels))
    train = found.train
    return Watched(SMALL, model, found, F.cross_entropy, 10, train.images, train.labels)


def nudge(model: nn.Module) -> None:
    """Other weights, as after some training."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_dropout_raises_the_training_variance_as_its_formula_says(rate):
    """A value x is x/(1 − p) with probability 1 − p, else 0: its square's mean is E[x²]/(1 − p)."""
    images = torch.randn(2100, 8, 8, 3) * torch.tensor([1, 0.5, 2]) + torch.tensor([0.0, 3, -1])
    images[2000:] *= 100  # these are too many
    model = nn.Sequential(Dropout(rate, Noise(7)), nn.BatchNorm2d(3))
    found = VarianceShift(watched(model, images)).result()
    assert found.keys() == {"variance_train1", "variance_eval1"}
    mean = images[:2000].double().mean((0, 1, 2)).numpy()
    second = images[:2000].double().square().mean((0, 1, 2)).numpy()
    assert found["variance_eval1"] == pytest.approx(second - mean**2, rel=1e-4)
    # 128,000 values a channel: five standard errors of the variance are below 4 %
    assert found["variance_train1"] == pytest.approx(second / (1 - rate) - mean**2, rel=0.04)


@pytest.mark.parametrize("norm", ["batch", "torch"])
def test_the_variances_are_of_every_norm_layers_input_in_both_modes(norm):
    model = models.build(THIN.but(norm=norm))
    nudge(model)
    found = VarianceShift(watched(model)).result()
    assert len(found) == 2 * 7
    for mode in ("train", "eval"):
        h, place = data.as_input(data.load("digits").train.images), 0
        for layer in copy.deepcopy(model).train(mode == "train"):
            if isinstance(layer, BATCH_NORMS):
                place += 1
                by_channel = h.detach().transpose(0, 1).flatten(1).double().numpy()
                assert found[f"variance_{mode}{place}"] == pytest.approx(
                    by_channel.var(axis=1), rel=1e-4, abs=1e-7
                )
            h = layer(h)
        assert place == 7


def test_without_dropout_converged_averages_leave_no_shift():
    model = models.build(THIN.but(norm="batch"))
    nudge(model)

    def shift() -> list[float]:
        found = VarianceShift(watched(model)).result()
        ratios = [found[f"variance_eval{i}"] / found[f"variance_train{i}"] for i in range(1, 8)]
        return [float(np.abs(np.log(ratio)).max()) for ratio in ratios]

    before = shift()
    assert before[0] == 0  # in front of the first layer nothing is normalised
    assert min(before[1:]) > 0.1
    for layer in model:
        if isinstance(layer, BATCH_NORMS):
            layer.momentum = 1.0  # the averages become those of one pass
    with torch.no_grad():
        model.train()(data.as_input(data.load("digits").train.images))
    assert max(shift()) < 0.01  # unbiased against biased


def test_variance_shift_touches_nothing_and_sees_nothing_without_norm():
    recipe = THIN.but(dropout=0.5, dropout_at="conv")
    for training in (True, False):
        model = models.build(recipe.but(norm="batch")).train(training)
        before, noise = bits(model), noises(model)[0].state()
        VarianceShift(watched(model)).result()
        assert bits(model) == before
        assert torch.equal(noises(model)[0].state(), noise)
        assert all(layer.training == training for layer in model.modules())
        assert not any(layer._forward_pre_hooks for layer in model.modules())
    assert VarianceShift(watched(models.build(recipe))).result() == {}


@pytest.fixture(scope="module")
def dropped():
    """A net whose training draws noise, and its run without probes."""
    recipe = THIN.but(norm="batch", dropout=0.5, dropout_at="conv", epochs=2)
    return recipe, *trained(recipe)


@pytest.mark.parametrize("name", PROBES)
def test_no_probe_moves_the_noise_of_a_run_with_dropout(name, dropped):
    recipe, run, model = dropped
    seen, same = trained(recipe.but(probes=(name,)))
    assert bits(same) == bits(model)
    assert without_time(seen)[1:3] == without_time(run)[1:3]


def euclid(one: torch.Tensor, other: torch.Tensor | float = 0.0) -> float:
    return float((one.double() - other).square().sum().sqrt())


@pytest.mark.parametrize("model", ["lenet", "mlp"])
def test_weights_are_the_norms_and_distances_after_every_epoch(model):
    net = models.build(SMALL.but(model=model, norm="batch"))
    probe = Weights(watched(net))
    states = [copy.deepcopy(net.state_dict())]
    for epoch in (1, 2, 3):
        nudge(net)
        probe.epoch(epoch)
        states.append(copy.deepcopy(net.state_dict()))
    names = [f"conv{i}.weight" for i in (1, 2, 3)] if model == "lenet" else []
    names += [f"fc{i}.weight" for i in ((1, 2) if model == "lenet" else (1, 2, 3, 4))]
    found = probe.result()
    norms = [[euclid(state[name]) for name in names] for state in states]
    moved = [[euclid(state[name], states[0][name]) for name in names] for state in states]
    assert found["weight_norms"] == pytest.approx(np.array(norms), rel=1e-5)
    assert found["weights_moved"] == pytest.approx(np.array(moved), rel=1e-5)


def test_weights_of_a_run_go_from_its_start_to_its_end():
    recipe = THIN.but(norm="batch", epochs=2, probes=("weights",))
    run, net = trained(recipe)
    first, last = (
        [p.detach() for p in n.parameters() if p.dim() > 1] for n in (models.build(recipe), net)
    )
    norms, moved = run.arrays["weight_norms"], run.arrays["weights_moved"]
    assert norms.shape == moved.shape == (3, 8)
    assert norms[0] == pytest.approx(np.array([euclid(w) for w in first]), rel=1e-5)
    assert norms[-1] == pytest.approx(np.array([euclid(w) for w in last]), rel=1e-5)
    assert (moved[0] == 0).all()
    far = [euclid(*pair) for pair in zip(last, first, strict=True)]
    assert moved[-1] == pytest.approx(np.array(far), rel=1e-4)
    assert min(far) > 0


def test_a_timing_takes_the_norms_of_its_own_model_or_of_several_in_turn():
    net = Recipe(model="alexnet", width=0.25, lr=0.3)
    assert Timing(recipe=net).arms() == {
        norm: net.but(norm=norm) for norm in ("none", "batch", "torch")
    }
    arms = Timing(recipe=net, models=("lenet", "resnet18"), norms=("none", "batch")).arms()
    thin = Recipe(model="resnet18", width=0.25, lr=0.3)
    assert list(arms) == ["lenet none", "lenet batch", "resnet18 none", "resnet18 batch"]
    assert list(arms.values()) == [
        Recipe(lr=0.3),  # LeNet has no width
        Recipe(lr=0.3, norm="batch"),
        thin,
        thin.but(norm="batch"),
    ]


def test_every_arm_is_timed_as_often_as_the_others(monkeypatch):
    made = Timing(
        recipe=THIN, models=("mlp", "alexnet"), norms=("none", "batch"), steps=1, repeats=5
    )
    built, build = [], models.build
    monkeypatch.setattr(models, "build", lambda recipe: built.append(recipe) or build(recipe))
    run = timing.measure(made, {})
    names = ["mlp none", "mlp batch", "alexnet none", "alexnet batch"]
    assert built == [made.arms()[name] for name in names]
    assert list(run.history) == list(run.summary["seconds_per_step"]) == names
    for name, seconds in run.history.items():
        assert len(seconds) == 5
        assert min(seconds) > 0
        assert run.summary["seconds_per_step"][name] == sorted(seconds)[2]
