"""AlexNet and ResNet-18 against hand counts and plain formulas."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bnlib import models
from bnlib.recipe import Recipe

NORMS = ("none", "batch", "torch")
ALEXNET = Recipe(dataset="cifar10", model="alexnet", activation="relu")
RESNET = ALEXNET.but(model="resnet18")
THIN = ALEXNET.but(width=1 / 32, seed=4)  # 3, 8, 12, 12, 8 channels and 128 units
WEIGHTED = (nn.Conv2d, nn.Linear)

# the second to the fifth convolution, and the last two linear layers
CONVS = 25 * 96 * 256 + 256 + 9 * 256 * 384 + 384 + 9 * 384 * 384 + 384 + 9 * 384 * 256 + 256
LINEAR = 4096 * 4096 + 4096 + 4096 * 10 + 10
NORMALISED = 96 + 256 + 384 + 384 + 256 + 4096 + 4096


def shapes_only(recipe: Recipe) -> nn.Sequential:
    """The network without memory for its weights."""
    with torch.device("meta"):
        return models.structure(recipe)


@pytest.mark.parametrize(
    ("recipe", "count"),
    [
        (ALEXNET, 25 * 3 * 96 + 96 + CONVS + 256 * 4096 + 4096 + LINEAR),
        (ALEXNET.but(norm="batch"), 21_594_506 + NORMALISED),  # gamma and beta for a bias
        (ALEXNET.but(norm="torch"), 21_594_506 + NORMALISED),
        (ALEXNET.but(dropout=0.5, dropout_at="conv"), 21_594_506),
        (ALEXNET.but(image_size=64), 121 * 3 * 96 + 96 + CONVS + 256 * 4096 + 4096 + LINEAR),
        (ALEXNET.but(image_size=224), 121 * 3 * 96 + 96 + CONVS + 36 * 256 * 4096 + 4096 + LINEAR),
        (ALEXNET.but(image_size=224), 62_378_344 - 990 * 4097),  # as published, for 1,000 classes
        (RESNET.but(norm="torch"), 11_173_962),
        (RESNET, 11_173_962 - 64 - 64 * 4 - 5 * (128 + 256 + 512)),  # a bias for gamma and beta
    ],
    ids=str,
)
def test_parameters_as_counted_by_hand(recipe, count):
    assert sum(p.numel() for p in shapes_only(recipe).parameters()) == count


@pytest.mark.parametrize(
    ("size", "sides"), [(32, [16, 7, 3, 1]), (64, [15, 7, 3, 1]), (224, [55, 27, 13, 6])]
)
def test_sides_of_alexnets_pictures(size, sides):
    x, found = torch.empty(2, 3, 32, 32, device="meta"), {}
    for name, layer in shapes_only(ALEXNET.but(image_size=size)).named_children():
        x = layer(x)
        found[name] = tuple(x.shape)
    one, two, three, four = sides
    assert found["conv1"] == (2, 96, one, one)
    assert found["conv2"] == (2, 256, two, two)
    assert found["conv3"] == found["conv4"] == (2, 384, three, three)
    assert found["conv5"] == (2, 256, three, three)
    assert found["flatten"] == (2, 256 * four**2)
    assert found["fc3"] == (2, 10)


@pytest.mark.parametrize(
    ("width", "alexnet", "resnet"),
    [
        (1.0, [96, 256, 384, 384, 256, 4096, 4096], [64, 128, 256, 512]),
        (0.25, [24, 64, 96, 96, 64, 1024, 1024], [16, 32, 64, 128]),
        (0.3, [29, 77, 115, 115, 77, 1229, 1229], [19, 38, 77, 154]),  # the nearest number
        (0.001, [1, 1, 1, 1, 1, 4, 4], [1, 1, 1, 1]),  # never none
    ],
)
def test_width_is_a_factor_of_every_layers_outputs(width, alexnet, resnet):
    stages = [channels for channels in resnet for _ in range(5)]
    for recipe, outputs in ((ALEXNET, alexnet), (RESNET, stages)):
        net = shapes_only(recipe.but(width=width, norm="batch"))
        assert [m.weight.shape[0] for m in net.modules() if isinstance(m, WEIGHTED)] == [
            *outputs,
            10,
        ]
        assert net.eval()(torch.empty(2, 3, 32, 32, device="meta")).shape == (2, 10)


def upscaled(x: torch.Tensor, factor: int) -> torch.Tensor:
    """Bilinear by its formula: a new pixel's centre lies between old ones, the edge goes on."""
    old = torch.arange(x.shape[-1], dtype=x.dtype)
    centres = (torch.arange(x.shape[-1] * factor, dtype=x.dtype) + 0.5) / factor - 0.5
    share = (1 - (centres.clamp(0, old[-1])[:, None] - old).abs()).clamp(min=0)  # (new, old)
    return share @ x @ share.T


