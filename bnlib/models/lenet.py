"""LeNet-5 (LeCun et al. 1998) as the LeNet review builds it: tanh, 3 convolutions, 2 linear layers.

Normalisation stands between each convolution or linear layer and its activation, but for the last.
The third convolution covers all that is left of the picture: 5×5 of a 32×32 input, 4×4 of a 28×28.
"""

from collections import OrderedDict

from torch import nn

from bnlib.models.layers import conv, linear
from bnlib.recipe import Recipe


def build(recipe: Recipe, channels: int, classes: int) -> nn.Sequential:
    left = ((recipe.image_size - 4) // 2 - 4) // 2  # pixels a side after the second pooling
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers |= conv(recipe, 1, channels, 6, 5)
    layers["pool1"] = nn.AvgPool2d(2)
    layers |= conv(recipe, 2, 6, 16, 5)
    layers["pool2"] = nn.AvgPool2d(2)
    layers |= conv(recipe, 3, 16, 120, left)
    layers["flatten"] = nn.Flatten()
    layers |= linear(recipe, 4, 120, 84, 1)
    layers["fc2"] = nn.Linear(84, classes)
    return nn.Sequential(layers)
