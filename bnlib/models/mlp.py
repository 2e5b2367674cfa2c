"""Ioffe & Szegedy's first experiment (2015, §4.1): three hidden layers of 100 units."""

from collections import OrderedDict

from torch import nn

from bnlib.models.layers import linear
from bnlib.recipe import Recipe

HIDDEN = (100, 100, 100)


def build(recipe: Recipe, channels: int, classes: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    width = channels * recipe.image_size**2
    for place, units in enumerate(HIDDEN, start=1):
        layers |= linear(recipe, place, width, units, place)
        width = units
    layers[f"fc{len(HIDDEN) + 1}"] = nn.Linear(width, classes)
    return nn.Sequential(layers)
