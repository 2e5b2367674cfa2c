"""What a line through the weights shows of the loss and its gradient (Santurkar et al. 2018, §3.1).

θ is where the network stands, g = ∇L(θ), and the line is θ − ηd for the step sizes η. The
smoothness is max over η of ‖∇L(θ − ηd) − g‖ / (η‖g‖). ``landscape`` says which lines there are.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from bnlib.measure.loan import Loan


def along(
    loan: Loan,
    direction: Sequence[Tensor],
    etas: Iterable[float],
    divisors: Tensor,
    g: Sequence[Tensor],
    units: Tensor,
) -> tuple[dict[str, Tensor], Tensor]:
    """One line's ``losses`` (E,), ``changes`` (E,) of the gradient, its ``norm`` at θ and the
    smoothness ``beta``, each tensor's gradient times its unit; and (E, tensors): ‖∇L − g‖.

    ``divisors`` are the step sizes on the device."""
    losses, changes = [], []
    for eta in etas:
        loan.move(direction, eta)
        loss, there = loan.gradient()
        losses.append(loss)
        changes.append(norms(torch._foreach_sub(there, g)))
    by_tensor = torch.stack(changes)
    change, norm = (by_tensor * units).norm(dim=1), (norms(g) * units).norm()
    beta = (change / (divisors * norm)).amax()
    figures = {"losses": torch.stack(losses), "changes": change, "norm": norm, "beta": beta}
    return figures, by_tensor


def scale_free(theta: Sequence[Tensor], g: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
    """The direction, and the units (tensors,), of the line that no rescaling of weights changes."""
    sizes = norms(theta)
    return torch._foreach_mul(g, list(sizes.square())), sizes


def shaped(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Tensors of these shapes, from one with as many numbers."""
    pieces = flat.split([p.numel() for p in like])
    return [x.view(p.shape) for x, p in zip(pieces, like, strict=True)]


def norms(tensors: Sequence[Tensor]) -> Tensor:
    """The Euclidean norm of each."""
    return torch.stack(torch._foreach_norm(tensors))
