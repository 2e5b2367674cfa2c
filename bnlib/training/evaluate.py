"""Loss and accuracy of a network on a split, with its running averages and with precise ones."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnlib.data import Split, as_input

BATCH = 1000  # images of an evaluation batch
PRECISE = 10  # training batches that the precise statistics are re-estimated over

Criterion = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Result:
    """Tensors on the device: reading them is the caller's one synchronisation."""

    loss: Tensor  # mean over the split
    correct: Tensor  # (N,) bool
    predicted: Tensor  # (N,) class of the largest logit
    confidence: Tensor  # (N,) its probability


@torch.no_grad()
def evaluate(model: nn.Module, split: Split, criterion: Criterion) -> Result:
    """The network in evaluation mode on every image of ``split``."""
    was_training = model.training
    model.eval()
    loss, predicted, confidence = [], [], []
    for images, labels in zip(split.images.split(BATCH), split.labels.split(BATCH), strict=True):
        logits = model(as_input(images)).float()
        loss.append(criterion(logits, labels) * len(labels))
        predicted.append(logits.argmax(1))
        confidence.append(logits.softmax(1).amax(1))
    model.train(was_training)
    classes = torch.cat(predicted)
    mean = torch.stack(loss).sum() / len(split)
    return Result(mean, classes == split.labels, classes, torch.cat(confidence))


def averaging(model: nn.Module) -> list[nn.Module]:
    """The layers that keep running averages."""
    return [m for m in model.modules() if getattr(m, "running_mean", None) is not None]


@torch.no_grad()
def precise(model: nn.Module, train: Split) -> nn.Module:
    """A copy of ``model`` whose running averages are re-estimated over the training set.

    They are the plain average over ``PRECISE`` batches of training images seen by the weights as
    they are now; the model itself is not touched.
    """
    twin = copy.deepcopy(model).eval()
    for layer in averaging(twin):
        layer.reset_running_stats()
        layer.momentum = None  # the cumulative average
        layer.train()
    for images in train.images[: PRECISE * BATCH].split(BATCH):
        if len(images) > 1:
            twin(as_input(images))
    return twin.eval()
