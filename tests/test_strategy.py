"""What the controlled study adds to a training: its networks, rates by layer, clipping, the plateau
schedule, one scalar to standardise by."""

import itertools
import math

import pytest
import torch
from torch import nn

from bnlib import data, models
from bnlib.errors import BookError
from bnlib.models.dropout import Dropout
from bnlib.recipe import Recipe
from bnlib.training.optim import Schedule, layer_factors
from bnlib.training.process import settings
from bnlib.training.together import together

MLP = Recipe(
    dataset="digits",
    model="mlp",
    norm="batch",
    activation="relu",
    init="he",
    lr=0.02,
    momentum=0.9,
    nesterov=True,
    batch_size=64,
    epochs=2,
)
CNN = Recipe(dataset="cifar10", model="deep_cnn", activation="relu", width=1 / 16)


def trained(recipe):
    (run,) = together([recipe], "cpu", 1, {"commit": None, "dirty": None})
    return run


def parameters(**fields) -> int:
    model = models.structure(CNN.but(width=1.0, **fields))
    return sum(p.numel() for p in model.parameters())


def test_the_networks_have_the_parameters_that_their_layers_add_up_to():
    channels = [3, 64, 64, 128, 128, 256, 256, 512, 512, 512, 512]
    convolutions = sum(9 * a * b + b for a, b in itertools.pairwise(channels))
    linear = 512 * 512 + 512 + 512 * 10 + 10
    assert parameters() == convolutions + linear == 9_672_778
    normed = sum(channels[1:]) + 512  # gamma and beta come, the bias goes
    assert parameters(norm="batch") == convolutions + linear + normed
    assert parameters(norm="bare") == convolutions + linear - normed
    assert parameters(norm="batch", norm_at="after") == convolutions + linear + 2 * normed
    mlp = models.structure(Recipe(model="mlp", image_size=32))
    hidden = 1024 * 100 + 100 + 2 * (100 * 100 + 100)
    assert sum(p.numel() for p in mlp.parameters()) == hidden + 100 * 10 + 10


def test_the_cnn_pools_after_each_pair_and_drops_after_its_first():
    model = models.build(CNN.but(dropout=0.5, dropout_at="pair", norm="batch"))
    names = [name for name, layer in model.named_children() if isinstance(layer, Dropout)]
    assert names == ["drop1", "drop3", "drop5", "drop7", "drop9", "drop11"]
    order = [type(layer) for layer in model][:9]
    block = [nn.Conv2d, type(model.norm1), nn.ReLU]
    assert order == [*block, Dropout, *block, nn.MaxPool2d, nn.Conv2d]
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_the_norm_stands_where_the_recipe_says():
    before, after = (
        [name for name, _ in models.build(MLP.but(norm_at=at)).named_children()][1:4]
        for at in ("before", "after")
    )
    assert before == ["fc1", "norm1", "act1"]
    assert after == ["fc1", "act1", "norm1"]


def test_a_wild_start_with_its_rates_undone_is_hes_start():
    he = trained(MLP)
    wild, undone = (
        trained(MLP.but(init="normal_inside", layer_rates=rates)) for rates in ("same", "start")
    )
    assert undone.history["train_loss"] == pytest.approx(he.history["train_loss"], rel=0.02)
    assert undone.history["train_loss"][0] < wild.history["train_loss"][0] - 0.1


def test_layer_factors_are_squared_lengths_over_hes():
    recipe = MLP.but(init="normal_inside", layer_rates="start")
    model, he = models.build(recipe), models.build(MLP)
    pairs = zip(
        model.named_parameters(), he.parameters(), layer_factors(recipe, model), strict=True
    )
    for (name, wild), usual, factor in pairs:
        longer = (
            float((wild.detach().norm() / usual.detach().norm()) ** 2)
            if name.endswith("weight")
            else 1
        )
        layer = name.startswith("fc")
        assert factor == pytest.approx(longer if layer and wild.dim() == 2 else 1, rel=1e-5)
    assert layer_factors(MLP, he) == []
    with pytest.raises(BookError, match="layer_rates 'start' is for init 'normal_inside'"):
        MLP.but(layer_rates="start")


def test_a_long_gradient_is_cut_and_a_short_one_is_not():
    def moved(clip: float) -> float:
        recipe = MLP.but(norm="none", momentum=0.0, nesterov=False, lr=1.0, clip=clip, epochs=1)
        from bnlib.training.step import Step

        with settings("fp32", "cpu"):
            found = data.load("digits")
            model = models.build(recipe)
            start = [p.detach().clone() for p in model.parameters()]
            step = Step(recipe, model, found, 1)
            step.begin(torch.arange(64).view(1, 64), torch.ones(1))
            step.update()
        steps = [(p - s).square().sum() for p, s in zip(model.parameters(), start, strict=True)]
        return math.sqrt(float(sum(steps)))

    whole = moved(0.0)
    assert moved(whole / 4) == pytest.approx(whole / 4, rel=1e-3)
    assert moved(2 * whole) == pytest.approx(whole, rel=1e-3)


def test_the_plateau_schedule_follows_a_made_up_loss():
    schedule = Schedule(MLP.but(lr=0.01, schedule="plateau", epochs=100), steps_per_epoch=1)
    losses = [1.0, 0.9, *[0.95] * 5, 0.8, *[0.85] * 19]
    rates, stopped = [], []
    for epoch, loss in enumerate(losses):
        rates.append(float(schedule.epoch(epoch)))
        schedule.saw(loss)
        stopped.append(schedule.stop)
    halved = [0.01] * 7 + [0.005] * 6 + [0.0025] * 5 + [0.00125] * 5 + [0.000625] * 4
    assert rates == pytest.approx(halved)
    assert not any(stopped)  # 19 epochs without a better one
    schedule.saw(0.85)
    assert schedule.stop


def test_the_plateau_never_falls_below_its_floor_nor_rises_to_it():
    schedule = Schedule(MLP.but(lr=3e-4, schedule="plateau", epochs=100), steps_per_epoch=1)
    low = Schedule(MLP.but(lr=5e-5, schedule="plateau", epochs=100), steps_per_epoch=1)
    for _ in range(30):
        schedule.saw(1.0)
        low.saw(1.0)
    assert float(schedule.epoch(40)) == pytest.approx(1e-4)
    assert float(low.epoch(40)) == pytest.approx(5e-5)


def test_one_scalar_standardises_all_channels():
    found = data.load("shapes", standardise="scalar")
    pixels = found.train.images.double()
    assert float(pixels.mean()) == pytest.approx(0, abs=1e-5)
    assert float(pixels.std(correction=0)) == pytest.approx(1, abs=1e-5)
    assert found.mean.unique().numel() == found.std.unique().numel() == 1
    usual = data.load("shapes")
    assert float(usual.train.images[..., 0].double().mean()) == pytest.approx(0, abs=1e-5)
    assert float(found.train.images[..., 0].double().mean().abs()) > 1e-3
