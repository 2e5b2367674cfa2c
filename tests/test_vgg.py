"""VGG against torchvision's, hand-counted parameters, and the places of norms and dropouts."""

import itertools

import pytest
import torch
from torch import nn
from torchvision.models.vgg import cfgs, make_layers

from bnlib import models
from bnlib.catalogue import NETS, NORMS
from bnlib.errors import BookError
from bnlib.norm import BatchNorm, LpNorm
from bnlib.recipe import Recipe

A = Recipe(dataset="cifar10", model="vgg_a", activation="relu")
LIGHT, D = A.but(model="vgg_a_light"), A.but(model="vgg16")
NARROW = A.but(width=1 / 16)
CONVS = {"vgg_a": (1, 1, 2, 2, 2), "vgg_a_light": (1, 1), "vgg16": (2, 2, 3, 3, 3)}  # per stage
LETTERS = {"vgg_a": "A", "vgg16": "D"}  # torchvision's configurations
KINDS = {
    "batch": BatchNorm,
    "torch": (nn.BatchNorm1d, nn.BatchNorm2d),
    "l1": LpNorm,
    "l2": LpNorm,
    "linf": LpNorm,
    "group": nn.GroupNorm,
    "layer": nn.GroupNorm,
    "naive": BatchNorm,
    "bare": BatchNorm,
    "noisy": nn.Sequential,  # the norm, if any, and the noise behind it
    "noise": nn.Sequential,
}


def weights(net: nn.Module) -> list[nn.Module]:
    return [m for m in net if isinstance(m, nn.Conv2d | nn.Linear)]


def count(tensors) -> int:
    return sum(t.numel() for t in tensors)


CONV_A = 9 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 256 + 256 * 512 + 3 * 512 * 512)
CONV_D = 9 * (3 * 64 + 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 2 * 256 * 256)
CONV_D += 9 * (256 * 512 + 5 * 512 * 512)
CHANNELS_A, CHANNELS_D = 64 + 128 + 2 * 256 + 4 * 512, 2 * 64 + 2 * 128 + 3 * 256 + 6 * 512


