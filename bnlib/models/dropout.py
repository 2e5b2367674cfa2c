"""Dropout that draws from a stream of its own network, not from the process's generator.

So the masks of a run do not depend on what else the process draws, a copy of the network draws what
the network itself will draw next, and a CUDA graph can be told of the one generator it draws from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Noise:
    """The generator that all drawing layers of a network share."""

    def __init__(self, seed: int):
        self.seed = seed
        self.generator = torch.Generator().manual_seed(seed)
        self.held: dict[nn.Module, Any] | None = None

    def to(self, device: torch.device) -> None:
        """On another device the stream begins anew: its numbers are others there."""
        if device != self.generator.device:
            self.generator = torch.Generator(device).manual_seed(self.seed)

    def state(self) -> Tensor:
        return self.generator.get_state()

    def set_state(self, state: Tensor) -> None:
        self.generator.set_state(state)

    def hold(self) -> None:
        """From now on each layer keeps what it draws next, until the next ``hold``."""
        self.held = {}

    def drawn(self, layer: nn.Module, draw: Callable[[torch.Generator], Any]) -> Any:
        """What ``layer`` draws: new numbers, or those that it keeps."""
        if self.held is not None and layer in self.held:
            return self.held[layer]
        found = draw(self.generator)
        if self.held is not None:
            self.held[layer] = found
        return found

    def __deepcopy__(self, memo: dict[int, Any]) -> Noise:
        """Another generator in the same state."""
        copy = Noise(self.seed)
        copy.generator = self.generator.clone_state()
        return copy


class Drawing(nn.Module):
    """A layer that draws in training; `models.build` gives those of a network one noise in common.

    Where ``Module.to`` and its like move a network, its noise goes with it."""

    noise: Noise | None = None

    def _apply(self, fn, recurse: bool = True) -> Drawing:
        if self.noise is not None:
            self.noise.to(fn(torch.empty(0)).device)
        return super()._apply(fn, recurse)


class Dropout(Drawing, nn.Dropout):
    """On a CPU to the same bits as PyTorch's, if that draws from the same state."""

    def __init__(self, p: float, noise: Noise | None = None):
        super().__init__(p)
        self.noise = noise

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = 1 - self.p

        def mask(generator: torch.Generator) -> Tensor:
            """0 with probability p, else 1 / (1 − p)."""
            return torch.empty_like(x).bernoulli_(kept, generator=generator).div_(kept)

        return x * self.noise.drawn(self, mask)


def share(model: nn.Module, noise: Noise) -> None:
    """Let every drawing layer of ``model`` draw from ``noise``."""
    for layer in _drawing(model):
        layer.noise = noise


def noises(model: nn.Module) -> list[Noise]:
    """What ``model`` draws from in training: one, or none where no layer draws."""
    return list(dict.fromkeys(layer.noise for layer in _drawing(model)))


def _drawing(model: nn.Module) -> list[Drawing]:
    return [layer for layer in model.modules() if isinstance(layer, Drawing)]
