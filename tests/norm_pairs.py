"""Ours and PyTorch's batch norm side by side."""

import torch
from torch import nn

from bnlib.norm import BatchNorm

DOUBLE = torch.float64
TORCH = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
SHAPES = [(6, 3), (6, 3, 5), (4, 3, 5, 2), (2, 3, 4, 1, 5)]


def pair(shape, **options):
    """Ours and PyTorch's, alike, with gamma and beta away from their starting values."""
    ours = BatchNorm(shape[1], **options).to(DOUBLE)
    theirs = TORCH[len(shape)](shape[1], **options).to(DOUBLE)
    for p in ours.parameters():
        nn.init.normal_(p)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    return ours, theirs


def gap(a, b):
    pairs = zip(a, b, strict=True)
    return max(((p.to(DOUBLE) - q.to(DOUBLE)).abs().max().item() for p, q in pairs), default=0.0)


def output_and_gradients(bn, x, dy):
    x = x.clone().requires_grad_()
    y = bn(x)
    return [y.detach(), *torch.autograd.grad(y, [x, *bn.parameters()], dy)]


def check_alike(ours, theirs, x, tolerance=1e-10):
    dy = torch.randn_like(x)
    pairs = output_and_gradients(ours, x, dy), output_and_gradients(theirs, x, dy)
    assert gap(*pairs) <= tolerance
    assert gap(ours.buffers(), theirs.buffers()) <= tolerance
