"""How the inputs of every layer are distributed over training: the distributional reading of
internal covariate shift (Ioffe & Szegedy 2015).

Looked at wherever a norm can stand, on the same validation images each time: ``before`` it, and
``after`` it, as the values reach the activation. The network is in training mode: batch norm by the
images' own statistics, injected noise and all. Without a norm both places are the same. A unit's
sample are its values for the images, of a picture at a few positions that are drawn once.

How far a unit's distribution travels is the Wasserstein-1 distance of its two samples, that is the
mean distance of their order statistics. It is taken over a single step of training and from one
look to the next, ``probe_every`` steps apart.
"""

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.data import as_input
from bnlib.measure.probe import Probe, Watched
from bnlib.measure.rows import Rows
from bnlib.models.twin import twin_of
from bnlib.seeds import stream

IMAGES = 256  # of the validation part
POSITIONS = 4  # of a picture, and at most all of them
QUANTILES = (0.05, 0.15, 0.5, 0.85, 0.95)
MOMENTS = ("mean", "sd", "skewness", "kurtosis")
PLACES = ("before", "after")
SMALLEST = 1e-6  # a spread below it is that of a unit that gives one value to every image

Samples = list[Tensor]  # (values, units), sorted: of all layers before the norm, then after it


class LayerInputs(Probe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.every = watched.recipe.probe_every
        self.steps = [step for step in range(watched.steps) if self.due(step)]
        self.taken = 0
        self.layers = list(norm_places(watched.model))
        like, both = next(watched.model.parameters()).detach(), 2 * len(self.layers)
        looks = sum(step % self.every == 0 for step in self.steps)
        shapes = {"moments": (both, len(MOMENTS)), "quantiles": (both, len(QUANTILES))}
        self.looks = Rows(looks, like, **shapes, own=(both,), raw=(both,))
        self.single = Rows(looks, like, own=(both,), raw=(both,))
        self.levels = torch.tensor(QUANTILES).to(like)
        self.positions: dict[str, Tensor] = {}
        self.look: Samples = []  # the last one

    def due(self, step: int) -> bool:
        return step % self.every <= 1

    @torch.no_grad()
    def sample(self) -> None:
        found = self._samples()
        pairs = zip(self.look or found, found, strict=True)
        own, raw = map(torch.stack, zip(*(distance(a, b) for a, b in pairs), strict=True))
        if self.steps[self.taken] % self.every:
            self.single.write(own=own, raw=raw)
        else:
            units = [x[:, x.shape[1] // 2] for x in found]
            quantiles = torch.stack([torch.quantile(x, self.levels) for x in units])
            moments = torch.stack([typical_moments(x) for x in found])
            self.looks.write(moments=moments, quantiles=quantiles, own=own, raw=raw)
            self.look = found
        self.taken += 1

    def result(self) -> dict[str, np.ndarray]:
        """S looks, L layers, each named by its convolution or linear layer; float32.

        ``inputs_steps`` (S,), ``inputs_layers`` (L,), ``inputs_levels`` (5,). For each place,
        before and after the norm: ``inputs_<place>_moments`` (S, L, 4), and for the unit in the
        middle ``inputs_<place>_quantiles`` (S, L, 5) at these levels.

        How far a unit travels, median over the units: ``inputs_<place>_step`` (S, L) in the step
        that follows a look, NaN where the run ended before, and ``inputs_<place>_look`` (S, L)
        since the look before, NaN at the first; in units of its own spread, the root mean square of
        the two standard deviations. The same as it is, mean over the units: ``…_raw``."""
        looks, single = self.looks.read(), self.single.read()
        count = len(looks["own"])
        for name in ("own", "raw"):
            looks[name][:1] = np.nan
            if self.every == 1:  # the next look is that after the step
                single[name] = looks[name][1:]
            missing = np.full((count - len(single[name]), looks[name].shape[1]), np.nan, "float32")
            single[name] = np.concatenate([single[name], missing])
        columns = {
            "moments": looks["moments"],
            "quantiles": looks["quantiles"],
            "step": single["own"],
            "look": looks["own"],
            "step_raw": single["raw"],
            "look_raw": looks["raw"],
        }
        starts = [step for step in self.steps if step % self.every == 0]
        found = {"steps": np.array(starts[:count]), "layers": np.array(self.layers)}
        found["levels"] = np.array(QUANTILES)
        for name, values in columns.items():
            halves = np.split(values, 2, axis=1)
            found |= {f"{place}_{name}": half for place, half in zip(PLACES, halves, strict=True)}
        return {f"inputs_{name}": values for name, values in found.items()}

    def _samples(self) -> Samples:
        twin, before, after = twin_of(self.watched.model, training=True), [], []
        for name, norm in norm_places(twin).items():

            def keep(norm: nn.Module, inputs: tuple[Tensor], output: Tensor, name=name) -> None:
                before.append(self._sorted(name, inputs[0]))
                after.append(self._sorted(name, output))

            norm.register_forward_hook(keep)
        twin(as_input(self.watched.data.val.images[:IMAGES]))
        return before + after

    def _sorted(self, name: str, x: Tensor) -> Tensor:
        """(values, units) of (N, units, …)."""
        pixels = x.flatten(2) if x.dim() > 2 else x.unsqueeze(2)
        if name not in self.positions:
            draws = stream(self.watched.recipe.seed, "layer_inputs", name)
            chosen = torch.randperm(pixels.shape[2], generator=draws)[:POSITIONS]
            self.positions[name] = chosen.to(x.device)
        some = pixels.index_select(2, self.positions[name])
        return some.transpose(1, 2).flatten(0, 1).sort(dim=0).values


def norm_places(model: nn.Module) -> dict[str, nn.Module]:
    """What stands where a norm can stand, by the name of the layer in front of it."""
    places, layer = {}, ""
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            layer = name
        elif name.rpartition(".")[2].startswith("norm"):
            places[layer] = module
    return places


def distance(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Wasserstein-1 between sorted samples (values, units): the median over the units in units of
    their spread, and the mean as it is."""
    raw = (one - other).abs().mean(0)
    variance = (one.var(0, correction=0) + other.var(0, correction=0)) / 2
    return (raw / variance.sqrt().clamp_min(SMALLEST)).median(), raw.mean()


def typical_moments(x: Tensor) -> Tensor:
    """Of a sample (values, units): root mean squares over the units of their mean and standard
    deviation, medians of their skewness (as a size) and excess kurtosis."""
    mean, sd = x.mean(0), x.std(0, correction=0)
    z = (x - mean) / sd.clamp_min(SMALLEST)
    skewness, kurtosis = z.pow(3).mean(0).abs().median(), z.pow(4).mean(0).median() - 3
    return torch.stack([mean.square().mean().sqrt(), sd.square().mean().sqrt(), skewness, kurtosis])
