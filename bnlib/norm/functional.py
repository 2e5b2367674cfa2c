"""Batch normalisation as one differentiable function, its backward pass derived by hand.

Symbols as in Ioffe & Szegedy: per channel over m values (the batch and all positions),
mean and var (biased, 1/m), x_hat = (x - mean) / sqrt(var + eps), y = gamma x_hat + beta.
Chapter 2 of the book derives every line. Beside it the same by other norms, left to autograd.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def axes_of(x: Tensor) -> tuple[list[int], list[int], int]:
    """For x of shape (N, C, ...): the axes to average over, the shape (1, C, 1, ...) and m."""
    axes = [0, *range(2, x.dim())]
    shape = [1, x.shape[1]] + [1] * (x.dim() - 2)
    return axes, shape, x.numel() // max(x.shape[1], 1)


def wide(x: Tensor) -> Tensor:
    """Half precision has too few bits for a mean over thousands of values: count in fp32."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


class _Normalise(torch.autograd.Function):
    """(x, gamma, beta, eps) -> (y, mean, var). Only y carries a gradient.

    Works in place on arrays of its own: on a CPU a fresh array costs more than the arithmetic.
    """

    @staticmethod
    def forward(x: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: float):
        axes, shape, _ = axes_of(x)
        z = wide(x)
        mean = z.mean(axes)  # (C,)
        xc = z - mean.view(shape)
        slip = xc.mean(axes)  # what rounding left: in fp32 a sum of large numbers is rough
        mean = mean + slip
        var = xc.sub_(slip.view(shape)).square().mean(axes)  # never E[x²] - E[x]²: it cancels
        scale = torch.rsqrt(var + eps)
        if gamma is not None:
            scale = scale * gamma
        y = xc.mul_(scale.view(shape))
        if beta is not None:
            y = y.add_(beta.view(shape))
        return y.to(x.dtype), mean, var

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
        axes, shape, m = axes_of(x)
        z, dy = wide(x), wide(dy)
        again = torch.is_grad_enabled()  # someone will differentiate this gradient:
        if again:  # then the statistics must be functions of x here, not saved constants
            var, mean = torch.var_mean(z, axes, correction=0)
        inv = torch.rsqrt(var + ctx.eps)
        xc = z - mean.view(shape)  # centred first: Σ dy·x - mean·Σ dy would cancel in fp32
        product = dy * xc
        dbeta = dy.sum(axes)
        dgamma = inv * product.sum(axes)  # Σ dy·x_hat
        # dx = a (dy - mean(dy) - x_hat mean(dy·x_hat)), with x_hat = inv·xc
        a = inv if gamma is None else inv * gamma
        b = (-a * inv * dgamma / m).view(shape)
        c = (-a * dbeta / m).view(shape)
        if again:
            dx = c + dy * a.view(shape) + xc * b
        else:
            dx = product.copy_(c).addcmul_(dy, a.view(shape)).addcmul_(xc, b)
        dgamma = None if gamma is None else dgamma.to(gamma.dtype)
        dbeta = None if ctx.beta_dtype is None else dbeta.to(ctx.beta_dtype)
        return dx.to(x.dtype), dgamma, dbeta, None

    @staticmethod
    def vmap(info, in_dims, x: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: float):
        """R runs side by side are just more channels: (R, N, C, ...) becomes (N, R·C, ...)."""
        runs = info.batch_size

        def first(t: Tensor, dim: int | None) -> Tensor:
            return t.expand(runs, *t.shape) if dim is None else t.movedim(dim, 0)

        x = first(x, in_dims[0]).transpose(0, 1).flatten(1, 2)
        gamma = None if gamma is None else first(gamma, in_dims[1]).flatten()
        beta = None if beta is None else first(beta, in_dims[2]).flatten()
        y, mean, var = _Normalise.apply(x, gamma, beta, eps)
        y = y.unflatten(1, (runs, -1)).transpose(0, 1)
        return (y, mean.view(runs, -1), var.view(runs, -1)), (0, 0, 0)


def batch_norm(
    x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise x (N, C, ...) by its own statistics: y, mean (C,) and biased var (C,)."""
    return _Normalise.apply(x, gamma, beta, eps)


def lp_norm(
    x: Tensor, p: float, gamma: Tensor, beta: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Centre x (N, C, ...) by its mean, divide by its ℓp norm: y, mean (C,) and norm (C,).

    ``norm = (mean |x|^p)^(1/p)`` over a channel's m values as they come, not centred; ``max |x|``
    for p = ∞. ``y = gamma (x - mean) / sqrt(norm² + eps) + beta``.

    The mean over the m values, where the norm of a vector has the sum, makes p = 2 the root mean
    square: batch norm's divisor where the mean is 0. It is a constant factor, m^(-1/p), which gamma
    would absorb, but it decides how large y is at the start, where gamma is 1. So taken, the norm
    does not grow with the batch for p = 1 and 2; the largest of more values is still larger.
    """
    axes, shape, _ = axes_of(x)
    z = wide(x)
    mean = z.mean(axes)
    if p == 1:
        square = z.abs().mean(axes).square()
    elif p == 2:  # the root's slope is infinite at 0: differentiate the square
        square = z.square().mean(axes)
    elif p == math.inf:
        square = z.abs().amax(axes).square()
    else:
        raise ValueError(f"p={p}: choose 1, 2 or inf")
    scale = torch.rsqrt(square + eps) * gamma
    y = (z - mean.view(shape)) * scale.view(shape) + beta.view(shape)
    return y.to(x.dtype), mean.detach(), square.detach().sqrt()


def affine(
    x: Tensor, mean: Tensor, var: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: float
) -> Tensor:
    """With the statistics given, batch norm is one multiplication and one addition."""
    shape = axes_of(x)[1]
    scale = torch.rsqrt(wide(var) + eps)
    if gamma is not None:
        scale = scale * gamma
    shift = -mean * scale
    if beta is not None:
        shift = shift + beta
    return torch.addcmul(shift.view(shape), wide(x), scale.view(shape)).to(x.dtype)
