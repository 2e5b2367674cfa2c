"""Crops and flips of a batch, on the device: each picture moved by up to 4 pixels and, with
probability ½, mirrored left to right.

The draws of an epoch come from a stream of their own, on the CPU, as the order of the data does:
the arms of a comparison see the same pictures.
"""

import torch
from torch import Tensor

from bnlib.seeds import stream

REACH = 4  # pixels that a picture moves at most, up or down and left or right


def draws(seed: int, epoch: int, steps: int, batch_size: int) -> tuple[Tensor, Tensor]:
    """Of an epoch: shifts (steps, B, 2) in whole pixels, and flips (steps, B)."""
    rng = stream(seed, "augment", epoch)
    shifts = torch.randint(-REACH, REACH + 1, (steps, batch_size, 2), generator=rng)
    return shifts, torch.randint(2, (steps, batch_size), generator=rng).bool()


def augmented(
    images: Tensor, shifts: Tensor, flips: Tensor, background: Tensor, out: Tensor
) -> Tensor:
    """The crops of images (B, H, W, C) that begin at shifts (B, 2), in rows and columns, then
    mirrored where flips (B,) says so; what lies outside a picture is background (C,).

    Written to ``out``, which may be ``images``; nothing is read by the host."""
    count, height, width, channels = images.shape
    along = torch.arange(width, device=images.device)
    rows = shifts[:, :1] + torch.arange(height, device=images.device)  # (B, H)
    columns = shifts[:, 1:] + torch.where(flips[:, None], width - 1 - along, along)  # (B, W)
    inside = _inside(rows, height)[:, :, None] & _inside(columns, width)[:, None]  # (B, H, W)
    first = torch.arange(count, device=images.device)[:, None] * height  # the pictures' first rows
    pixels = (first + rows.clamp(0, height - 1))[:, :, None] * width
    pixels = pixels + columns.clamp(0, width - 1)[:, None]
    crops = images.reshape(-1, channels).index_select(0, pixels.flatten()).view_as(images)
    return torch.where(inside[..., None], crops, background, out=out)


def _inside(places: Tensor, size: int) -> Tensor:
    return (places >= 0) & (places < size)
