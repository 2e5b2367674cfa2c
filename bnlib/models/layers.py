"""What the networks share."""

from collections import OrderedDict

from torch import nn

from bnlib.models.dropout import Dropout
from bnlib.norm import norm_layer
from bnlib.recipe import Recipe

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}


def scaled(recipe: Recipe, units: int) -> int:
    """``units`` of a layer at the recipe's width."""
    return max(1, round(units * recipe.width))


def conv(recipe: Recipe, place: int, inputs: int, outputs: int, size: int, **options: int):
    """Convolution, norm, activation and, where the recipe wants it, dropout, by name."""
    layer = nn.Conv2d(inputs, outputs, size, bias=recipe.norm == "none", **options)
    return _block(recipe, place, layer, "conv", outputs, 2)


def linear(recipe: Recipe, place: int, inputs: int, outputs: int, number: int):
    """The same for a hidden linear layer, the ``number``-th; ``place`` counts all layers."""
    layer = nn.Linear(inputs, outputs, bias=recipe.norm == "none")
    return _block(recipe, place, layer, "fc", outputs, 0, number)


def _block(recipe, place, layer, kind, outputs, spatial_dims, number=None):
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    parts[f"{kind}{number or place}"] = layer
    parts[f"norm{place}"] = norm_layer(recipe.norm, outputs, spatial_dims)
    parts[f"act{place}"] = ACTIVATIONS[recipe.activation]()
    if recipe.dropout and recipe.dropout_at == kind:
        parts[f"drop{place}"] = Dropout(recipe.dropout)
    return parts
