"""Loss and gradient along three lines through the weights (Santurkar et al. 2018, §3.1, App. A).

Every ``probe_every`` steps, before the step and on its batch: θ are all parameters, L the loss in
training mode, g = ∇L(θ). The step sizes η are eight from the recipe's ``probe_etas``, evenly spaced
in their logarithm and the same whatever the learning rate of the run. The lines are θ − ηd with

- ``gradient``: d = g.
- ``random``: d a Gaussian direction, another each time, as long as g.
- ``scale_free``: each parameter tensor W_l in units of its own norm at θ. There the gradient is
  ĝ_l = ‖W_l‖ g_l and a step along it d_l = ‖W_l‖² g_l; the step sizes are ``SCALE_FREE`` η. γ, β
  and biases are tensors like the rest; one that is all 0 (β at the start) has no scale: it stays
  where it is and counts nothing.

Smoothness is max over η of ‖∇L(θ − ηd) − g‖ / (η‖g‖); scale-free ‖ĝ(θ − ηd) − ĝ‖ / (η‖ĝ‖), with the
norms at θ in both ĝ. Only the latter is the same after a rescaling of weights that leaves the
function as it was. In float32 rounding alone makes about 1e-6 / η.

Beside them what source S3 took for it: how far the last layer's gradient, as the training computes
it, is from that of the next step, which has other weights and another batch.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.measure.probe import Probe, Watched
from bnlib.measure.twin import Twin
from bnlib.seeds import stream

POINTS = 8  # step sizes
SCALE_FREE = 0.01  # η in units of a layer's norm moves it by η‖W_l‖² ‖g_l‖, and ‖W_l‖ is 10 or more


class Landscape(Probe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.every = watched.recipe.probe_every
        self.twin = Twin(watched)
        owners = {
            id(layer.weight): name
            for name, layer in watched.model.named_modules()
            if isinstance(layer, nn.Conv2d | nn.Linear)
        }
        params = list(watched.model.parameters())
        self.layers = {i: owners[id(p)] for i, p in enumerate(params) if id(p) in owners}
        self.last = params[max(self.layers)]
        self.etas = np.geomspace(*watched.recipe.probe_etas, POINTS)
        self.draws = stream(watched.recipe.seed, "landscape")
        count = sum(p.numel() for p in params)
        self.normal = torch.randn(count, generator=self.draws).to(self.last)
        self.steps: list[int] = []
        self.found: dict[str, list[Tensor]] = {}

    def step(self, step: int) -> None:
        self._consecutive(step)
        if step % self.every:
            return
        theta = self.twin.theta
        self.twin.move(theta, 0.0)
        loss, g = self.twin.gradient()
        sizes, norms = _norms(theta), _norms(g)  # (tensors,)
        ones, layers = torch.ones_like(norms), list(self.layers)
        self.steps.append(step)
        self._keep(loss=loss, weight_norm=sizes.norm(), layer_norms=norms[layers])
        changes = self._line("gradient", g, g, self.etas, ones)
        self._keep(layer_changes=changes[:, layers])
        self._line("random", g, self._random(norms.norm()), self.etas, ones)
        longer = torch._foreach_mul(g, list(sizes.square()))
        self._line("scale_free", g, longer, SCALE_FREE * self.etas, sizes)

    def result(self) -> dict[str, np.ndarray]:
        """The samples in float32, NaN where they are no numbers. S samples, E step sizes, L layers.

        ``steps`` (S,), ``etas`` and ``scale_free_etas`` (E,); ``layers`` (L,): the names of the
        convolutions and linear layers, whose weights (not biases) are meant below.

        ``loss`` and ``weight_norm`` (S,): L(θ) and ‖θ‖. For each line: ``<line>_losses`` (S, E);
        ``<line>_changes`` (S, E), the numerator above; ``<line>_norm`` (S,), ‖g‖ or ‖ĝ‖;
        ``<line>_beta`` (S,), the smoothness.

        ``layer_norms`` (S, L) and ``layer_changes`` (S, E, L): the gradient line's, layer by layer.
        ``consecutive_changes`` and ``consecutive_moves`` (S,): how far the last layer's gradient
        and weights are from those of the next step; NaN where the run ended before.
        """
        found = {name: torch.stack(kept).cpu().numpy() for name, kept in self.found.items()}
        for name in ("consecutive_changes", "consecutive_moves"):
            kept = found.get(name, np.empty(0, np.float32))
            found[name] = np.pad(kept, (0, len(self.steps) - len(kept)), constant_values=np.nan)
        return found | {
            "steps": np.array(self.steps),
            "etas": self.etas,
            "scale_free_etas": SCALE_FREE * self.etas,
            "layers": np.array(list(self.layers.values())),
        }

    def _line(
        self,
        name: str,
        g: Sequence[Tensor],
        direction: Sequence[Tensor],
        etas: np.ndarray,
        units: Tensor,
    ) -> Tensor:
        """Keeps one line's figures, each tensor's gradient times its unit; gives ‖∇L − g‖ of each
        (E, tensors)."""
        losses, changes = [], []
        for eta in etas.tolist():
            self.twin.move(direction, eta)
            loss, there = self.twin.gradient()
            losses.append(loss)
            changes.append(_norms(torch._foreach_sub(there, g)))
        by_tensor = torch.stack(changes)
        change, norm = (by_tensor * units).norm(dim=1), (_norms(g) * units).norm()
        beta = (change / (torch.from_numpy(etas).to(norm) * norm)).amax()
        figures = {"losses": torch.stack(losses), "changes": change, "norm": norm, "beta": beta}
        self._keep(**{f"{name}_{figure}": value for figure, value in figures.items()})
        return by_tensor

    def _random(self, length: Tensor) -> list[Tensor]:
        """The run's normal draws, turned by a drawn number of places: as good as fresh ones, and
        nothing to wait for on a GPU."""
        places = int(torch.randint(len(self.normal), (), generator=self.draws))
        turned = self.normal.roll(places).mul_(length / self.normal.norm())
        pieces = turned.split([p.numel() for p in self.twin.theta])
        return [x.view(p.shape) for x, p in zip(pieces, self.twin.theta, strict=True)]

    def _consecutive(self, step: int) -> None:
        """The run's own gradients: what step s has computed is still there before step s + 1."""
        weight = self.last.detach()
        if step >= 2 and (step - 2) % self.every == 0:
            self._keep(consecutive_changes=(self.last.grad - self.gradient).norm())
        if step >= 1 and (step - 1) % self.every == 0:
            self._keep(consecutive_moves=(weight - self.start).norm())
            self.gradient = self.last.grad.clone()
        if step % self.every == 0:
            self.start = weight.clone()

    def _keep(self, **figures: Tensor) -> None:
        for name, value in figures.items():
            self.found.setdefault(name, []).append(value)


def _norms(tensors: Sequence[Tensor]) -> Tensor:
    """The Euclidean norm of each."""
    return torch.stack(torch._foreach_norm(tensors))
