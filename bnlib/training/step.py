"""One training step without arguments, so that a CUDA graph can hold it as it is.

The order of an epoch and its learning rates are tables on the device; a counter there says which
row comes next. Batches land in fixed buffers, losses and counts add up on the device, and nothing
in a step waits for the host.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bnlib.data import Data, as_input
from bnlib.data.augment import augmented, draws
from bnlib.recipe import Recipe
from bnlib.training.optim import layer_factors, make_optimizer

Criterion = Callable[[Tensor, Tensor], Tensor]


def criterion_of(recipe: Recipe) -> Criterion:
    """The mean loss of logits (B, K) and labels (B,); over the K outputs too if one-hot."""
    if recipe.loss == "ce":
        return F.cross_entropy
    of_one_hot = {
        "mse": F.mse_loss,
        "smooth_l1": F.smooth_l1_loss,
        "bce": F.binary_cross_entropy_with_logits,
    }[recipe.loss]
    return lambda logits, labels: of_one_hot(logits, F.one_hot(labels, logits.shape[1]).to(logits))


class Step:
    """``begin`` an epoch, then call ``whole`` once a step: between two calls the batch of the step
    to come lies in ``images`` and ``labels``, and its rate in ``lr``."""

    def __init__(self, recipe: Recipe, model: nn.Module, data: Data, steps: int):
        train = data.train
        device, batch = train.labels.device, recipe.batch_size
        self.train, self.model, self.criterion = train, model, criterion_of(recipe)
        self.order = torch.zeros(steps, batch, dtype=torch.long, device=device)
        self.rates = torch.zeros(steps, device=device)
        self.moved = recipe.augment == "crop_flip"
        if self.moved:
            self.seed, self.background = recipe.seed, data.background.to(device)
            self.shifts = self.order.new_zeros(steps, batch, 2)
            self.flips = self.order.new_zeros(steps, batch, dtype=torch.bool)
        self.at = torch.zeros(1, dtype=torch.long, device=device)  # the step to come
        self.images = train.images.new_empty(batch, *train.images.shape[1:])
        self.labels = train.labels.new_zeros(batch)
        self.lr = torch.tensor(recipe.lr, device=device)
        self.optimizer = make_optimizer(recipe, model.parameters(), self.lr)
        self.params, self.clip = list(model.parameters()), recipe.clip
        self.factors = layer_factors(recipe, model)
        self.loss = torch.zeros((), device=device)  # sum over the epoch's batches
        self.right = torch.zeros((), dtype=torch.long, device=device)
        self.bf16 = recipe.precision == "bf16"

    def begin(self, order: Tensor, rates: Tensor, epoch: int = 0) -> None:
        """An epoch: which images make each batch (steps, B), and each step's rate (steps,)."""
        self.order.copy_(order)
        self.rates.copy_(rates)
        if self.moved:
            shifts, flips = draws(self.seed, epoch, *self.order.shape)
            self.shifts.copy_(shifts)
            self.flips.copy_(flips)
        for tensor in (self.at, self.loss, self.right):
            tensor.zero_()
        self.load()

    def load(self) -> None:
        """Row ``at`` of the tables into the fixed buffers."""
        self.train.gather(self.order.index_select(0, self.at).view(-1), self.images, self.labels)
        if self.moved:
            moves = (t.index_select(0, self.at).squeeze(0) for t in (self.shifts, self.flips))
            augmented(self.images, *moves, self.background, out=self.images)
        self.lr.copy_(self.rates.index_select(0, self.at).view(()))

    def update(self) -> None:
        """Forward, backward, optimiser, and the epoch's sums."""
        self.optimizer.zero_grad()
        with torch.autocast(self.labels.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.model(as_input(self.images))
        logits = logits.float()
        loss = self.criterion(logits, self.labels)
        loss.backward()
        grads = [p.grad for p in self.params]
        if self.factors:
            torch._foreach_mul_(grads, self.factors)
        if self.clip:
            nn.utils.clip_grad_norm_(self.params, self.clip, foreach=True)
        self.optimizer.step()
        self.loss += loss.detach()
        self.right += (logits.argmax(1) == self.labels).sum()

    def whole(self) -> None:
        self.update()
        self.at.add_(1).remainder_(len(self.order))  # behind the last step the first is loaded
        self.load()

    def sums(self) -> tuple[float, float]:
        """Mean loss and accuracy of the epoch on the way: the one look that the host takes."""
        return float(self.loss) / len(self.order), float(self.right) / self.order.numel()

    def changed(self) -> Iterator[Tensor]:
        """Every tensor that a step writes to."""
        yield from self.model.parameters()
        yield from self.model.buffers()
        yield from (self.at, self.images, self.labels, self.lr, self.loss, self.right)
        for state in self.optimizer.state.values():
            yield from (value for value in state.values() if isinstance(value, Tensor))
