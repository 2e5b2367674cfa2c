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
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.measure.lines import along, norms, scale_free, shaped
from bnlib.measure.probe import Watched
from bnlib.measure.rows import Rows
from bnlib.measure.twin import Twin, TwinProbe
from bnlib.seeds import stream

POINTS = 8  # step sizes
SCALE_FREE = 0.01  # η in units of a layer's norm moves it by η‖W_l‖² ‖g_l‖, and ‖W_l‖ is 10 or more


class Landscape(TwinProbe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.steps = range(0, watched.steps, watched.recipe.probe_every)
        self.twin = Twin(watched)
        params = list(watched.model.parameters())
        owners = {
            id(layer.weight): name
            for name, layer in watched.model.named_modules()
            if isinstance(layer, nn.Conv2d | nn.Linear)
        }
        self.layers = {i: owners[id(p)] for i, p in enumerate(params) if id(p) in owners}
        etas = np.geomspace(*watched.recipe.probe_etas, POINTS)
        self.etas = {"gradient": etas, "random": etas, "scale_free": SCALE_FREE * etas}
        shapes = {"loss": (), "weight_norm": (), "layer_norms": (len(self.layers),)}
        shapes["layer_changes"] = (POINTS, len(self.layers))
        for line in self.etas:
            shapes |= {f"{line}_losses": (POINTS,), f"{line}_changes": (POINTS,)}
            shapes |= {f"{line}_norm": (), f"{line}_beta": ()}
        like = params[0].detach()
        self.rows = Rows(len(self.steps), like, **shapes)
        # a sample takes these from the device, where they are at hand
        self.divisors = {line: torch.from_numpy(etas).to(like) for line, etas in self.etas.items()}
        self.weights = torch.tensor(list(self.layers), device=like.device)
        draws, count = stream(watched.recipe.seed, "landscape"), sum(p.numel() for p in params)
        self.normal = torch.randn(count, generator=draws).to(like)
        self.turns = torch.randint(count, (len(self.steps),), generator=draws).to(like.device)
        self.places = torch.arange(count, device=like.device)

    def sample(self) -> None:
        self.twin.begin()
        loss, g = self.twin.gradient()
        by_tensor = norms(g)  # (tensors,)
        ones = torch.ones_like(by_tensor)
        longer, sizes = scale_free(self.twin.theta, g)
        figures, changes = self._line("gradient", g, g, ones)
        figures |= {
            "loss": loss,
            "weight_norm": sizes.norm(),
            "layer_norms": by_tensor.index_select(0, self.weights),
            "layer_changes": changes.index_select(1, self.weights),
        }
        figures |= self._line("random", g, self._random(by_tensor.norm()), ones)[0]
        figures |= self._line("scale_free", g, longer, sizes)[0]
        self.rows.write(**figures)

    def result(self) -> dict[str, np.ndarray]:
        """The samples in float32, NaN where they are no numbers. S samples, E step sizes, L layers.

        ``steps`` (S,), ``etas`` and ``scale_free_etas`` (E,); ``layers`` (L,): the names of the
        convolutions and linear layers, whose weights (not biases) are meant below.

        ``loss`` and ``weight_norm`` (S,): L(θ) and ‖θ‖. For each line: ``<line>_losses`` (S, E);
        ``<line>_changes`` (S, E), the numerator above; ``<line>_norm`` (S,), ‖g‖ or ‖ĝ‖;
        ``<line>_beta`` (S,), the smoothness.

        ``layer_norms`` (S, L) and ``layer_changes`` (S, E, L): the gradient line's, layer by layer.
        """
        found = self.rows.read()
        return found | {
            "steps": np.array(self.steps[: len(found["loss"])]),
            "etas": self.etas["gradient"],
            "scale_free_etas": self.etas["scale_free"],
            "layers": np.array(list(self.layers.values())),
        }

    def _line(
        self, name: str, g: Sequence[Tensor], direction: Sequence[Tensor], units: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        etas = self.etas[name].tolist()
        found, by_tensor = along(self.twin, direction, etas, self.divisors[name], g, units)
        return {f"{name}_{figure}": value for figure, value in found.items()}, by_tensor

    def _random(self, length: Tensor) -> list[Tensor]:
        """The run's normal draws, turned by a drawn number of places: as good as fresh ones."""
        turn = self.turns.index_select(0, self.rows.next())
        turned = self.normal.index_select(0, (self.places - turn) % len(self.normal))
        return shaped(turned.mul_(length / self.normal.norm()), self.twin.theta)
