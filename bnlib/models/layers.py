"""What the networks share."""

from collections import OrderedDict
from typing import Any

from torch import nn

from bnlib.catalogue import NORMS
from bnlib.models.dropout import Dropout
from bnlib.models.injected import InjectedNoise
from bnlib.norm import GhostBatchNorm, norm_layer
from bnlib.recipe import Recipe

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "elu": nn.ELU}


def scaled(recipe: Recipe, units: int) -> int:
    """``units`` of a layer at the recipe's width."""
    return max(1, round(units * recipe.width))


def normed(recipe: Recipe, kind: type[nn.Module], *shape: int, **options: Any):
    """The layer ``kind(*shape, **options)`` and the recipe's norm behind it, with its noise.

    The layer has a bias unless the norm that follows takes away each channel's mean, and a bias
    with it; behind the activation a norm does not."""
    entry = NORMS[recipe.norm]
    layer = kind(*shape, bias=not entry.centres or recipe.norm_at == "after", **options)
    outputs, _, *kernel = layer.weight.shape
    if recipe.ghost and entry.averages:
        norm = GhostBatchNorm(outputs, recipe.ghost)
    else:
        norm = norm_layer(recipe.norm, outputs, len(kernel))
    return layer, nn.Sequential(norm, InjectedNoise()) if entry.noise else norm


def conv(recipe: Recipe, place: int, inputs: int, outputs: int, size: int, **options: int):
    """Convolution, norm, activation and, where the recipe wants it, dropout, by name."""
    pair = normed(recipe, nn.Conv2d, inputs, outputs, size, **options)
    return _block(recipe, "conv", place, place, *pair)


def linear(recipe: Recipe, place: int, inputs: int, outputs: int, number: int):
    """The same for a hidden linear layer, the ``number``-th; ``place`` counts all layers."""
    return _block(recipe, "fc", place, number, *normed(recipe, nn.Linear, inputs, outputs))


def _block(
    recipe: Recipe, kind: str, place: int, number: int, layer: nn.Module, norm: nn.Module
) -> OrderedDict[str, nn.Module]:
    behind = [(f"norm{place}", norm), (f"act{place}", ACTIVATIONS[recipe.activation]())]
    parts = OrderedDict({f"{kind}{number}": layer})
    parts |= behind if recipe.norm_at == "before" else reversed(behind)
    first_of_pair = kind == "fc" or place % 2 == 1
    if recipe.dropout and (
        recipe.dropout_at == kind or (recipe.dropout_at == "pair" and first_of_pair)
    ):
        parts[f"drop{place}"] = Dropout(recipe.dropout)
    return parts
