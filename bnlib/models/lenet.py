"""LeNet-5 (LeCun et al. 1998) as the LeNet review builds it: tanh, 3 convolutions, 2 linear layers.

Normalisation stands between each convolution or linear layer and its activation, but for the last.
The third convolution covers all that is left of the picture: 5×5 of a 32×32 input, 4×4 of a 28×28.
"""

from collections import OrderedDict

from torch import nn

from bnlib.models.layers import ACTIVATIONS
from bnlib.norm import norm_layer
from bnlib.recipe import Recipe


def build(recipe: Recipe, channels: int, classes: int) -> nn.Sequential:
    bias = recipe.norm == "none"  # normalisation takes any constant away again
    act = ACTIVATIONS[recipe.activation]
    left = ((recipe.image_size - 4) // 2 - 4) // 2  # pixels a side after the second pooling
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 6, 5, bias=bias),
            norm1=norm_layer(recipe.norm, 6, 2),
            act1=act(),
            pool1=nn.AvgPool2d(2),
            conv2=nn.Conv2d(6, 16, 5, bias=bias),
            norm2=norm_layer(recipe.norm, 16, 2),
            act2=act(),
            pool2=nn.AvgPool2d(2),
            conv3=nn.Conv2d(16, 120, left, bias=bias),
            norm3=norm_layer(recipe.norm, 120, 2),
            act3=act(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(120, 84, bias=bias),
            norm4=norm_layer(recipe.norm, 84, 0),
            act4=act(),
            fc2=nn.Linear(84, classes),
        )
    )
