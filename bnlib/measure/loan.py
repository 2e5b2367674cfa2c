"""A network on loan: its loss and gradient on one batch, at any point of its weights."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor


class Loan:
    """``params`` are what gradients are taken by, ``theta`` where they belong; ``loss`` computes
    the loss where they are. ``written`` is their memory, where they must not be written to
    themselves."""

    def __init__(
        self,
        params: Iterable[Tensor],
        theta: Sequence[Tensor],
        loss: Callable[[], Tensor],
        written: Sequence[Tensor] | None = None,
    ):
        self.params, self.theta, self.loss = list(params), list(theta), loss
        self.written = self.params if written is None else written

    @torch.no_grad()
    def stand(self, point: Sequence[Tensor]) -> None:
        """To ``point``, a tensor for each of ``params``."""
        torch._foreach_copy_(self.written, point)

    @torch.no_grad()
    def move(self, direction: Sequence[Tensor], eta: float) -> None:
        """To θ − eta · direction."""
        self.stand(self.theta)
        torch._foreach_add_(self.written, direction, alpha=-eta)

    def gradient(self, by: Sequence[Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The loss where the network stands, and its gradient by every parameter, or by these: 0
        by one that took no part."""
        with torch.enable_grad():
            loss = self.loss()
            by = self.params if by is None else by
            return loss.detach(), torch.autograd.grad(loss, by, materialize_grads=True)


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
