"""Calibration, the spread of the logits and the loss plane against plain formulas."""

import copy
import itertools

import numpy as np
import pytest
import torch
from made_up import SMALL
from torch.nn import functional as F
from training import bits, trained

from bnlib import data, models
from bnlib.measure import Watched
from bnlib.measure.calibration import BINS, Calibration, calibration_error
from bnlib.measure.logits import Logits
from bnlib.measure.plane import POINTS, filterwise, loss_plane
from bnlib.seeds import stream
from bnlib.training.evaluate import evaluate
from bnlib.training.precise import precise


def by_hand(confidence, correct, edges) -> float:
    """The definition, a bin at a time."""
    total = 0.0
    for low, high in itertools.pairwise(edges):
        here = [(p, c) for p, c in zip(confidence, correct, strict=True) if low < p <= high]
        if here:
            accuracy = np.mean([c for _, c in here])
            total += len(here) / len(confidence) * abs(accuracy - np.mean([p for p, _ in here]))
    return total


def test_calibration_error_is_its_definition():
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.1, 1, 997)
    correct = rng.uniform(size=997) < confidence**2
    found = calibration_error(torch.tensor(confidence), torch.tensor(correct))
    assert float(found) == pytest.approx(by_hand(confidence, correct, np.linspace(0, 1, BINS + 1)))
    order = np.argsort(confidence)
    parts = [(confidence[i], correct[i]) for i in np.array_split(order, BINS)]
    equal = sum(len(p) / 997 * abs(c.mean() - p.mean()) for p, c in parts)
    found = calibration_error(torch.tensor(confidence), torch.tensor(correct), equal_mass=True)
    assert float(found) == pytest.approx(equal)


def test_a_calibrated_and_a_boastful_network():
    correct = torch.arange(1000) % 10 < 8  # four of five are right
    sure = torch.full((1000,), 0.8)
    assert float(calibration_error(sure, correct)) == pytest.approx(0, abs=1e-6)
    assert float(calibration_error(torch.ones(1000), correct)) == pytest.approx(0.2)
    assert float(calibration_error(torch.ones(1000), correct, True)) == pytest.approx(0.2, abs=0.01)


def watched(recipe):
    model = models.build(recipe)
    digits = data.load("digits")
    train = digits.train
    return Watched(recipe, model, digits, F.cross_entropy, 100, train.images[:8], train.labels[:8])


def test_calibration_is_that_of_both_evaluations_on_the_test_images():
    w = watched(SMALL.but(norm="batch"))
    probe = Calibration(w)
    probe.epoch(1)
    found = probe.result()
    for how, net in (("", w.model), ("_precise", precise(w.model, w.data.train))):
        with torch.no_grad():
            logits = copy.deepcopy(net).eval()(w.data.test.images.permute(0, 3, 1, 2))
        confidence, predicted = logits.softmax(1).max(1)
        edges = np.linspace(0, 1, BINS + 1)
        expected = by_hand(confidence.tolist(), (predicted == w.data.test.labels).tolist(), edges)
        assert found[f"ece{how}"] == pytest.approx([expected], abs=1e-5)
        assert torch.equal(evaluate(net, w.data.test, F.cross_entropy).confidence, confidence)
    assert found["ece"] != found["ece_precise"]


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_logit_spread_is_over_images_not_over_classes(norm):
    w = watched(SMALL.but(norm=norm))
    before = bits(w.model)
    found = Logits(w).result()["logit_spread"]
    with torch.no_grad():
        logits = copy.deepcopy(w.model).train()(w.data.val.images.permute(0, 3, 1, 2)).numpy()
    expected = np.sqrt(logits.var(axis=0).mean())
    assert found == pytest.approx([expected], rel=1e-5)
    assert found[0] < np.sqrt((logits**2).mean())
    assert bits(w.model) == before


def test_filterwise_directions_have_each_filters_length():
    weight = torch.randn(5, 3, 2, 2) * torch.arange(1, 6)[:, None, None, None]
    one, two = (filterwise(weight, stream(0, "plane", axis, 0)) for axis in range(2))
    for direction in (one, two):
        torch.testing.assert_close(direction.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))
    cosine = F.cosine_similarity(one.flatten(), two.flatten(), dim=0)
    assert cosine.abs() < 0.9
    assert not torch.equal(one, two)


def test_the_plane_of_a_quadratic_is_its_closed_form_and_the_weights_come_back():
    torch.manual_seed(5)
    weights = [torch.randn(3, 4, dtype=torch.float64), torch.randn(2, 2, dtype=torch.float64)]
    directions = tuple([torch.randn_like(w) for w in weights] for _ in range(2))
    start = [w.clone() for w in weights]
    coordinates = torch.tensor([-1.0, 0.0, 0.5], dtype=torch.float64)
    found = loss_plane(
        weights, directions, coordinates, lambda: sum(w.square().sum() for w in weights)
    )
    flat = [torch.cat([w.flatten() for w in some]) for some in (start, *directions)]
    for i, a in enumerate(coordinates):
        for j, b in enumerate(coordinates):
            expected = (flat[0] + a * flat[1] + b * flat[2]).square().sum()
            assert float(found[i, j]) == pytest.approx(float(expected), rel=1e-12)
    assert all(torch.equal(w, s) for w, s in zip(weights, start, strict=True))


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_planes_middle_and_corner_are_losses_of_the_moved_network(norm):
    run, model = trained(SMALL.but(norm=norm, probes=("plane",), epochs=1, seed=4))
    plane, middle = run.arrays["plane"], POINTS // 2
    assert plane.shape == (POINTS, POINTS)
    assert run.arrays["plane_coordinates"][[0, middle, -1]].tolist() == [-1, 0, 1]
    train = data.load("digits").train

    def loss(a: float, b: float) -> float:
        twin = copy.deepcopy(model).train()
        with torch.no_grad():
            weights = [p for p in twin.parameters() if p.dim() > 1]
            for place, w in enumerate(weights):
                one, two = (filterwise(w, stream(4, "plane", axis, place)) for axis in range(2))
                w.add_(a * one + b * two)
            count = len(train) // 20
            logits = twin(train.images[:count].permute(0, 3, 1, 2))
            return float(F.cross_entropy(logits, train.labels[:count]))

    assert plane[middle, middle] == pytest.approx(loss(0, 0), rel=1e-4)
    assert plane[0, -1] == pytest.approx(loss(-1, 1), rel=1e-4)
    assert abs(plane[0, -1] / plane[middle, middle] - 1) > 0.01
