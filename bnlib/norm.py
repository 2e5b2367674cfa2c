"""Batch normalisation from scratch, with its backward pass derived by hand.

Symbols as in Ioffe & Szegedy: per channel over m values (the batch and all positions),
mean and var (biased, 1/m), x_hat = (x - mean) / sqrt(var + eps), y = gamma x_hat + beta.
Chapter 2 of the book derives every line of this file.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bnlib.errors import BookError


def _axes(x: Tensor) -> tuple[list[int], list[int], int]:
    """For x of shape (N, C, ...): the axes to average over, the shape (1, C, 1, ...) and m."""
    axes = [0, *range(2, x.dim())]
    shape = [1, x.shape[1]] + [1] * (x.dim() - 2)
    return axes, shape, x.numel() // max(x.shape[1], 1)


def _wide(x: Tensor) -> Tensor:
    """Half precision has too few bits for a mean over thousands of values: count in fp32."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _apply(x: Tensor, mean: Tensor, var: Tensor, gamma, beta, eps: float) -> Tensor:
    """With the statistics given, batch norm is one multiplication and one addition."""
    shape = _axes(x)[1]
    scale = torch.rsqrt(_wide(var) + eps)
    if gamma is not None:
        scale = scale * gamma
    shift = -mean * scale
    if beta is not None:
        shift = shift + beta
    return torch.addcmul(shift.view(shape), _wide(x), scale.view(shape)).to(x.dtype)


class _Normalise(torch.autograd.Function):
    """(x, gamma, beta, eps) -> (y, mean, var). Only y carries a gradient."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: float):
        axes, _, _ = _axes(x)
        var, mean = torch.var_mean(_wide(x), axes, correction=0)  # two passes, not E[x²] - E[x]²
        return _apply(x, mean, var, gamma, beta, eps), mean, var

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, gamma, beta, ctx.eps = inputs
        _, mean, var = output
        ctx.mark_non_differentiable(mean, var)
        ctx.save_for_backward(x, gamma, mean, var)
        ctx.beta_dtype = None if beta is None else beta.dtype

    @staticmethod
    def backward(ctx, dy: Tensor, _dmean, _dvar):
        x, gamma, mean, var = ctx.saved_tensors
        axes, shape, m = _axes(x)
        z, dy = _wide(x), _wide(dy)
        again = torch.is_grad_enabled()  # someone will differentiate this gradient
        if again:  # then mean and var must be functions of x here, not saved constants
            var, mean = torch.var_mean(z, axes, correction=0)
        inv = torch.rsqrt(var + ctx.eps)
        xc = z - mean.view(shape)  # centred first: Σ dy·x - mean·Σ dy would cancel in fp32
        dbeta = dy.sum(axes)
        dgamma = inv * (dy * xc).sum(axes)  # Σ dy·x_hat
        a = inv if gamma is None else inv * gamma
        # dx = a (dy - mean(dy) - x_hat mean(dy x_hat)), with x_hat = inv xc
        dx = torch.addcmul((-a * dbeta / m).view(shape), dy, a.view(shape))
        b = (-a * inv * dgamma / m).view(shape)
        dx = torch.addcmul(dx, xc, b) if again else dx.addcmul_(xc, b)
        dgamma = None if gamma is None else dgamma.to(gamma.dtype)
        dbeta = None if ctx.beta_dtype is None else dbeta.to(ctx.beta_dtype)
        return dx.to(x.dtype), dgamma, dbeta, None


def batch_norm(
    x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise x (N, C, ...) by its own statistics: y, mean (C,) and biased var (C,)."""
    return _Normalise.apply(x, gamma, beta, eps)


class BatchNorm(nn.Module):
    """nn.BatchNorm1d, 2d and 3d in one: input (N, C) up to (N, C, D, H, W).

    Its state dict has PyTorch's names, so either loads the other's. `momentum` is PyTorch's:
    buffer <- (1 - momentum) buffer + momentum statistic; None takes the average of all batches.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter(
            "weight", nn.Parameter(torch.empty(num_features)) if affine else None
        )
        self.register_parameter("bias", nn.Parameter(torch.empty(num_features)) if affine else None)
        track = track_running_stats
        self.register_buffer("running_mean", torch.zeros(num_features) if track else None)
        self.register_buffer("running_var", torch.ones(num_features) if track else None)
        self.register_buffer("num_batches_tracked", torch.tensor(0) if track else None)
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
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        if self.affine:
            nn.init.ones_(self.weight)
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        if not 2 <= x.dim() <= 5 or x.shape[1] != self.num_features:
            raise ValueError(
                f"{self} expects an input of shape (N, {self.num_features}, ...) with 2 to 5 axes,"
                f" got {tuple(x.shape)}"
            )
        if self.training or not self.track_running_stats:
            return self._by_batch(x)
        # Copies: a later training step must not change what this graph's backward will read.
        mean, var = self.running_mean.clone(), self.running_var.clone()
        return _apply(x, mean, var, self.weight, self.bias, self.eps)

    def _by_batch(self, x: Tensor) -> Tensor:
        m = _axes(x)[2]
        if m < 2:
            raise ValueError(
                "batch norm needs more than 1 value per channel when training (one value minus"
                f" its own mean is always 0), got input size {tuple(x.shape)}"
            )
        y, mean, var = batch_norm(x, self.weight, self.bias, self.eps)
        if self.training and self.track_running_stats:
            self._track(mean.detach(), var.detach() * (m / (m - 1)))  # unbiased in the buffer
        return y

    @torch.no_grad()
    def _track(self, mean: Tensor, var: Tensor) -> None:
        dtype = self.running_mean.dtype
        self.num_batches_tracked.add_(1)
        p = self.momentum
        if p is None:  # stays on the device: reading the count would stop the GPU's queue
            p = self.num_batches_tracked.to(dtype).reciprocal()
        self.running_mean.lerp_(mean.to(dtype), p)
        self.running_var.lerp_(var.to(dtype), p)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine},"
            f" track_running_stats={self.track_running_stats}"
        )


_TORCH = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_LAYERS: dict[str, Callable[[int, int], nn.Module]] = {
    "none": lambda channels, spatial_dims: nn.Identity(),
    "batch": lambda channels, spatial_dims: BatchNorm(channels),
    "torch": lambda channels, spatial_dims: _TORCH[spatial_dims](channels),
}
NORMS = tuple(_LAYERS)
BATCH_NORMS = (BatchNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def norm_layer(name: str, channels: int, spatial_dims: int) -> nn.Module:
    """The normalisation called `name`, after a layer with `channels` outputs."""
    if name not in _LAYERS:
        raise BookError(f"unknown norm {name!r}: choose one of {', '.join(NORMS)}")
    return _LAYERS[name](channels, spatial_dims)
