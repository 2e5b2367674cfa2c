"""What the claims say of batch norm's formula, computed in float64."""

import torch
from torch import Tensor

from bnlib.norm.functional import batch_norm
from bnlib.seeds import stream

EPS = 1e-5
ALPHAS = (1e-4, 1e-3, 1e-2, 0.1, 10.0, 1e2, 1e3, 1e4, -2.0)  # factors on the weights


def outputs_and_gradients(
    w: Tensor, x: Tensor, dy: Tensor, eps: float, b: Tensor | float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """BN(x w + b) and the gradients of <dy, BN(x w + b)> with respect to x and w."""
    w, x = w.clone().requires_grad_(), x.clone().requires_grad_()
    y = batch_norm(x @ w + b, eps=eps)[0]
    return y.detach(), *torch.autograd.grad(y, (x, w), dy)


def violations(
    w: Tensor, x: Tensor, dy: Tensor, alpha: float, eps: float, b: Tensor | float = 0.0
) -> tuple[float, float, float]:
    """Relative errors of BN(x (αw) + b) = BN(x w), of ∂/∂x unchanged, of ∂/∂(αw) = α⁻¹ ∂/∂w."""
    y, dx, dw = outputs_and_gradients(w, x, dy, eps)
    y_a, dx_a, dw_a = outputs_and_gradients(alpha * w, x, dy, eps, b)
    pairs = ((y_a, y), (dx_a, dx), (alpha * dw_a, dw))
    return tuple(((a - b).norm() / b.norm()).item() for a, b in pairs)


def scale_errors() -> dict[float, dict[float, tuple[float, float, float]]]:
    """By ε (0 and the usual one), then by α: the three violations on one random layer and batch."""
    rng = stream("identities", "scale")

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, dtype=torch.float64, device="cpu")

    w, x, dy, b = draw(5, 4), draw(64, 5), draw(64, 4), draw(4)
    return {
        eps: {alpha: violations(w, x, dy, alpha, eps, b) for alpha in ALPHAS} for eps in (0.0, EPS)
    }