def plain_alexnet(recipe: Recipe, p: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    def block(y: torch.Tensor, place: int) -> torch.Tensor:
        if recipe.norm == "batch":
            affine = p[f"norm{place}.weight"], p[f"norm{place}.bias"]
            y = F.batch_norm(y, None, None, *affine, training=True)
        return getattr(torch, recipe.activation)(y)

    def conv(y: torch.Tensor, place: int, **options: int) -> torch.Tensor:
        y = F.conv2d(y, p[f"conv{place}.weight"], p.get(f"conv{place}.bias"), **options)
        return block(y, place)

    def linear(y: torch.Tensor, number: int) -> torch.Tensor:
        return block(F.linear(y, p[f"fc{number}.weight"], p.get(f"fc{number}.bias")), 5 + number)

    if recipe.image_size == 32:
        y = conv(x, 1, stride=2, padding=2)
    else:
        y = conv(upscaled(x, recipe.image_size // 32), 1, stride=4, padding=2)
    y = conv(F.max_pool2d(y, 3, 2), 2, padding=2)
    y = conv(F.max_pool2d(y, 3, 2), 3, padding=1)
    y = conv(conv(y, 4, padding=1), 5, padding=1)
    y = linear(linear(F.max_pool2d(y, 3, 2).flatten(1), 1), 2)
    return F.linear(y, p["fc3.weight"], p["fc3.bias"])


@pytest.mark.parametrize("size", [32, 64, 224])
@pytest.mark.parametrize(("norm", "activation"), [("none", "tanh"), ("batch", "relu")])
def test_alexnet_is_the_plain_formula(norm, activation, size):
    recipe = THIN.but(norm=norm, activation=activation, image_size=size)
    net = models.build(recipe).double()
    for name, p in net.named_parameters():
        if name.startswith("norm"):
            nn.init.normal_(p)
    x = torch.randn(6, 3, 32, 32).double()
    with torch.no_grad():
        torch.testing.assert_close(net(x), plain_alexnet(recipe, dict(net.named_parameters()), x))
        if size > 32:
            scaled = F.interpolate(x, (size, size), mode="bilinear", align_corners=False)
            torch.testing.assert_close(net.scale(x), scaled)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("where", "places"), [("fc", [6, 7]), ("conv", [1, 2, 3, 4, 5])])
def test_dropout_stands_behind_its_activations_and_only_in_training(norm, where, places):
    recipe = THIN.but(norm=norm, dropout=0.3, dropout_at=where)
    net, bare = models.build(recipe), models.build(recipe.but(dropout=0.0, dropout_at="fc"))
    drops = [i for i, layer in enumerate(net) if isinstance(layer, nn.Dropout)]
    assert [sum(isinstance(m, WEIGHTED) for m in net[:i]) for i in drops] == places
    assert all(isinstance(net[i - 1], nn.ReLU) for i in drops)
    assert [layer for layer in map(str, net) if "Dropout" not in layer] == list(map(str, bare))
    x = torch.randn(16, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(net.eval()(x), bare.eval()(x))
        net.train()
        for i, layer in enumerate(net):
            y = layer(x)
            if i in drops:
                on, kept = x > 0, (x > 0) & (y != 0)
                torch.testing.assert_close(y[kept], x[kept] / 0.7)
                spread = (0.3 * 0.7 / on.sum()).sqrt()
                assert abs(kept.sum() / on.sum() - 0.7) < 5 * spread
            x = y


@pytest.mark.parametrize("recipe", [THIN, THIN.but(model="resnet18")], ids=str)
def test_arms_start_from_the_same_weights(recipe):
    none, batch, torchs = (models.build(recipe.but(norm=norm)).state_dict() for norm in NORMS)
    weights = [name for name in none if none[name].dim() > 1]
    assert len(weights) == {"alexnet": 8, "resnet18": 21}[recipe.model]
    assert all(torch.equal(none[name], batch[name]) for name in weights)
    assert batch.keys() == torchs.keys()
    assert all(torch.equal(batch[name], torchs[name]) for name in batch)
    last = weights[-1].replace("weight", "bias")
    assert torch.equal(none[last], batch[last])
