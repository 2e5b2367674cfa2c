"""The normalisation layers of the book, by name. `batch` is ours, written from scratch."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bnlib.catalogue import Catalogue
from bnlib.norm.functional import (
    affine,
    axes_of,
    batched,
    lp_norm,
    naive_batch_norm,
    normalise,
    wide,
)
from bnlib.norm.group import group_norm, layer_norm


class _Averaging(nn.Module):
    """What every norm over the batch keeps: gamma, beta, running averages of two statistics."""

    called: str  # in errors
    spread: str  # the buffer beside running_mean

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats

        def vector() -> Tensor:
            return torch.empty(num_features, device=device, dtype=dtype)

        track = track_running_stats
        self.register_parameter("weight", nn.Parameter(vector()) if affine else None)
        self.register_parameter("bias", nn.Parameter(vector()) if affine and bias else None)
        self.register_buffer("running_mean", vector() if track else None)
        self.register_buffer(self.spread, vector() if track else None)
        self.register_buffer(
            "num_batches_tracked", torch.tensor(0, device=device) if track else None
        )
        self.reset_parameters()

    @property
    def gamma(self) -> nn.Parameter | None:
        return self.weight

    @property
    def beta(self) -> nn.Parameter | None:
        return self.bias

    def reset_running_stats(self) -> None:
        if self.track_running_stats:
            self.running_mean.zero_()
            getattr(self, self.spread).fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        if self.weight is not None:
            nn.init.ones_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        if not 2 <= x.dim() <= 5 or x.shape[1] != self.num_features:
            raise ValueError(
                f"{self} expects an input of shape (N, {self.num_features}, ...) with 2 to 5 axes,"
                f" got {tuple(x.shape)}"
            )
        if not self.training and self.running_mean is not None:
            return self._by_averages(x)
        m = axes_of(x)[2]
        if m == 1:
            raise ValueError(
                f"{self.called} needs more than 1 value per channel when training (one value minus"
                f" its own mean is always 0), got input size {tuple(x.shape)}"
            )
        tracking = self.training and self.track_running_stats and self.running_mean is not None
        if tracking:
            self.num_batches_tracked.add_(1)
        if m == 0:  # an empty batch is counted, but has no statistics
            one = x.new_ones(self.num_features)
            return affine(x, one, one, self.weight, self.bias, self.eps)
        y, mean, spread = self._by_batch(x)
        if tracking:
            self._track(mean, spread)
        return y

    def _by_batch(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The output by x's own statistics, and the two statistics for the running averages."""
        raise NotImplementedError

    def _by_averages(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    @torch.no_grad()
    def _track(self, mean: Tensor, spread: Tensor) -> None:
        """average <- (1 - p) average + p statistic, in place, for both."""
        averages = [self.running_mean, getattr(self, self.spread)]
        statistics = [t.to(self.running_mean.dtype) for t in (mean, spread)]
        if self.momentum is not None and not batched(*averages, *statistics):
            torch._foreach_lerp_(averages, statistics, self.momentum)  # one launch
            return
        p = self.momentum
        if p is None:  # stays on the device: reading the count would stop the GPU's queue
            p = self.num_batches_tracked.to(self.running_mean.dtype).reciprocal()
        for average, statistic in zip(averages, statistics, strict=True):
            average.mul_(1 - p).add_(p * statistic)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine},"
            f" bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm(_Averaging):
    """nn.BatchNorm1d, 2d and 3d in one: input (N, C) up to (N, C, D, H, W).

    Its state dict has PyTorch's names, so either loads the other's. `momentum` is PyTorch's:
    buffer <- (1 - momentum) buffer + momentum statistic; None takes the average of all batches.
    """

    called, spread = "batch norm", "running_var"

    def _by_batch(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return normalise(x, self.weight, self.bias, self.eps)

    def _by_averages(self, x: Tensor) -> Tensor:
        return affine(x, self.running_mean, self.running_var, self.weight, self.bias, self.eps)


class NaiveBatchNorm(BatchNorm):
    """The same numbers by plain autograd, to see what writing the backward pass by hand saves."""

    def _by_batch(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y, mean, var = naive_batch_norm(x, self.weight, self.bias, self.eps)
        m = axes_of(x)[2]
        return y, mean, var * (m / (m - 1))


class LpNorm(_Averaging):
    """Santurkar et al.'s control (2018, §3.3): centred as in batch norm, but divided by the ℓp norm
    of the batch, p = 1, 2 or ∞, taken before centring. `functional.lp_norm` has the formula.

    A constant added to the input is centred away, but enlarges the divisor: not so in batch norm.
    The running averages are of the mean and of the norm itself.
    """

    called, spread = "ℓp norm", "running_norm"

    def __init__(
        self, num_features: int, p: float, eps: float = 1e-5, momentum: float | None = 0.1
    ):
        super().__init__(num_features, eps, momentum)
        self.p = p

    def _by_batch(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return lp_norm(x, self.p, self.weight, self.bias, self.eps)

    def _by_averages(self, x: Tensor) -> Tensor:
        square = wide(self.running_norm).square()
        return affine(x, self.running_mean, square, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_features}, p={self.p}, eps={self.eps}, momentum={self.momentum}"


_TORCH = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_LAYERS: Catalogue[Callable[[int, int], nn.Module]] = Catalogue(  # (channels, spatial_dims)
    "norm",
    none=lambda channels, spatial_dims: nn.Identity(),
    batch=lambda channels, spatial_dims: BatchNorm(channels),
    torch=lambda channels, spatial_dims: _TORCH[spatial_dims](channels),
    naive=lambda channels, spatial_dims: NaiveBatchNorm(channels),
    bare=lambda channels, spatial_dims: BatchNorm(channels, affine=False),
    l1=lambda channels, spatial_dims: LpNorm(channels, 1),
    l2=lambda channels, spatial_dims: LpNorm(channels, 2),
    linf=lambda channels, spatial_dims: LpNorm(channels, math.inf),
    group=group_norm,
    layer=layer_norm,
    # the noise behind these is no norm: ``models`` puts it there
    noisy=lambda channels, spatial_dims: BatchNorm(channels),
    noise=lambda channels, spatial_dims: nn.Identity(),
)
# every kind of layer that carries a gamma and a beta
NORM_LAYERS = tuple(
    {type(make(1, dims)) for make in _LAYERS.values() for dims in _TORCH} - {nn.Identity}
)
BATCH_NORMS = (BatchNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def norm_layer(name: str, channels: int, spatial_dims: int) -> nn.Module:
    """The normalisation called `name`, after a layer with `channels` outputs."""
    return _LAYERS[name](channels, spatial_dims)
