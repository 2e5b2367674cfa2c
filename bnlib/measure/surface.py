"""Rulers of the loss around a network: along a line through its weights, and its curvature."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from bnlib.errors import BookError
from bnlib.measure.borrowed import Batch, Criterion, borrowed, finite
from bnlib.measure.hessian import products
from bnlib.measure.lines import along, norms, scale_free, shaped

LINES = {
    "gradient": "along its gradient",
    "random": "along a random direction as long as its gradient",
    "scale_free": "along its gradient, each parameter tensor in units of its own norm",
}


@dataclass(frozen=True, eq=False)
class LossLine:
    """The loss and its gradient at each step of a line θ − ηd."""

    line: str
    steps: np.ndarray  # (E,) η
    loss: float  # L(θ)
    losses: np.ndarray  # (E,) L(θ − ηd)
    norm: float  # ‖g‖, in the line's units as all below
    changes: np.ndarray  # (E,) ‖∇L(θ − ηd) − g‖
    beta: float  # the largest change over η‖g‖

    @property
    def spread(self) -> float:
        """Largest less smallest loss of the steps."""
        return float(self.losses.max() - self.losses.min())

    def __repr__(self) -> str:
        units = " in units of each tensor's norm" if self.line == "scale_free" else ""
        return f"""The loss of one batch {LINES[self.line]},
{_counted(self.steps)}, in training mode.
  loss        {self.loss:.4g} here; on the line {_range(self.losses)}, a spread of {self.spread:.4g}
  gradient    {self.norm:.4g} long here{units}; it changes by {_range(self.changes)}
  smoothness  {self.beta:.4g}: the gradient's largest change per unit of length moved"""


@dataclass(frozen=True, eq=False)
class Sharpness:
    """The largest eigenvalue of the Hessian of the loss of one batch."""

    value: float
    error: float  # some eigenvalue lies no farther than this from ``value``
    loss: float
    iterations: int  # Hessian-vector products
    tolerance: float
    settled: bool  # the error is at most the tolerance times the largest eigenvalue in size

    def __repr__(self) -> str:
        state = "settled" if self.settled else "NOT settled: a lower bound,"
        rate = 2 / self.value if self.value > 0 else np.inf
        stable = f"\n  stability   gradient descent that way grows at rates above {rate:.3g}"
        return f"""The largest curvature of the loss of one batch in training mode: the largest
eigenvalue of its Hessian by the trainable parameters, by power iteration.
  sharpness   {self.value:.4g}, an eigenvalue to within {self.error:.2g}
  iteration   {state} after {self.iterations} products (tolerance {self.tolerance:g}){stable}"""


def landscape(
    model: nn.Module,
    criterion: Criterion,
    batch: Batch,
    steps: Iterable[float],
    line: str = "gradient",
    seed: int = 0,
    progress: bool = False,
) -> LossLine:
    """Loss and gradient at θ − ηd for every step size η in ``steps``, on one batch.

    ``line`` says what d is: "gradient", g; "random", a Gaussian direction as long as g, drawn from
    ``seed``; "scale_free", ‖W‖² g for each parameter tensor W, where gradients are measured as
    ‖W‖ g: that line stays the same when weights are rescaled so that the function stays the same.

    Compare networks on the same steps, whatever learning rates they are trained with."""
    etas = np.array(list(steps), float)
    if not len(etas) or not (np.isfinite(etas) & (etas > 0)).all():
        raise BookError(f"steps are one or more step sizes above 0, not {etas.tolist()}")
    if line not in LINES:
        raise BookError(f"there is no line {line!r}: choose one of {', '.join(LINES)}")
    with borrowed(model, criterion, batch) as loan:
        loss, g = loan.gradient()
        here, length = finite(loss), norms(g).norm()
        direction, units = g, torch.ones_like(norms(g))
        if line == "scale_free":
            direction, units = scale_free(loan.theta, g)
        elif line == "random":
            direction = _random(loan.theta, seed)
            torch._foreach_mul_(direction, length / norms(direction).norm())
        shown = tqdm(etas.tolist(), "landscape", disable=not progress, leave=False)
        found, _ = along(loan, direction, shown, torch.from_numpy(etas).to(loss), g, units)
        numbers = {name: value.double().cpu().numpy() for name, value in found.items()}
    return LossLine(
        line=line,
        steps=etas,
        loss=here,
        losses=numbers["losses"],
        norm=float(numbers["norm"]),
        changes=numbers["changes"],
        beta=float(numbers["beta"]),
    )


def sharpness(
    model: nn.Module,
    criterion: Criterion,
    batch: Batch,
    tolerance: float = 0.01,
    iterations: int = 200,
    seed: int = 0,
    progress: bool = False,
) -> Sharpness:
    """The largest eigenvalue of the Hessian by the trainable parameters, on one batch.

    Power iteration finds the eigenvalue of the largest size. Where that is negative, a second one,
    on the Hessian less it, finds the largest. Each goes on until an eigenvalue is known to lie
    within ``tolerance`` times the largest size, or for ``iterations`` products."""
    if not tolerance > 0 or iterations < 1:
        raise BookError(
            f"tolerance is above 0 and iterations 1 or more, not {tolerance} and {iterations}"
        )
    bar = tqdm(desc="sharpness", unit="product", disable=not progress, leave=False)
    slow = sdpa_kernel(SDPBackend.MATH)  # the fast kernels of attention have no second derivative
    with borrowed(model, criterion, batch) as loan, torch.enable_grad(), slow, bar:
        loss = loan.loss()
        here, params = finite(loss), loan.params
        _, product = products(loss, params)

        def power(less: float, within: float | None = None) -> tuple[float, float, int]:
            """The eigenvalue of the largest size of the Hessian − less · 1, of the Hessian itself;
            how far it may be from one; products."""
            v, count = _random(params, seed), 0
            while True:
                count += 1
                torch._foreach_div_(v, norms(v).norm())
                there = product(v)
                bar.update()
                value = sum((x * y).sum() for x, y in zip(v, there, strict=True))
                rest = torch._foreach_sub(there, torch._foreach_mul(v, value))
                error, value = float(norms(rest).norm()), float(value)
                reached = error <= tolerance * (abs(value) if within is None else within)
                if reached or count == iterations:
                    return value, error, count
                v = torch._foreach_sub(there, torch._foreach_mul(v, less))

        value, error, used = power(0.0)
        size = abs(value)
        if value < 0:
            value, error, more = power(value, size)
            used += more
    return Sharpness(value, error, here, used, tolerance, settled=error <= tolerance * size)


def _random(like: Sequence[Tensor], seed: int) -> list[Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return shaped(torch.randn(sum(p.numel() for p in like), generator=rng).to(like[0]), like)


def _range(values: np.ndarray) -> str:
    return f"{values.min():.4g} to {values.max():.4g}"


def _counted(steps: np.ndarray) -> str:
    if len(steps) == 1:
        return f"one step of {steps[0]:g}"
    return f"{len(steps)} steps of {steps.min():g} to {steps.max():g}"
