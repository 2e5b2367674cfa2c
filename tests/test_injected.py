"""Injected noise: the wanted distribution, in training only, from the network's own stream."""

import math

import pytest
import torch
from made_up import SMALL
from torch import nn
from training import bits, trained

from bnlib import data, models
from bnlib.models.dropout import Noise, noises, share
from bnlib.models.injected import InjectedNoise
from bnlib.models.twin import twin_of
from bnlib.norm import NORM_LAYERS
from bnlib.seeds import stream
from bnlib.training.evaluate import evaluate
from bnlib.training.precise import precise
from bnlib.training.step import criterion_of

NOISY = SMALL.but(norm="noisy")
SHAPES = [(400, 30), (60, 20, 6, 6)]


def noisy_layer(seed: int = 5) -> InjectedNoise:
    layer = InjectedNoise()
    share(layer, Noise(seed))
    return layer


def slow(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Algorithm 1 as it is printed, a value at a time."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=rng))

    y = torch.empty_like(x)
    for j in range(x.shape[1]):
        mu, sigma = uniform(-0.5, 0.5), uniform(1, 1.25)
        flat = x[:, j].reshape(-1)
        for i, a in enumerate(flat.tolist()):
            m = uniform(mu - 0.1, mu + 0.1)
            s = sigma + 0.1 * float(torch.randn((), generator=rng))
            flat[i] = s * a + m
        y[:, j] = flat.view(y[:, j].shape)
    return y


def figures(ys: list[torch.Tensor], x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of the noise's slope and shift in every unit at every step: what their laws are made of."""
    found: dict[str, list[torch.Tensor]] = {"slope": [], "shift": [], "residual": []}
    for y in ys:
        a, b = (t.transpose(0, 1).flatten(1).double() for t in (x, y))
        centred = a - a.mean(1, keepdim=True)
        slope = (centred * b).sum(1) / centred.square().sum(1)
        shift = b.mean(1) - slope * a.mean(1)
        rest = b - slope[:, None] * a - shift[:, None]
        found["slope"].append(slope)
        found["shift"].append(shift)
        found["residual"].append(rest.square().mean(1) - 0.01 * a.square().mean(1))
    return {name: torch.cat(values) for name, values in found.items()}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("who", ["layer", "slow"])
def test_its_laws_and_those_of_a_slow_reference(shape, who):
    x = torch.randn(shape, generator=stream("a test"), dtype=torch.float64)
    layer, rng = noisy_layer(), stream("a test", "slow")
    count = 40 if who == "layer" else 3
    ys = [layer(x) if who == "layer" else slow(x.clone(), rng) for _ in range(count)]
    found = figures(ys, x)
    units = len(found["slope"])
    for name, low, high in (("slope", 1.0, 1.25), ("shift", -0.5, 0.5)):
        values, width = found[name], high - low
        for found_end, end in ((values.min(), low), (values.max(), high)):
            assert abs(found_end - end) < 0.03  # of 60 draws or more, and their own errors
        error = width / math.sqrt(12 * units)  # standard error of the mean of so many uniforms
        assert abs(values.mean() - (low + high) / 2) < 4 * error
        assert values.std() == pytest.approx(width / math.sqrt(12), rel=0.35)
    # what is left of a value is s - sigma times it, and m - mu, which has the variance .1² / 3
    assert found["residual"].mean() == pytest.approx(0.01 / 3, rel=0.25)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_value_has_noise_of_its_own_and_every_step_other_units(shape):
    layer = noisy_layer()
    x = torch.zeros(shape)
    one, other = layer(x), layer(x)
    assert one.flatten().unique().numel() > 0.98 * one.numel()
    assert not torch.equal(one, other)
    # per unit m is within .1 of its mu, and mu is another at each step
    one, other = (y.transpose(0, 1).flatten(1) for y in (one, other))
    assert ((one.amax(1) - one.amin(1)) <= 0.2).all()
    assert (one.mean(1) - other.mean(1)).abs().mean() > 0.1


def test_no_noise_in_evaluation_unless_it_is_asked_for():
    layer, x = noisy_layer().eval(), torch.randn(8, 4)
    state = layer.noise.state()
    assert layer(x) is x
    assert torch.equal(layer.noise.state(), state)
    layer.always = True
    assert not torch.equal(layer(x), x)


@pytest.mark.parametrize("model", ["mlp", "vgg_a_light", "alexnet", "resnet18"])
@pytest.mark.parametrize("norm", ["noisy", "noise"])
def test_it_stands_behind_every_norm_of_a_network(model, norm):
    width = {} if model == "mlp" else {"width": 1 / 32}
    recipe = SMALL.but(model=model, norm=norm, **width)
    net, plain = (
        models.build(recipe.but(norm=n)) for n in (norm, {"noisy": "batch"}.get(norm, "none"))
    )
    injected = [m for m in net.modules() if isinstance(m, InjectedNoise)]
    norms = [m for m in net.modules() if isinstance(m, NORM_LAYERS)]
    places = sum(
        isinstance(m, nn.Identity)
        for n, m in models.build(recipe.but(norm="none")).named_modules()
        if "norm" in n
    )
    assert len(injected) == places
    assert len(norms) == (places if norm == "noisy" else 0)
    assert len(noises(net)) == 1
    for mine, its in zip(net.parameters(), plain.parameters(), strict=True):
        assert torch.equal(mine, its)  # the same start as without noise
    images = data.as_input(data.load("digits").train.images[:16])
    assert torch.equal(net.eval()(images), plain.eval()(images))
    assert not torch.equal(net.train()(images), plain.train()(images))


def test_a_twin_draws_what_the_network_draws_next_or_nothing():
    net = models.build(NOISY).train()
    x = data.as_input(data.load("digits").train.images[:8])
    net(x)
    before = bits(net)
    twin = twin_of(net, training=True)
    first, second = twin(x), twin(x)
    assert not torch.equal(first, second)
    assert bits(net) == before
    assert torch.equal(net(x), first)
    assert torch.equal(net(x), second)
    quiet = twin_of(net, training=True, dropout=False)
    assert torch.equal(quiet(x), quiet(x))
    noises(twin)[0].hold()
    assert torch.equal(twin(x), twin(x))


def test_a_run_is_its_seed_and_no_draw_is_the_process_s():
    state = torch.get_rng_state()
    _, net = trained(NOISY)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    _, same = trained(NOISY)
    _, other = trained(NOISY.but(seed=1))
    _, calm = trained(NOISY.but(norm="batch"))
    assert bits(same) == bits(net)
    assert len({bits(net), bits(other), bits(calm)}) == 3


# the probe that tests with noise on


def test_noise_on_at_test_time_is_recorded_beside_noise_off():
    recipe = NOISY.but(probes=("noise",), epochs=3, lr=0.01)
    run, net = trained(recipe)
    bare, same = trained(recipe.but(probes=()))
    assert bits(net) == bits(same)
    assert run.history["test_acc"] == bare.history["test_acc"]
    on, on_precise = (run.arrays[f"acc_noise{how}"] for how in ("", "_precise"))
    assert on.shape == on_precise.shape == (3,)
    calm, _ = trained(recipe.but(norm="batch"))
    for how in ("", "_precise"):  # without noise it says nothing new
        found, known = calm.arrays[f"acc_noise{how}"], calm.history[f"test_acc{how}"]
        assert found == pytest.approx(known, abs=1e-6)
    plain, _ = trained(recipe.but(norm="noise"))
    assert "acc_noise_precise" not in plain.arrays


def test_noise_on_is_that_of_the_layers_with_the_averages_of_either_kind():
    recipe = NOISY.but(epochs=1, lr=0.01)
    run, net = trained(recipe.but(probes=("noise",)))
    digits = data.load("digits")
    for how, base in (("", twin_of(net, False)), ("_precise", None)):
        twin = twin_of(net, training=False)
        for layer in twin.modules():
            if isinstance(layer, InjectedNoise):
                layer.always = True
        twin = precise(twin, digits.train) if base is None else twin
        shares = [
            float(evaluate(twin, digits.test, criterion_of(recipe)).correct.float().mean())
            for _ in range(20)
        ]
        spread = max(shares) - min(shares)
        assert spread > 0  # the draws are others each time
        middle = sum(shares) / len(shares)
        assert abs(float(run.arrays[f"acc_noise{how}"][-1]) - middle) < max(2 * spread, 0.05)
