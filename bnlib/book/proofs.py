"""Formulas that a page checks while it is executed: one that does not hold stops the page."""

import torch
from torch import Tensor


class Checks(list[str]):
    """What has been checked; shown as how many."""

    def holds(self, what: str, condition: bool | Tensor) -> None:
        if not bool(condition):
            raise AssertionError(what)
        self.append(what)

    def close(self, what: str, ours: Tensor | float, truth: Tensor | float, rtol=1e-7) -> None:
        self.holds(what, torch.isclose(*map(torch.as_tensor, (ours, truth)), rtol=rtol).all())

    def __repr__(self) -> str:
        return f"{len(self)} checks passed"
