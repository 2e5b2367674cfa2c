"""The Hessian of a loss, seen through its products with vectors."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from bnlib.measure.lines import shaped

Product = Callable[[Sequence[Tensor]], list[Tensor]]


def products(loss: Tensor, params: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], Product]:
    """The gradient of ``loss``, and what takes v, a tensor for each of ``params``, to Hv."""
    g = torch.autograd.grad(loss, params, create_graph=True, materialize_grads=True)

    def product(v: Sequence[Tensor]) -> list[Tensor]:
        curved = [(one, x) for one, x in zip(g, v, strict=True) if one.requires_grad]
        if not curved:
            return [torch.zeros_like(x) for x in v]
        slope = sum((one * x).sum() for one, x in curved)
        return list(torch.autograd.grad(slope, params, retain_graph=True, materialize_grads=True))

    return g, product


@torch.no_grad()
def tridiagonal(product: Product, start: Sequence[Tensor], count: int) -> tuple[Tensor, Tensor]:
    """Lanczos: the symmetric matrix in ``count`` directions that are orthogonal, the first of them
    ``start``'s, where it is tridiagonal. Its diagonal (count,) and what stands beside it (count,);
    the last of that is how far the matrix leads out of these directions.

    Each new direction is made orthogonal to all before it, twice: rounding undoes the first."""
    flat = _flat(start)
    basis = flat.new_zeros(count + 1, len(flat))
    basis[0] = flat / flat.norm()
    diagonal, beside = flat.new_zeros(2, count)
    for k in range(count):
        with torch.enable_grad():
            there = _flat(product(shaped(basis[k], start)))
        diagonal[k] = basis[k] @ there
        for _ in range(2):
            there = there - basis[: k + 1].T @ (basis[: k + 1] @ there)
        beside[k] = there.norm()
        basis[k + 1] = there / beside[k]
    return diagonal, beside


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([x.detach().flatten() for x in tensors])
