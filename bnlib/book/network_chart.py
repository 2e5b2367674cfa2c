"""Networks drawn as columns of bars, a bar a layer, with what comes out of it."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnlib.book import plots

COLOURS = {"conv": "#56B4E9", "pool": "#dddddd", "fc": "#E69F00"}
KINDS = {"conv": "convolution", "pool": "pooling", "fc": "linear"}


@dataclass(frozen=True)
class Layer:
    kind: str
    kernel: str  # "" of a linear layer
    out: str  # the shape of its output
    parameters: int

    @property
    def colour(self) -> str:
        return COLOURS[self.kind]

    def __str__(self) -> str:
        return f"{KINDS[self.kind]} {self.kernel}".strip()


def layers(network, image: tuple[int, int, int]) -> list[Layer]:
    """The layers of a network that have a size, for images of this shape."""
    import torch  # only to look at shapes: replaying a chapter trains nothing

    found, x = [], torch.zeros(1, *image)
    for name, layer in network.eval().named_children():
        with torch.no_grad():
            x = layer(x)
        kind = name.rstrip("0123456789")
        if kind in KINDS:
            size = getattr(layer, "kernel_size", "")
            size = size[0] if isinstance(size, tuple) else size
            count = sum(p.numel() for p in layer.parameters())
            shape = " × ".join(map(str, x.shape[1:]))
            found.append(Layer(kind, f"{size} × {size}" if size else "", shape, count))
    return found


def side_by_side(nets: dict[str, list[Layer]]) -> Figure:
    deepest = max(map(len, nets.values()))
    fig, axes = plt.subplots(1, len(nets), figsize=(plots.TEXT_WIDTH, 0.3 + 0.26 * deepest))
    for ax, (title, net) in zip(axes, nets.items(), strict=True):
        _draw(ax, net)
        ax.set_ylim(deepest - 0.5, -0.5)
        ax.set_title(f"{title}, {sum(layer.parameters for layer in net) / 1e6:.2g} M parameters")
        ax.axis("off")
    return fig


def _draw(ax: Axes, net: list[Layer]) -> None:
    for place, layer in enumerate(net):
        ax.barh(place, 1, color=layer.colour, height=0.8)
        ax.text(0.02, place, str(layer), va="center", fontsize=9)
        ax.text(0.98, place, layer.out, ha="right", va="center", fontsize=9)
