"""ResNet-18 (He et al. 2016) for 32×32 images: a 3×3 stem without pooling, four stages of two
basic blocks with 64 to 512 channels, global average pooling."""

from collections import OrderedDict

from torch import Tensor, nn

from bnlib.models.layers import ACTIVATIONS, normed, scaled
from bnlib.recipe import Recipe

STAGES = (64, 128, 256, 512)  # channels
BLOCKS = 2  # of a stage


def _conv(recipe: Recipe, inputs: int, outputs: int, size: int, stride: int) -> nn.Sequential:
    """A convolution that keeps the picture's size (but for its stride), and its norm."""
    layer, norm = normed(recipe, nn.Conv2d, inputs, outputs, size, stride, padding=size // 2)
    return nn.Sequential(OrderedDict(conv=layer, norm=norm))


class BasicBlock(nn.Module):
    """x + f(x), f two 3×3 convolutions; x through a 1×1 convolution where the shape changes."""

    def __init__(self, recipe: Recipe, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = _conv(recipe, inputs, outputs, 3, stride)
        self.second = _conv(recipe, outputs, outputs, 3, 1)
        same = stride == 1 and inputs == outputs
        self.act = ACTIVATIONS[recipe.activation]()
        self.shortcut = nn.Identity() if same else _conv(recipe, inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.second(self.act(self.first(x))) + self.shortcut(x))


def build(recipe: Recipe, channels: int, classes: int) -> nn.Sequential:
    width = scaled(recipe, STAGES[0])
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        stem=_conv(recipe, channels, width, 3, 1), act=ACTIVATIONS[recipe.activation]()
    )
    for stage, outputs in enumerate((scaled(recipe, count) for count in STAGES), start=1):
        for block in range(1, BLOCKS + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            layers[f"block{stage}_{block}"] = BasicBlock(recipe, width, outputs, stride)
            width = outputs
    layers |= {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    layers["fc"] = nn.Linear(width, classes)
    return nn.Sequential(layers)
