"""Networks that are not the book's, small enough to be measured in a moment."""

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.vgg import VGG, make_layers

from bnlib.seeds import stream


def vgg() -> nn.Module:
    """VGG-11 with batch norm and dropout, an eighth as wide."""
    cfg = [8, "M", 16, "M", 32, 32, "M", 64, 64, "M", 64, 64, "M"]
    model = VGG(make_layers(cfg, batch_norm=True), num_classes=10)
    model.avgpool = nn.AdaptiveAvgPool2d(1)
    model.classifier = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 10))
    return model


TORCHVISION = {
    "resnet18": lambda: torchvision.models.resnet18(num_classes=10),
    "vgg11_bn": vgg,
    "mobilenet_v2": lambda: torchvision.models.mobilenet_v2(num_classes=10, width_mult=0.25),
    "densenet121": lambda: torchvision.models.DenseNet(8, (6, 12, 24, 16), 16, num_classes=10),
    "vit": lambda: torchvision.models.VisionTransformer(
        32, 8, 2, 2, 32, 64, dropout=0.1, attention_dropout=0.1, num_classes=10
    ),
}


class Encoder(nn.Module):
    """A transformer encoder with LayerNorm and dropout, its output tied to its embedding; the
    places of its words may be given too."""

    def __init__(self, words: int = 20, width: int = 16):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        layer = nn.TransformerEncoderLayer(width, 2, 32, dropout=0.2, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(width, words, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, words: Tensor, places: Tensor | None = None) -> Tensor:
        x = self.embed(words)
        return self.head(self.encoder(x if places is None else x + places))


def images(count: int = 8) -> tuple[Tensor, Tensor]:
    rng = stream(2, "a test")
    x = torch.randn(count, 3, 32, 32, generator=rng)
    return x, torch.randint(10, (count,), generator=rng)
