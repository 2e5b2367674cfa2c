"""Noise whose distribution changes at every step, injected behind a norm (Santurkar et al. 2018,
Algorithm 1): it makes the inputs of the activations as unsteady as can be, on purpose."""

import torch
from torch import Tensor

from bnlib.models.dropout import Drawing

SHIFT, SCALE = 0.5, (1.0, 1.25)  # of a unit, anew at each step: |μ| at most; σ between these
AROUND_SHIFT, AROUND_SCALE = 0.1, 0.1  # of a value: |m − μ| at most; standard deviation of s − σ


class InjectedNoise(Drawing):
    """In training, or ``always``, s·x + m, else x.

    At each step every unit draws μ ~ U(−.5, .5) and σ ~ U(1, 1.25). Around them each of its values,
    one for every image and, of a convolution, every pixel, draws m ~ U(μ − .1, μ + .1) and
    s ~ N(σ, .1²). So the units' means and spreads jump from step to step, and differ within one."""

    always = False

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training or self.always):
            return x
        per_unit = 1, x.shape[1], *[1] * (x.dim() - 2)

        def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
            mu = x.new_empty(per_unit).uniform_(-SHIFT, SHIFT, generator=generator)
            sigma = x.new_empty(per_unit).uniform_(*SCALE, generator=generator)
            m, s = _rows(x), _rows(x)
            m.uniform_(-AROUND_SHIFT, AROUND_SHIFT, generator=generator)
            s.normal_(0, AROUND_SCALE, generator=generator)
            return _shaped(s, x).add_(sigma), _shaped(m, x).add_(mu)

        s, m = self.noise.drawn(self, draw)
        return torch.addcmul(m, s, x)


def _rows(x: Tensor) -> Tensor:
    """As many numbers as x has, in a row: so a CPU draws them eight times faster than as they lie
    in x, where channels come last."""
    return x.new_empty(x.numel())


def _shaped(row: Tensor, x: Tensor) -> Tensor:
    """The same numbers with the shape of x and in its order."""
    return row.as_strided(x.shape, torch.empty_like(x).stride())
