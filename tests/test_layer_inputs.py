"""The probe of the layers' inputs against a slow one, scipy's distances, and a run without it."""

import copy

import numpy as np
import pytest
import torch
from probing import SMALLEST, take, watched
from scipy import stats
from torch import nn
from training import bits, trained

from bnlib import models
from bnlib.data import as_input
from bnlib.measure.layer_inputs import LayerInputs, distance, norm_places, typical_moments
from bnlib.recipe import Recipe
from bnlib.seeds import stream

BASE = Recipe(model="vgg_a_light", probes=("layer_inputs",), probe_every=4, **SMALLEST)


def test_places_are_named_by_the_layer_in_front():
    net = models.build(Recipe(model="vgg_a", width=1 / 32, dataset="shapes", norm="noisy"))
    places = norm_places(net)
    assert list(places) == [*(f"conv{i}" for i in range(1, 9)), "fc1", "fc2"]
    weights = {n: m for n, m in net.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    for name, norm in places.items():
        assert norm[0].num_features == len(weights[name].weight)
    resnet = norm_places(models.build(Recipe(model="resnet18", width=1 / 32, dataset="shapes")))
    assert len(resnet) == 17 + 3  # and the shortcuts
    assert list(resnet)[:2] == ["stem.conv", "block1_1.first.conv"]


def test_distances_are_scipys():
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, 1, (400, 7)), rng.gamma(2, 1.5, (400, 7))
    a, b = (torch.from_numpy(np.sort(x, axis=0)) for x in (one, other))
    own, raw = distance(a, b)
    by_unit = [stats.wasserstein_distance(x, y) for x, y in zip(one.T, other.T, strict=True)]
    spread = np.sqrt((one.var(0) + other.var(0)) / 2)
    assert float(raw) == pytest.approx(np.mean(by_unit), rel=1e-12)
    assert float(own) == pytest.approx(np.median(by_unit / spread), rel=1e-12)
    assert distance(a, a)[0] == distance(a, a)[1] == 0
    assert float(distance(a, a + 0.25)[1]) == pytest.approx(0.25)


def test_moments_are_scipys():
    x = np.random.default_rng(1).gamma(2, 1.5, (500, 9)) + np.arange(9)
    found = typical_moments(torch.from_numpy(x)).numpy()
    expected = [
        np.sqrt((x.mean(0) ** 2).mean()),
        np.sqrt(x.var(0).mean()),
        np.median(np.abs(stats.skew(x))),
        np.median(stats.kurtosis(x)),
    ]
    assert found == pytest.approx(expected, rel=1e-10)


def test_a_unit_that_gives_one_value_has_no_infinite_distance():
    x = torch.zeros(10, 3)
    assert torch.equal(torch.stack(distance(x, x)), torch.zeros(2))
    assert torch.isfinite(typical_moments(x)).all()


def slow(w, probe: LayerInputs) -> dict[str, dict[str, np.ndarray]]:
    """Every layer's values before and after its norm, unit by unit, by hooks of their own."""
    net, found = copy.deepcopy(w.model).train(), {}
    for name, norm in norm_places(net).items():

        def keep(norm, inputs, output, name=name):
            chosen = probe.positions.get(name)
            both = {}
            for place, x in (("before", inputs[0]), ("after", output)):
                x = x.detach().double().numpy()
                if x.ndim == 4:
                    x = x.reshape(*x.shape[:2], -1)[:, :, chosen.numpy()]
                    x = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1).T
                both[place] = x
            found[name] = both

        norm.register_forward_hook(keep)
    net(as_input(w.data.val.images[:256]).double())
    return found


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_arrays_are_those_of_a_slow_probe(norm):
    w = watched(BASE.but(norm=norm), steps=11, dtype=torch.float64)
    object.__setattr__(w, "data", _double(w.data))
    probe, rng, seen = LayerInputs(w), stream("a test"), {}
    for step in range(11):
        if probe.due(step):
            take(probe)
        seen[step] = slow(w, probe)
        with torch.no_grad():
            for p in w.model.parameters():
                p.add_(0.05 * torch.randn(p.shape, generator=rng, dtype=p.dtype))
    found = probe.result()
    assert found["inputs_steps"].tolist() == [0, 4, 8]
    assert found["inputs_layers"].tolist() == ["conv1", "conv2", "fc1", "fc2"]
    for place in ("before", "after"):
        for row, step in enumerate((0, 4, 8)):
            for column, name in enumerate(found["inputs_layers"]):
                here = seen[step][name][place]
                unit = here[:, here.shape[1] // 2]
                expected = np.quantile(unit, (0.05, 0.15, 0.5, 0.85, 0.95))
                assert found[f"inputs_{place}_quantiles"][row, column] == pytest.approx(
                    expected, rel=1e-5, abs=1e-6
                )
                for clock, other in (("step", step + 1), ("look", step - 4)):
                    value = found[f"inputs_{place}_{clock}_raw"][row, column]
                    if other < 0:
                        assert np.isnan(value)
                        continue
                    there = seen[other][name][place]
                    units = zip(here.T, there.T, strict=True)
                    wanted = np.mean([stats.wasserstein_distance(x, y) for x, y in units])
                    assert value == pytest.approx(wanted, rel=1e-5)
    if norm == "none":
        for what in ("moments", "quantiles", "step", "look"):
            one, other = (found[f"inputs_{place}_{what}"] for place in ("before", "after"))
            assert np.array_equal(one, other, equal_nan=True)


def _double(data):
    return type(data)(
        data.train,
        type(data.val)(data.val.images.double(), data.val.labels),
        *list(vars(data).values())[2:],
    )


@pytest.mark.parametrize("norm", ["none", "batch", "noisy"])
def test_a_run_is_the_same_with_it_and_a_record_small(norm):
    recipe = Recipe(
        model="vgg_a_light", norm=norm, probes=("layer_inputs",), probe_every=5, epochs=2,
        **SMALLEST | {"batch_size": 64},
    )  # fmt: skip
    run, net = trained(recipe)
    bare, same = trained(recipe.but(probes=(), probe_every=50))
    assert bits(net) == bits(same)
    assert run.history["train_loss"] == bare.history["train_loss"]
    looks = len(run.arrays["inputs_steps"])
    assert looks == -(-run.summary["steps"] // 5)
    for place in ("before", "after"):
        steps, moved = (run.arrays[f"inputs_{place}_{clock}"] for clock in ("step", "look"))
        assert np.isfinite(steps[:-1]).all()
        assert np.isnan(moved[0]).all()
        assert np.isfinite(moved[1:]).all()
        assert moved.dtype == np.float32


def test_every_step_can_be_a_look():
    w = watched(BASE.but(probe_every=1), steps=5)
    probe = LayerInputs(w)
    for step in range(5):
        assert probe.due(step)
        take(probe)
        with torch.no_grad():
            for p in w.model.parameters():
                p.mul_(1.1)
    found = probe.result()
    assert found["inputs_after_step"][:-1] == pytest.approx(found["inputs_after_look"][1:])
    assert np.isnan(found["inputs_after_step"][-1]).all()


def test_injected_noise_is_seen_after_the_norm_and_not_before_the_first():
    w = watched(BASE.but(norm="noise", probe_every=1), steps=3)
    probe = LayerInputs(w)
    for _ in range(3):  # the weights stay; the noise does not
        w.model.train()(as_input(w.images))
        take(probe)
    found = probe.result()
    assert (found["inputs_before_look"][1:, 0] == 0).all()
    assert (found["inputs_after_look"][1:] > 0.05).all()
