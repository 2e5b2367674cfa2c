"""A network on loan: its loss and gradient on one batch, at any point of its weights."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class Loan:
    """``params`` are those that are moved about, ``theta`` where they belong; ``loss`` computes the
    loss where they are."""

    def __init__(
        self, params: Sequence[Tensor], theta: Sequence[Tensor], loss: Callable[[], Tensor]
    ):
        self.params, self.theta, self.loss = list(params), list(theta), loss

    @torch.no_grad()
    def stand(self, point: Sequence[Tensor]) -> None:
        """To ``point``, a tensor for each of ``params``."""
        torch._foreach_copy_(self.params, point)

    @torch.no_grad()
    def move(self, direction: Sequence[Tensor], eta: float) -> None:
        """To θ − eta · direction."""
        self.stand(self.theta)
        torch._foreach_add_(self.params, direction, alpha=-eta)

    def gradient(self, by: Sequence[Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The loss where the network stands, and its gradient by every parameter, or by these."""
        with torch.enable_grad():
            loss = self.loss()
            return loss.detach(), torch.autograd.grad(loss, self.params if by is None else by)
