"""AlexNet (Krizhevsky et al. 2012): five convolutions, three poolings, three linear layers.

For 32×32 images only the first convolution differs from the original: 5×5 with stride 2 in place of
11×11 with stride 4, which would leave nothing to pool. For 64 and 224 pixels it is the original's,
and the images are scaled up in front. Left out, as in most re-implementations: local response
normalisation, the split over two GPUs, and dropout unless the recipe asks for it.

Normalisation stands between each layer and its activation, but for the last; dropout behind the
activation, of the two hidden linear layers or of the five convolutions.
"""

from collections import OrderedDict

from torch import nn

from bnlib.models.layers import conv, linear, scaled
from bnlib.recipe import Recipe

CHANNELS = (96, 256, 384, 384, 256)
UNITS = 4096


def build(recipe: Recipe, channels: int, classes: int) -> nn.Sequential:
    large = recipe.image_size > 32
    c1, c2, c3, c4, c5 = (scaled(recipe, count) for count in CHANNELS)
    units = scaled(recipe, UNITS)
    stem = (
        {"size": 11, "stride": 4, "padding": 2} if large else {"size": 5, "stride": 2, "padding": 2}
    )
    side = {32: 1, 64: 1, 224: 6}[recipe.image_size]  # pixels after the third pooling
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if large:
        size = (recipe.image_size, recipe.image_size)
        layers["scale"] = nn.Upsample(size, mode="bilinear", align_corners=False)
    layers |= conv(recipe, 1, channels, c1, **stem)
    layers["pool1"] = nn.MaxPool2d(3, 2)
    layers |= conv(recipe, 2, c1, c2, 5, padding=2)
    layers["pool2"] = nn.MaxPool2d(3, 2)
    layers |= conv(recipe, 3, c2, c3, 3, padding=1)
    layers |= conv(recipe, 4, c3, c4, 3, padding=1)
    layers |= conv(recipe, 5, c4, c5, 3, padding=1)
    layers["pool3"] = nn.MaxPool2d(3, 2)
    layers["flatten"] = nn.Flatten()
    layers |= linear(recipe, 6, c5 * side**2, units, 1)
    layers |= linear(recipe, 7, units, units, 2)
    layers["fc3"] = nn.Linear(units, classes)
    return nn.Sequential(layers)
