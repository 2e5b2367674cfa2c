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
    return axes, shape, math.prod([x.shape[axis] for axis in axes])


def wide(x: Tensor) -> Tensor:
    """Half precision has too few bits for a mean over thousands of values: count in fp32."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def statistics(x: Tensor, one_launch: bool) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Mean (C,), unbiased var (C,), x - mean, and an array like x that may be written on, if any.

    Never by E[x²] - E[x]², which cancels.

    A card waits for launches, so there one kernel finds both. PyTorch's version of that for a CPU
    goes number by number and is slower than all of these steps together.
    """
    axes, shape, m = axes_of(x)
    if one_launch:
        var, mean = torch.var_mean(x, axes, correction=1)
        return mean, var, x - mean.view(shape), None
    mean = x.mean(axes)
    xc = x - mean.view(shape)
    slip = xc.mean(axes)  # what rounding left: in fp32 a sum of large numbers is rough
    xc.sub_(slip.view(shape))
    square = xc.square()
    return mean + slip, square.sum(axes) / (m - 1), xc, square


class _Normalise(torch.autograd.Function):
    """(x, gamma, beta, eps) -> (y, mean, var, ...), var unbiased, for the running averages.

    What follows is kept for the backward pass: xc = x - mean, inv = 1 / sqrt(var + eps) with the
    biased var, and scale = gamma inv. Only y and xc carry a gradient, xc's for second derivatives.
    """

    @staticmethod
    def forward(x: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: float):
        _, shape, m = axes_of(x)
        mean, var, xc, spare = statistics(wide(x), one_launch=not x.is_cpu)
        inv = torch.rsqrt(torch.rsub(var, eps, alpha=1 / m - 1))  # eps + (1 - 1/m) var
        scale = inv if gamma is None else inv * gamma
        if beta is None:
            y = torch.mul(xc, scale.view(shape), out=spare)
        else:
            y = torch.addcmul(beta.view(shape), xc, scale.view(shape), out=spare)
        return y.to(x.dtype), mean, var, xc, inv, scale

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, gamma, _, ctx.eps = inputs
        _, mean, var, xc, inv, scale = output
        ctx.mark_non_differentiable(mean, var, inv, scale)
        ctx.save_for_backward(gamma, xc, inv, scale)
        ctx.set_materialize_grads(False)  # no arrays of zeros for what has no gradient

    @staticmethod
    def backward(ctx, dy: Tensor | None, _dmean, _dvar, dxc: Tensor | None, _dinv, _dscale):
        gamma, xc, inv, scale = ctx.saved_tensors
        dx = dgamma = dbeta = None
        if dy is not None and (torch.is_grad_enabled() or batched(dy)):
            dx, dgamma, dbeta = slopes(wide(dy), xc, gamma, ctx.eps)
        elif dy is not None:
            dx, dgamma, dbeta = fast_slopes(wide(dy), xc, inv, scale)
        if dxc is not None:  # from a second derivative, through xc = x - mean
            centred = dxc - dxc.mean(axes_of(dxc)[0], keepdim=True)
            dx = centred if dx is None else dx + centred
        wanted = zip((dx, dgamma, dbeta), ctx.needs_input_grad[:3], strict=True)
        return *(slope if needed else None for slope, needed in wanted), None

    @staticmethod
    def vmap(info, in_dims, x: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: float):
        """R runs side by side are just more channels: (R, N, C, ...) becomes (N, R·C, ...)."""
        runs = info.batch_size

        def first(t: Tensor, dim: int | None) -> Tensor:
            return t.expand(runs, *t.shape) if dim is None else t.movedim(dim, 0)

        x = first(x, in_dims[0]).transpose(0, 1).flatten(1, 2)
        gamma = None if gamma is None else first(gamma, in_dims[1]).flatten()
        beta = None if beta is None else first(beta, in_dims[2]).flatten()
        y, mean, var, xc, inv, scale = _Normalise.apply(x, gamma, beta, eps)
        y, xc = (t.unflatten(1, (runs, -1)).transpose(0, 1) for t in (y, xc))
        mean, var, inv, scale = (t.view(runs, -1) for t in (mean, var, inv, scale))
        return (y, mean, var, xc, inv, scale), (0,) * 6


def slopes(
    dy: Tensor, xc: Tensor, gamma: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The backward pass as chapter 2 derives it: dx, dgamma, dbeta; itself differentiable."""
    axes, shape, m = axes_of(dy)
    inv = torch.rsqrt(xc.square().mean(axes) + eps)
    x_hat = xc * inv.view(shape)
    dbeta = dy.sum(axes)
    dgamma = (dy * x_hat).sum(axes)
    scale = inv if gamma is None else inv * gamma
    mean_dy, mean_dy_x_hat = dbeta.view(shape) / m, dgamma.view(shape) / m
    return scale.view(shape) * (dy - mean_dy - x_hat * mean_dy_x_hat), dgamma, dbeta


def fast_slopes(
    dy: Tensor, xc: Tensor, inv: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The same in 5 passes over arrays like x, of which one is new, and 3 steps on (C,)-vectors.

        dx = scale (dy - x_hat dgamma / m) - scale dbeta / m,  x_hat = xc inv

    It writes in place: on a CPU a fresh array costs more than the arithmetic.
    """
    axes, shape, m = axes_of(dy)
    product = dy * xc  # centred: the sum of dy x, less mean dbeta, would cancel in fp32
    dbeta = dy.sum(axes)
    dgamma, shift = torch._foreach_mul([product.sum(axes), dbeta], [inv, scale])  # both at once
    slope, shift = inv * dgamma, shift / -m
    dx = torch.addcmul(dy, xc, slope.view(shape), value=-1 / m, out=product)
    return torch.addcmul(shift.view(shape), dx, scale.view(shape), out=dx), dgamma, dbeta


def batched(*tensors: Tensor) -> bool:
    """Whether vmap maps over one of them: it knows neither `out=` nor foreach kernels."""
    if torch.compiler.is_compiling():
        return False
    f = torch._C._functorch
    return any(f.is_batchedtensor(t) or f.is_legacy_batchedtensor(t) for t in tensors)


def normalise(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch norm as the layer needs it: y, and what the running averages take, mean and the
    unbiased var (C,). There must be 2 values per channel or more."""
    return _Normalise.apply(x, gamma, beta, eps)[:3]


def batch_norm(
    x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise x (N, C, ...) by its own statistics: y, mean (C,) and biased var (C,)."""
    y, mean, var = normalise(x, gamma, beta, eps)
    return y, mean, var * (1 - 1 / axes_of(x)[2])


def naive_batch_norm(
    x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """What ``batch_norm`` gives, as one would first write it: forward only, the rest autograd's."""
    axes, shape, _ = axes_of(x)
    mean = x.mean(axes, keepdim=True)
    var = (x - mean).square().mean(axes, keepdim=True)
    x_hat = (x - mean) / torch.sqrt(var + eps)
    y = gamma.view(shape) * x_hat + beta.view(shape)
    return y, mean.detach().flatten(), var.detach().flatten()


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
