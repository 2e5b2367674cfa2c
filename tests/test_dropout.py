"""Dropout with a stream of its own: PyTorch's bits, copies that draw the same, nothing recorded."""

import copy

import pytest
import torch
from made_up import SMALL
from torch import nn
from torch.nn import functional as F
from training import bits, trained

from bnlib import data, models
from bnlib.models.dropout import Dropout, Noise, noises, share
from bnlib.models.twin import twin_of
from bnlib.seeds import seed_of, stream

DROPPED = SMALL.but(model="alexnet", activation="relu", width=1 / 32, dropout=0.4, epochs=1)


def images(dtype: torch.dtype = torch.float32) -> torch.Tensor:
    x = torch.randn(6, 8, 5, 5, generator=stream("a test")).to(dtype)
    return x.contiguous(memory_format=torch.channels_last).requires_grad_()


@pytest.mark.parametrize("p", [0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_bits_of_pytorchs_dropout_from_the_same_state(dtype, p):
    layer, x = Dropout(p, Noise(11)), images(dtype)
    torch.manual_seed(11)
    for _ in range(3):
        expected, found = F.dropout(x, p), layer(x)
        assert torch.equal(found, expected)
        one, other = (torch.autograd.grad(y.square().sum(), x)[0] for y in (expected, found))
        assert torch.equal(one, other)
    state = torch.get_rng_state()
    assert torch.equal(layer.noise.state(), state)
    assert layer.eval()(x) is x
    assert torch.equal(layer.noise.state(), state)


def pytorchs(recipe) -> nn.Module:
    """The same network with PyTorch's dropout."""
    net = models.build(recipe)
    for name, layer in net.named_children():
        if isinstance(layer, Dropout):
            net.set_submodule(name, nn.Dropout(layer.p))
    return net


@pytest.mark.parametrize("at", ["fc", "conv"])
def test_a_network_trains_to_the_bits_of_one_that_draws_from_the_process(at, monkeypatch):
    """The process seeded for the noise, and then the layers made, with weights that go unused."""
    recipe = DROPPED.but(dropout_at=at)
    _, net = trained(recipe)
    build = pytorchs(recipe)
    monkeypatch.setattr(models, "build", lambda recipe: build)
    torch.manual_seed(seed_of(recipe.seed, "noise"))
    layers = [m for m in build if isinstance(m, nn.Conv2d | nn.Linear)]
    for layer in layers:
        layer.__class__(*shape(layer), bias=layer.bias is not None)
    _, other = trained(recipe)
    assert bits(other) == bits(net)


def shape(layer: nn.Module) -> tuple:
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    return layer.in_channels, layer.out_channels, layer.kernel_size


def test_neither_building_nor_training_draws_from_the_process():
    state = torch.get_rng_state()
    trained(DROPPED)
    assert torch.equal(torch.get_rng_state(), state)
    _, net = trained(DROPPED)
    torch.rand(5)
    _, same = trained(DROPPED)
    assert bits(same) == bits(net)
    _, other = trained(DROPPED.but(seed=1))
    assert bits(other) != bits(net)


def test_a_network_has_one_noise_and_its_state_dict_none():
    recipe = DROPPED.but(dropout_at="conv")
    net = models.build(recipe)
    drops = [m for m in net if isinstance(m, Dropout)]
    assert len(drops) == 5
    assert {id(m.noise) for m in drops} == {id(noises(net)[0])}
    assert models.noise_of(net) == [noises(net)[0].generator]
    bare = models.build(recipe.but(dropout=0.0, dropout_at="fc"))
    assert noises(bare) == models.noise_of(bare) == []
    assert net.state_dict().keys() == bare.state_dict().keys()
    assert noises(net.double().to("cpu"))[0] is noises(net)[0]


@pytest.mark.parametrize("at", ["fc", "conv"])
def test_a_twin_draws_what_the_network_draws_next_and_leaves_it_alone(at):
    net = models.build(DROPPED.but(dropout_at=at, norm="batch")).train()
    x = data.as_input(data.load("digits").train.images[:8])
    net(x)
    before, state = bits(net), noises(net)[0].state()
    twin = twin_of(net, training=True)
    first, second = twin(x), twin(x)
    assert not torch.equal(first, second)
    assert torch.equal(noises(net)[0].state(), state)
    assert bits(net) == before
    assert torch.equal(net(x), first)
    assert torch.equal(net(x), second)


def test_a_twin_is_in_the_mode_that_is_asked_for():
    net = models.build(DROPPED)
    for mode in (True, False):
        assert all(m.training is mode for m in twin_of(net.train(not mode), mode).modules())
        quiet = twin_of(net, mode, dropout=False)
        assert all(m.training is (mode and not isinstance(m, Dropout)) for m in quiet.modules())
        assert all(m.training is not mode for m in net.modules())
    x = data.as_input(data.load("digits").train.images[:8])
    quiet = twin_of(net, True, dropout=False)
    assert torch.equal(quiet(x), quiet(x))


def test_held_masks_are_the_next_ones_again_and_again():
    net = nn.Sequential(Dropout(0.5), nn.ReLU(), Dropout(0.2))
    share(net, Noise(3))
    plain, x = copy.deepcopy(net), torch.ones(40, 30)
    noises(net)[0].hold()
    first = net(x)
    assert torch.equal(first, plain(x))
    assert torch.equal(first, net(x))
    noises(net)[0].hold()
    second = net(x)
    assert not torch.equal(second, first)
    assert torch.equal(second, plain(x))
