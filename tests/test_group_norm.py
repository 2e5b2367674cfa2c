"""Group and layer norm against their formula and PyTorch's functions, in 64 bits."""

import pytest
import torch
from torch.nn import functional as F

from bnlib.norm import norm_layer

DOUBLE = {"dtype": torch.float64}
GROUPS = {1: 1, 6: 6, 16: 16, 32: 32, 37: 1, 64: 32, 84: 28, 96: 32, 100: 25, 120: 30, 512: 32}


def drawn(name: str, channels: int, dims: int):
    """A layer with a gamma and a beta of its own."""
    layer = norm_layer(name, channels, dims).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    return layer


def by_formula(x, groups: int, gamma, beta):
    """Image by image and group by group."""
    y = torch.empty_like(x)
    for n, image in enumerate(x):
        for channels in torch.arange(len(image)).chunk(groups):
            z = image[channels]
            z = (z - z.mean()) / (z.var(correction=0) + 1e-5).sqrt()
            shape = (-1, *[1] * (z.dim() - 1))
            y[n, channels] = z * gamma[channels].view(shape) + beta[channels].view(shape)
    return y


@pytest.mark.parametrize("channels", GROUPS)
def test_group_norm_is_its_formula_and_pytorchs(channels):
    torch.manual_seed(channels)
    layer, x = drawn("group", channels, 2), 3 + torch.randn(3, channels, 4, 5, **DOUBLE)
    y = layer(x)
    want = by_formula(x, GROUPS[channels], layer.weight, layer.bias)
    torch.testing.assert_close(y, want, rtol=0, atol=1e-10)
    want = F.group_norm(x, GROUPS[channels], layer.weight, layer.bias)
    torch.testing.assert_close(y, want, rtol=0, atol=1e-10)
    assert torch.equal(layer.eval()(x), y)  # the same with whatever images beside it
    torch.testing.assert_close(layer(x[:1]), y[:1], rtol=0, atol=1e-10)


@pytest.mark.parametrize(("units", "groups"), [(2, 1), (3, 1), (8, 4), (32, 16), (84, 28)])
def test_a_group_of_units_has_two_at_least(units, groups):
    torch.manual_seed(units)
    layer, x = drawn("group", units, 0), torch.randn(5, units, **DOUBLE)
    want = by_formula(x, groups, layer.weight, layer.bias)
    torch.testing.assert_close(layer(x), want, rtol=0, atol=1e-10)


def test_layer_norm_is_pytorchs():
    torch.manual_seed(0)
    layer, x = drawn("layer", 7, 0), 3 + torch.randn(5, 7, **DOUBLE)
    want = F.layer_norm(x, (7,), layer.weight, layer.bias)
    torch.testing.assert_close(layer(x), want, rtol=0, atol=1e-10)
    layer, x = drawn("layer", 7, 2), 3 + torch.randn(5, 7, 4, 3, **DOUBLE)
    want = F.layer_norm(x, (7, 4, 3)) * layer.weight.view(7, 1, 1) + layer.bias.view(7, 1, 1)
    torch.testing.assert_close(layer(x), want, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dims", [0, 2])
@pytest.mark.parametrize("name", ["group", "layer"])
def test_gradients(name, dims):
    torch.manual_seed(dims)
    layer = drawn(name, 6, dims)
    x = torch.randn(2, 6, *[3] * dims, **DOUBLE, requires_grad=True)
    inputs = (x, *layer.parameters())

    def output(x, gamma, beta):
        return torch.func.functional_call(layer, {"weight": gamma, "bias": beta}, (x,))

    assert torch.autograd.gradcheck(output, inputs)
