"""Optimisers and learning-rate schedules, ready for a step without synchronisation.

The learning rate is a tensor on the device that the optimiser reads, so that a schedule changes
it without the host waiting and a captured step sees the change.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from bnlib.models.init import WEIGHTED
from bnlib.recipe import Recipe

PATIENCE = 5  # epochs without a better validation loss before "plateau" lowers the rate
FACTOR = 0.5  # by which it does
FLOOR = 1e-4  # below which it never lowers it
STOP = 20  # epochs without a better validation loss before "plateau" stops early


def make_optimizer(
    recipe: Recipe, params: Iterable[nn.Parameter], lr: Tensor
) -> torch.optim.Optimizer:
    """The recipe's optimiser, its state on the device of ``lr``.

    On a GPU nothing of it waits for the host, but for Adagrad, which torch writes no other way."""
    common = {"params": list(params), "lr": lr, "weight_decay": recipe.weight_decay}
    on_card = lr.is_cuda
    match recipe.optimizer:
        case "sgd":
            return torch.optim.SGD(
                momentum=recipe.momentum, nesterov=recipe.nesterov, fused=True, **common
            )
        case "adam":
            return torch.optim.Adam(fused=True, capturable=on_card, **common)
        case "adagrad":
            return torch.optim.Adagrad(foreach=False, **common)
        case "adadelta":
            return torch.optim.Adadelta(foreach=on_card, capturable=on_card, **common)


def layer_factors(recipe: Recipe, model: nn.Module) -> list[float]:
    """What each parameter's gradient is multiplied by before a step, for ``layer_rates``; none
    where all are 1. With SGD that is a rate of its own, and an L2 as much weaker."""
    if recipe.layer_rates == "same":
        return []
    weights = [m.weight for m in model.modules() if isinstance(m, WEIGHTED)]
    longer = {w: recipe.init_std**2 * w[0].numel() / 2 for w in weights[:-1]}  # He's has 2 / fan-in
    return [longer.get(parameter, 1.0) for parameter in model.parameters()]


class Schedule:
    """The learning rate of every step, told an epoch at a time."""

    def __init__(self, recipe: Recipe, steps_per_epoch: int):
        self.recipe, self.steps = recipe, steps_per_epoch
        self.scale = 1.0  # what "plateau" has left of the first rate
        self.best = math.inf
        self.waited = 0  # epochs since the best validation loss
        self.stop = False

    def epoch(self, epoch: int) -> Tensor:
        """The rates of the steps of ``epoch`` (counted from 0)."""
        total = self.recipe.epochs * self.steps
        step = epoch * self.steps + torch.arange(self.steps, dtype=torch.float64)
        share = (step + 0.5) / total
        match self.recipe.schedule:
            case "constant" | "plateau":
                factor = torch.full_like(share, self.scale)
            case "cosine":  # from lr to 0
                factor = (1 + torch.cos(math.pi * share)) / 2
            case "onecycle":  # from 0 to lr in the first 30 %, then to 0, both in straight lines
                factor = torch.minimum(share / 0.3, (1 - share) / 0.7)
            case "warmup":  # from 0 to lr in a straight line over the first epoch, then constant
                factor = ((step + 0.5) / self.steps).clamp(max=1)
        return (self.recipe.lr * factor).float()

    def saw(self, val_loss: float) -> None:
        """Told the validation loss after each epoch; lowers the rate or stops where it is due."""
        if val_loss < self.best:
            self.best, self.waited = val_loss, 0
            return
        self.waited += 1
        if self.recipe.schedule == "plateau":
            self.stop = self.waited >= STOP
            if self.waited % PATIENCE == 0:
                self.scale = min(self.scale, max(self.scale * FACTOR, FLOOR / self.recipe.lr))
