"""The convolutional network of the controlled study: five pairs of 3×3 convolutions, each closed by
a pooling that halves the picture, then one hidden linear layer.

Normalisation stands between each layer and its activation, but for the last; dropout, with
``dropout_at`` "pair", behind the first convolution of each pair and the hidden linear layer.
"""

from collections import OrderedDict

from torch import nn

from bnlib.models.layers import conv, linear, scaled
from bnlib.recipe import Recipe

CHANNELS = (64, 128, 256, 512, 512)  # of both convolutions of a pair
UNITS = 512


def build(recipe: Recipe, channels: int, classes: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    width = channels
    for pair, outputs in enumerate((scaled(recipe, count) for count in CHANNELS), start=1):
        layers |= conv(recipe, 2 * pair - 1, width, outputs, 3, padding=1)
        layers |= conv(recipe, 2 * pair, outputs, outputs, 3, padding=1)
        layers[f"pool{pair}"] = nn.MaxPool2d(2)
        width = outputs
    side, units = recipe.image_size // 2 ** len(CHANNELS), scaled(recipe, UNITS)
    layers["flatten"] = nn.Flatten()
    layers |= linear(recipe, 2 * len(CHANNELS) + 1, width * side**2, units, 1)
    layers["fc2"] = nn.Linear(units, classes)
    return nn.Sequential(layers)
