"""ResNet (He et al. 2016) for 32×32 images: a 3×3 stem without pooling, four stages of residual
blocks, basic ones with 64 to 512 channels or bottlenecks, global average pooling."""

from collections import OrderedDict

from torch import Tensor, nn

from bnlib.models.layers import ACTIVATIONS, normed, scaled
from bnlib.recipe import Recipe

STAGES = (64, 128, 256, 512)  # channels


def _conv(recipe: Recipe, inputs: int, outputs: int, size: int, stride: int) -> nn.Sequential:
    """A convolution that keeps the picture's size (but for its stride), and its norm."""
    layer, norm = normed(recipe, nn.Conv2d, inputs, outputs, size, stride, padding=size // 2)
    return nn.Sequential(OrderedDict(conv=layer, norm=norm))


class EveryNth(nn.Module):
    """Every ``stride``-th pixel, down and across: those that a 1×1 convolution with it would see.

    Given to the convolution instead, the stride makes oneDNN write past its memory on processors
    with AVX2 alone, where the input has fewer than 8 channels: the gradient is wrong, or Python
    dies."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return x[..., :: self.stride, :: self.stride]


def _shortcut(recipe: Recipe, inputs: int, outputs: int, stride: int) -> nn.Module:
    """x itself, but through a 1×1 convolution where the shape changes."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    through = _conv(recipe, inputs, outputs, 1, 1)
    return nn.Sequential(OrderedDict(pixels=EveryNth(stride), **dict(through.named_children())))


class BasicBlock(nn.Module):
    """x + f(x), f two 3×3 convolutions."""

    growth = 1  # its outputs for each of its units

    def __init__(self, recipe: Recipe, inputs: int, units: int, stride: int):
        super().__init__()
        self.first = _conv(recipe, inputs, units, 3, stride)
        self.second = _conv(recipe, units, units, 3, 1)
        self.act = ACTIVATIONS[recipe.activation]()
        self.shortcut = _shortcut(recipe, inputs, units, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.second(self.act(self.first(x))) + self.shortcut(x))


class Bottleneck(nn.Module):
    """x + f(x), f a 1×1 convolution to few channels, a 3×3 and a 1×1 back to four times as many.

    The 3×3 has the stride, as in torchvision; in the paper the first one has it."""

    growth = 4

    def __init__(self, recipe: Recipe, inputs: int, units: int, stride: int):
        super().__init__()
        self.first = _conv(recipe, inputs, units, 1, 1)
        self.second = _conv(recipe, units, units, 3, stride)
        self.third = _conv(recipe, units, self.growth * units, 1, 1)
        self.act = ACTIVATIONS[recipe.activation]()
        self.shortcut = _shortcut(recipe, inputs, self.growth * units, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.second(self.act(self.first(x))))
        return self.act(self.third(y) + self.shortcut(x))


BLOCKS = {  # their kind, and how many in each stage
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
    "resnet152": (Bottleneck, (3, 8, 36, 3)),
}


def build(recipe: Recipe, channels: int, classes: int) -> nn.Sequential:
    kind, counts = BLOCKS[recipe.model]
    width = scaled(recipe, STAGES[0])
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        stem=_conv(recipe, channels, width, 3, 1), act=ACTIVATIONS[recipe.activation]()
    )
    for stage, (count, channels) in enumerate(zip(counts, STAGES, strict=True), start=1):
        units = scaled(recipe, channels)
        for block in range(1, count + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            layers[f"block{stage}_{block}"] = kind(recipe, width, units, stride)
            width = kind.growth * units
    layers |= {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    layers["fc"] = nn.Linear(width, classes)
    return nn.Sequential(layers)
