"""Precise statistics: batch norm's averages, estimated again over the training set."""

import torch
from torch import nn

from bnlib.data import Split, as_input
from bnlib.models.twin import twin_of

BATCH = 1000  # images of an evaluation batch
PRECISE = 10  # training batches that the statistics are re-estimated over


def averaging(model: nn.Module) -> list[nn.Module]:
    """The layers that keep running averages."""
    return [m for m in model.modules() if getattr(m, "running_mean", None) is not None]


def precise(model: nn.Module, train: Split) -> nn.Module:
    """A copy of ``model`` whose running averages are re-estimated over the training set."""
    return re_estimate(twin_of(model, training=False), train)


@torch.no_grad()
def re_estimate(model: nn.Module, train: Split) -> nn.Module:
    """Replace the running averages by the plain average over ``PRECISE`` batches of training images
    seen by the weights as they are now; leaves ``model`` in evaluation mode."""
    model.eval()
    layers = averaging(model)
    for layer in layers:
        layer.reset_running_stats()
        layer.train()
    batches = [x for x in train.images[: PRECISE * BATCH].split(BATCH) if len(x) > 1]
    for number, images in enumerate(batches, start=1):
        for layer in layers:
            layer.momentum = 1 / number  # the average so far; None would make torch read a count
        model(as_input(images))
    return model.eval()
