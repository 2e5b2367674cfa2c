"""VGG (Simonyan & Zisserman 2015) for 32×32 images: 3×3 convolutions in stages, each stage closed
by a pooling that halves the picture, then three linear layers.

``vgg_a`` and ``vgg16`` are the configurations A (eight convolutions) and D (thirteen), their hidden
linear layers with 512 units: the original's 4096 belong to 224×224 images. ``vgg_a_light`` has two
stages of one convolution each, and 128 units.

Normalisation stands between each layer and its activation, but for the last; dropout behind the
activation, of the two hidden linear layers or of every convolution.
"""

import itertools
from collections import OrderedDict

from torch import nn

from bnlib.models.layers import conv, linear, scaled
from bnlib.recipe import Recipe

STAGES = {  # the channels of each stage's convolutions
    "vgg_a": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "vgg_a_light": ((16,), (32,)),
    "vgg16": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
}
UNITS = {"vgg_a": 512, "vgg_a_light": 128, "vgg16": 512}


def build(recipe: Recipe, channels: int, classes: int) -> nn.Sequential:
    stages, units = STAGES[recipe.model], scaled(recipe, UNITS[recipe.model])
    side = recipe.image_size // 2 ** len(stages)  # pixels after the last pooling
    place, width = itertools.count(1), channels
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, stage in enumerate(stages, start=1):
        for outputs in (scaled(recipe, count) for count in stage):
            layers |= conv(recipe, next(place), width, outputs, 3, padding=1)
            width = outputs
        layers[f"pool{number}"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers |= linear(recipe, next(place), width * side**2, units, 1)
    layers |= linear(recipe, next(place), units, units, 2)
    layers["fc3"] = nn.Linear(units, classes)
    return nn.Sequential(layers)
