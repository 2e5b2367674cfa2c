"""A run's network on loan: loss and gradient at any point, on the batch of the step to come.

The twin is a copy made once, so whatever is done to it the run keeps its weights, running averages,
gradients and optimiser state. It runs in training mode (each batch norm layer by the statistics of
the batch) and in full float32, whatever precision the training has.
"""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from bnlib.data import as_input
from bnlib.measure.probe import Watched
from bnlib.models.dropout import noises
from bnlib.models.twin import twin_of


class Twin:
    def __init__(self, watched: Watched):
        self.watched = watched
        self.model = twin_of(watched.model, training=True)
        self.params = list(self.model.parameters())
        self.theta = [p.detach() for p in watched.model.parameters()]  # the run's own, as they are
        self.noises = noises(self.model)

    @contextlib.contextmanager
    def prepared(self) -> Iterator[None]:
        """Around all that is done with the twin before one step: its dropout will draw what that
        step will draw, and its products are those of float32."""
        for mine, its in zip(self.noises, noises(self.watched.model), strict=True):
            mine.set_state(its.state())
        with full_precision():
            yield

    def begin(self) -> None:
        """To θ, and to new masks of dropout, which are then the same at every point."""
        for noise in self.noises:
            noise.hold()
        self.move(self.theta, 0.0)

    @torch.no_grad()
    def move(self, direction: Sequence[Tensor], eta: float) -> None:
        """To θ − eta · direction."""
        torch._foreach_copy_(self.params, self.theta)
        torch._foreach_add_(self.params, direction, alpha=-eta)

    def gradient(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The loss where the twin stands, and its gradient by every parameter."""
        w = self.watched
        with torch.enable_grad():
            loss = w.criterion(self.model(as_input(w.images)), w.labels)
            return loss.detach(), torch.autograd.grad(loss, self.params)

    def changed(self) -> Iterator[Tensor]:
        yield from self.params
        yield from self.model.buffers()


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Products of float32 numbers in float32, also in a run that takes TF32."""
    cudnn = torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        cudnn.allow_tf32 = before[1]
