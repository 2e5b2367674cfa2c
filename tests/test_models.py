"""The networks against hand-counted parameters, plain formulas, and the initialisers' variances."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bnlib import models
from bnlib.errors import BookError
from bnlib.models.init import initialise
from bnlib.norm import BatchNorm
from bnlib.recipe import Recipe

NORMS = ("none", "batch", "torch")
LENET, MLP = Recipe(), Recipe(model="mlp")


def parameters(recipe: Recipe) -> int:
    return sum(p.numel() for p in models.build(recipe).parameters())


@pytest.mark.parametrize(
    ("recipe", "count"),
    [
        # conv 5·5·1·6+6, 5·5·6·16+16, 5·5·16·120+120; linear 120·84+84, 84·10+10
        (LENET, 156 + 2416 + 48120 + 10164 + 850),
        (LENET, 61706),
        # each of the 6+16+120+84 normalised outputs has gamma and beta in place of a bias
        (LENET.but(norm="batch"), 61706 + 226),
        (LENET.but(norm="torch"), 61706 + 226),
        # 28×28 leaves 4×4 for the third convolution
        (LENET.but(image_size=28), 61706 - 48120 + 4 * 4 * 16 * 120 + 120),
        (LENET.but(dataset="cifar100"), 61706 + 2 * 150 + 90 * 85),
        (MLP, 1024 * 100 + 2 * 100 * 100 + 300 + 1010),
        (MLP.but(norm="batch"), 1024 * 100 + 2 * 100 * 100 + 600 + 1010),
        (MLP.but(image_size=28), 784 * 100 + 2 * 100 * 100 + 300 + 1010),
    ],
    ids=str,
)
def test_parameters_as_counted_by_hand(recipe, count):
    assert parameters(recipe) == count


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_lenet_without_norm_is_the_plain_formula(activation):
    net = models.build(LENET.but(activation=activation, seed=5))
    act, x = getattr(torch, activation), torch.randn(3, 1, 32, 32)
    p = dict(net.named_parameters())
    y = F.avg_pool2d(act(F.conv2d(x, p["conv1.weight"], p["conv1.bias"])), 2)
    y = F.avg_pool2d(act(F.conv2d(y, p["conv2.weight"], p["conv2.bias"])), 2)
    y = act(F.conv2d(y, p["conv3.weight"], p["conv3.bias"]))
    assert y.shape == (3, 120, 1, 1)
    y = act(y.flatten(1) @ p["fc1.weight"].T + p["fc1.bias"])
    torch.testing.assert_close(net(x), y @ p["fc2.weight"].T + p["fc2.bias"])


@pytest.mark.parametrize("size", [28, 32])
@pytest.mark.parametrize("model", ["lenet", "mlp"])
def test_norms_stand_between_each_layer_and_its_activation(model, size):
    for norm, kinds in (("batch", BatchNorm), ("torch", (nn.BatchNorm1d, nn.BatchNorm2d))):
        layers = list(models.build(Recipe(model=model, norm=norm, image_size=size)))
        places = [i for i, layer in enumerate(layers) if isinstance(layer, kinds)]
        weights = [i for i, m in enumerate(layers) if isinstance(m, nn.Conv2d | nn.Linear)]
        assert places == [i + 1 for i in weights[:-1]]  # after each weight layer but the last
        assert all(isinstance(layers[i + 1], nn.Tanh) for i in places)
        assert [layers[i].bias is None for i in weights] == [True] * (len(weights) - 1) + [False]
    plain = models.build(Recipe(model=model, image_size=size))
    assert not any(isinstance(m, (BatchNorm, nn.BatchNorm1d, nn.BatchNorm2d)) for m in plain)
    assert all(m.bias is not None for m in plain if isinstance(m, nn.Conv2d | nn.Linear))


@pytest.mark.parametrize("init", ["default", "xavier", "he", "normal"])
@pytest.mark.parametrize("model", ["lenet", "mlp"])
def test_arms_start_from_the_same_weights(model, init):
    none, batch, torchs = (
        models.build(Recipe(model=model, init=init, norm=norm, seed=9)).state_dict()
        for norm in NORMS
    )
    weights = [name for name in none if name.endswith("weight")]
    assert len(weights) >= 4
    for name in weights:
        assert torch.equal(none[name], batch[name])
    assert batch.keys() == torchs.keys()
    assert all(torch.equal(batch[name], torchs[name]) for name in batch)
    assert torch.equal(none[weights[-1].replace("weight", "bias")], batch[list(batch)[-1]])


def test_the_seed_alone_decides():
    torch.manual_seed(1)
    one = models.build(LENET).state_dict()
    torch.manual_seed(2)
    two, other = models.build(LENET).state_dict(), models.build(LENET.but(seed=1)).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


def variance_of(init: str, fan_in: int, fan_out: int) -> float:
    return {
        "default": 1 / (3 * fan_in),  # of U(-1/√fan_in, 1/√fan_in)
        "xavier": 2 / (fan_in + fan_out),
        "he": 2 / fan_in,
        "normal": 0.25,
    }[init]


@pytest.mark.parametrize("init", ["default", "xavier", "he", "normal"])
def test_variances_are_the_formulas(init):
    options = {"init_std": 0.5} if init == "normal" else {}
    for recipe in (MLP, LENET):
        for layer in models.build(recipe.but(init=init, seed=11, **options)):
            if not isinstance(layer, nn.Conv2d | nn.Linear):
                continue
            weight = layer.weight.detach().double()
            area = weight[0, 0].numel()
            fan_in, fan_out = weight.shape[1] * area, weight.shape[0] * area
            expected, n = variance_of(init, fan_in, fan_out), weight.numel()
            # the sample variance of n normal draws spreads by sqrt(2/n): five times that
            assert abs(weight.var() / expected - 1) < 5 * math.sqrt(2 / n)
            assert abs(weight.mean()) < 5 * math.sqrt(expected / n)
            flat = (weight.abs() <= math.sqrt(3 * expected) * (1 + 1e-6)).all()
            assert flat == (init in ("default", "xavier"))  # uniform draws have an edge
            if init == "default":
                assert 0.3 / math.sqrt(fan_in) < layer.bias.abs().max() <= 1 / math.sqrt(fan_in)
            else:
                assert (layer.bias == 0).all()


def test_default_is_what_pytorch_draws():
    """The same distribution as nn.Linear's own: equal quantiles over many draws."""
    ours = models.build(MLP)[1].weight.detach().flatten()
    theirs = nn.Linear(1024, 100).weight.detach().flatten()
    levels = torch.linspace(0.01, 0.99, 25)
    gap = (torch.quantile(ours, levels) - torch.quantile(theirs, levels)).abs().max()
    assert gap < 0.01 / math.sqrt(1024) * 3


@pytest.mark.parametrize(
    ("foreign", "said"),
    [
        (nn.Embedding(3, 2), "'weight' of the Embedding at '1'"),
        (nn.Conv1d(3, 2, 1), "'weight' of the Conv1d at '1'"),
        (nn.ParameterList([torch.zeros(2)]), "'0' of the ParameterList at '1'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_parameter_that_nobody_draws_is_refused(foreign, said):
    net = nn.Sequential(nn.Linear(4, 3), foreign, BatchNorm(3))
    with pytest.raises(BookError) as wrong:
        initialise(net, MLP)
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)
    initialise(nn.Sequential(net[0], net[2], nn.BatchNorm2d(3)), MLP)