@pytest.mark.parametrize(
    ("recipe", "number"),
    [
        (A, CONV_A + CHANNELS_A + 2 * (512 * 512 + 512) + 5130),
        (D, CONV_D + CHANNELS_D + 2 * (512 * 512 + 512) + 5130),
        # conv 9·3·16+16, 9·16·32+32; linear 32·8·8·128+128, 128·128+128, 128·10+10
        (LIGHT, 448 + 4640 + 262272 + 16512 + 1290),
        # a gamma and a beta in place of each bias but the last layer's
        (A.but(norm="batch"), CONV_A + 2 * (CHANNELS_A + 1024) + 2 * 512 * 512 + 5130),
        (D.but(norm="torch"), CONV_D + 2 * (CHANNELS_D + 1024) + 2 * 512 * 512 + 5130),
        (LIGHT.but(norm="linf"), 448 + 4640 + 262272 + 16512 + 1290 + 16 + 32 + 128 + 128),
        (A.but(dataset="mnist"), CONV_A - 9 * 2 * 64 + CHANNELS_A + 2 * (512 * 512 + 512) + 5130),
        (
            LIGHT.but(dataset="cifar100", width=0.25),  # 4 and 8 channels, 32 units
            (108 + 4) + (288 + 8) + (512 * 32 + 32) + (1024 + 32) + (3200 + 100),
        ),
        (A.but(width=0.25), CONV_A // 16 + 9 * 3 * 12 + 688 + 2 * (128 * 128 + 128) + 1290),
    ],
    ids=str,
)
def test_parameters_as_counted_by_hand(recipe, number):
    assert count(models.build(recipe).parameters()) == number


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("recipe", [A, D], ids=lambda recipe: recipe.model)
def test_features_are_torchvisions(recipe, norm):
    ours = models.build(recipe.but(norm=norm, init="he"))
    ours = ours[: [type(m) for m in ours].index(nn.Flatten)].double()
    theirs = make_layers(cfgs[LETTERS[recipe.model]], batch_norm=norm == "batch").double()
    of = {kind: [m for m in theirs if isinstance(m, kind)] for kind in (nn.Conv2d, nn.BatchNorm2d)}
    found = weights(ours)
    assert count(m.weight for m in found) == count(m.weight for m in of[nn.Conv2d])
    for mine, other in zip(found, of[nn.Conv2d], strict=True):
        if norm == "none":
            nn.init.normal_(mine.bias)
        else:  # torchvision has biases that its batch norm takes away again
            assert mine.bias is None
            nn.init.zeros_(other.bias)
        other.load_state_dict(mine.state_dict(), strict=norm == "none")
    norms = [m for m in ours if isinstance(m, BatchNorm)]
    for mine, other in zip(norms, of[nn.BatchNorm2d], strict=True):
        nn.init.normal_(mine.weight), nn.init.normal_(mine.bias)
        nn.init.uniform_(mine.running_var, 0.5, 2)
        other.load_state_dict(mine.state_dict())
    x = torch.randn(4, 3, 32, 32, dtype=torch.float64)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        with torch.no_grad():
            got, want = ours(x), theirs(x)
        assert got.shape == (4, 512, 1, 1)
        assert want.std() > 0.01  # not all units are dead
        torch.testing.assert_close(got, want)


@pytest.mark.parametrize("model", CONVS)
def test_the_end_is_three_linear_layers(model):
    net = models.build(NARROW.but(model=model, width=0.5, dataset="cifar100"))
    units, inputs = (64, 16 * 8 * 8) if model == "vgg_a_light" else (256, 256)
    linear = [m for m in net if isinstance(m, nn.Linear)]
    assert [m.weight.shape for m in linear] == [(units, inputs), (units, units), (100, units)]
    x = torch.randn(3, 3, 32, 32)
    y = net[: list(net).index(linear[0])](x)
    assert y.shape == (3, inputs)
    y = linear[1](linear[0](y).relu()).relu()
    torch.testing.assert_close(net(x), y @ linear[2].weight.T + linear[2].bias)


def places(model: str, norm: bool, dropout_at: str | None = None) -> list[str]:
    """What should stand where, in one letter each."""
    hidden = "wna" if norm else "wa"
    conv, fc = (hidden + ("d" if dropout_at == at else "") for at in ("conv", "fc"))
    return list("".join(conv * number + "p" for number in CONVS[model]) + "f" + fc * 2 + "w")


def letters(net: nn.Module, activation: type[nn.Module], norm: str) -> list[str]:
    kinds = {
        (nn.Conv2d, nn.Linear): "w",
        activation: "a",
        nn.Dropout: "d",
        nn.MaxPool2d: "p",
        nn.Flatten: "f",
    }
    if norm != "none":
        kinds[KINDS[norm]] = "n"
    layers = [m for m in net if not isinstance(m, nn.Identity)]
    return [next(a for kind, a in kinds.items() if isinstance(m, kind)) for m in layers]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("model", CONVS)
def test_places_of_norms_and_dropouts(model, norm):
    recipe = NARROW.but(model=model, norm=norm, activation="tanh")
    for options in ({}, {"dropout": 0.3}, {"dropout": 0.3, "dropout_at": "conv"}):
        net = models.build(recipe.but(**options))
        at = options.get("dropout_at", "fc") if options else None
        assert letters(net, nn.Tanh, norm) == places(model, norm != "none", at)
        assert {m.p for m in net if isinstance(m, nn.Dropout)} == ({0.3} if options else set())
        assert [m.bias is None for m in weights(net)] == [
            norm not in ("none", "group", "layer", "noise")
        ] * (sum(CONVS[model]) + 2) + [False]


@pytest.mark.parametrize("model", CONVS)
def test_arms_start_from_the_same_weights(model):
    arms = [
        models.build(NARROW.but(model=model, seed=9, norm=norm, **drop))
        for norm, drop in itertools.product(NORMS, ({}, {"dropout": 0.5}))
    ]
    for net in arms[1:]:
        for one, other in zip(weights(arms[0]), weights(net), strict=True):
            assert torch.equal(one.weight, other.weight)
        assert torch.equal(weights(net)[-1].bias, weights(arms[0])[-1].bias)
    other = models.build(NARROW.but(model=model, seed=10))
    assert not torch.equal(weights(arms[0])[0].weight, weights(other)[0].weight)


@pytest.mark.parametrize("width", [1 / 16, 0.3])
def test_width_scales_every_layer(width):
    net = models.build(D.but(width=width))
    channels = [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6 + [512] * 2
    assert [len(m.weight) for m in weights(net)] == [round(width * c) for c in channels] + [10]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "vgg"}, [f"'{model}'" for model in NETS]),
        ({"dropout": 0.5}, ["dropout", *CONVS, "'lenet'"]),
        ({"model": "resnet18", "dropout": 0.5}, ["dropout", *CONVS, "'resnet18'"]),
        ({"width": 0.5}, ["width", *CONVS, "'lenet'"]),
        ({"model": "vgg16", "image_size": 28}, ["28", "'lenet'", "'vgg16'"]),
        ({"model": "vgg_a", "image_size": 64}, ["'alexnet'", "'vgg_a'"]),
    ],
    ids=str,
)
def test_errors_say_what_is_allowed(fields, said):
    with pytest.raises(BookError) as wrong:
        Recipe(**fields)
    assert [word for word in said if word not in str(wrong.value)] == []
