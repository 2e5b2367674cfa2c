"""The curvature of the loss where a run stands: along its gradient, and the largest.

Every ``probe_every`` steps, before the step and on its batch: g is the gradient of the loss in
training mode by all parameters, H its Hessian. The curvature along the gradient is gᵀHg / ‖g‖²; the
largest is the largest eigenvalue of H, from ``PRODUCTS`` steps of Lanczos' iteration that begins at
g. A step −ηg lowers a quadratic with such a curvature as long as η times the former is below 2, and
gradient descent is stable there as long as η times the latter is.

``scale_free``: the same of DHD, where D takes each parameter tensor in units of its own norm, with
Dg in place of g. It stays as it is when weights are rescaled so that the function stays the same.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bnlib.measure.hessian import products, tridiagonal
from bnlib.measure.lines import norms
from bnlib.measure.probe import Watched
from bnlib.measure.rows import Rows
from bnlib.measure.twin import Twin, TwinProbe

PRODUCTS = 12
UNITS = ("raw", "scale_free")
BANDS = ("inside", "beside")  # the diagonal of Lanczos' matrix, and what stands beside it


class Curvature(TwinProbe):
    captures = False  # no graph has been made of a second derivative yet

    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.steps = range(0, watched.steps, watched.recipe.probe_every)
        self.twin = Twin(watched)
        shapes = {f"{unit}_{name}": (PRODUCTS,) for unit in UNITS for name in BANDS}
        like = next(watched.model.parameters()).detach()
        self.rows = Rows(len(self.steps), like, loss=(), **shapes)

    def sample(self) -> None:
        self.twin.begin()
        with torch.enable_grad():
            loss = self.twin.loss()
            g, product = products(loss, self.twin.params)
        sizes, g = list(norms(self.twin.theta)), [one.detach() for one in g]

        def rescaled(v: Sequence[Tensor]) -> list[Tensor]:
            return torch._foreach_mul(product(torch._foreach_mul(v, sizes)), sizes)

        matrices = {
            "raw": tridiagonal(product, g, PRODUCTS),
            "scale_free": tridiagonal(rescaled, torch._foreach_mul(g, sizes), PRODUCTS),
        }
        found = {
            f"{unit}_{name}": numbers
            for unit, pair in matrices.items()
            for name, numbers in zip(BANDS, pair, strict=True)
        }
        self.rows.write(loss=loss.detach(), **found)

    def result(self) -> dict[str, np.ndarray]:
        """The samples, NaN where they are no numbers: ``curvature_steps`` (S,), and as long
        ``curvature_loss`` and, raw and scale-free, the curvature ``along`` the gradient, the
        ``largest``, and its ``error``: some eigenvalue lies no farther than this from it."""
        rows = self.rows.read()
        steps = np.array(self.steps[: len(rows["loss"])])
        found = {"steps": steps, "loss": rows["loss"]}
        for unit in UNITS:
            inside, beside = (rows[f"{unit}_{name}"] for name in BANDS)
            ends = [_largest(a, b) for a, b in zip(inside, beside, strict=True)]
            found[f"{unit}_along"] = inside[:, 0]
            found[f"{unit}_largest"] = np.array([value for value, _ in ends])
            found[f"{unit}_error"] = np.array([error for _, error in ends])
        return {f"curvature_{name}": values for name, values in found.items()}


def _largest(inside: np.ndarray, beside: np.ndarray) -> tuple[float, float]:
    """The largest eigenvalue of the tridiagonal matrix, and how far it is from one of all."""
    if not (np.isfinite(inside).all() and np.isfinite(beside).all()):
        return np.nan, np.nan
    matrix = np.diag(inside) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    values, vectors = np.linalg.eigh(matrix.astype(float))
    return values[-1], abs(beside[-1] * vectors[-1, -1])
