"""Dead units, saturated answers and gradients by layer, against what is known of made-up nets."""

import numpy as np
import pytest
import torch

from bnlib import data, models
from bnlib.measure.probe import Watched
from bnlib.measure.units import IMAGES, Units
from bnlib.recipe import Recipe
from bnlib.training.step import criterion_of

MLP = Recipe(dataset="digits", model="mlp", activation="relu", init="he", norm="none")
CNN = Recipe(dataset="shapes", model="deep_cnn", activation="relu", init="he", width=1 / 32)


def watched(recipe, model):
    found = data.load(recipe.dataset, recipe.image_size)
    return Watched(recipe, model, found, criterion_of(recipe), 10, None, None)


@pytest.mark.parametrize("recipe", [MLP, CNN], ids=["linear", "convolutions"])
def test_units_that_never_answer_are_counted(recipe):
    model = models.build(recipe)
    first = next(layer for layer in model if getattr(layer, "bias", None) is not None)
    with torch.no_grad():
        first.bias[: len(first.bias) // 2] = -1e6
    found = Units(watched(recipe, model)).result()
    assert found["units_dead"][0, 0] >= (len(first.bias) // 2) / len(first.bias)
    with torch.no_grad():
        first.bias.fill_(1e3)
    assert Units(watched(recipe, model)).result()["units_dead"][0, 0] == 0


def test_flat_answers_are_counted_and_relus_have_none():
    recipe = MLP.but(activation="sigmoid")
    model = models.build(recipe)
    with torch.no_grad():
        model.fc1.weight.zero_()
        model.fc1.bias.fill_(0.0)
        model.fc1.bias[:25] = 5.0  # σ(5) = .993
        model.fc1.bias[25:75] = 3.0  # σ(3) = .953
    found = Units(watched(recipe, model)).result()
    assert found["units_saturated"][0, 0] == pytest.approx(0.25)
    assert (Units(watched(MLP, models.build(MLP))).result()["units_saturated"] == 0).all()


def test_the_gradients_are_those_of_the_loss_and_nothing_is_left_behind():
    model = models.build(MLP)
    probe = Units(watched(MLP, model))
    assert all(p.grad is None for p in model.parameters())
    split = data.load("digits").val
    loss = torch.nn.functional.cross_entropy(
        model(split.images[:IMAGES].permute(0, 3, 1, 2)), split.labels[:IMAGES]
    )
    expected = torch.autograd.grad(loss, [p for p in model.parameters() if p.dim() == 2])
    found = probe.result()["units_gradients"][0]
    assert found == pytest.approx(np.array([float(g.norm()) for g in expected]), rel=1e-4)
    probe.epoch(1)
    assert probe.result()["units_gradients"].shape == (2, 4)
