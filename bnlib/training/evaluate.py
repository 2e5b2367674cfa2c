"""Loss and accuracy of a network on a split, with its running averages and with precise ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnlib.data import Data, Split, as_input
from bnlib.models.twin import twin_of
from bnlib.training.precise import BATCH, averaging, re_estimate

PARTS = ("val", "test")

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


class Evaluation:
    """Loss and accuracy on the validation and the test part; twice where averages are kept.

    Calling it takes no argument and reads nothing on the host; ``read`` does, once."""

    def __init__(self, model: nn.Module, data: Data, criterion: Criterion):
        self.model, self.data, self.criterion = model, data, criterion
        self.twin = twin_of(model, training=False) if averaging(model) else None
        hows = ("", "_precise") if self.twin else ("",)
        self.columns = [
            f"{part}_{what}{how}" for how in hows for part in PARTS for what in ("loss", "acc")
        ]
        self.figures = torch.zeros(len(self.columns), device=data.test.labels.device)
        self.correct = torch.zeros_like(data.test.labels, dtype=torch.bool)  # with the averages

    @torch.no_grad()
    def __call__(self) -> None:
        nets = [self.model]
        if self.twin:
            for mine, its in zip(_tensors(self.twin), _tensors(self.model), strict=True):
                mine.copy_(its)
            nets.append(re_estimate(self.twin, self.data.train))
        figures = []
        for net in nets:
            for part in PARTS:
                result = evaluate(net, getattr(self.data, part), self.criterion)
                figures += [result.loss, result.correct.float().mean()]
                if net is self.model and part == "test":
                    self.correct.copy_(result.correct)
        self.figures.copy_(torch.stack(figures))

    def read(self) -> dict[str, float]:
        return dict(zip(self.columns, self.figures.tolist(), strict=True))

    def changed(self) -> Iterator[Tensor]:
        """Every tensor that a call writes to."""
        yield from (self.figures, self.correct)
        if self.twin:
            yield from _tensors(self.twin)


def _tensors(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]
