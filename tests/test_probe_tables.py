"""The tables that a probe fills on the device hold what a slow probe with lists finds."""

import copy

import numpy as np
import pytest
import torch
from probing import SMALLEST, take, watched
from torch.nn import functional as F

from bnlib.measure import Watched
from bnlib.measure.landscape import Landscape
from bnlib.measure.rows import Rows
from bnlib.recipe import Recipe
from bnlib.seeds import stream


def test_tables_hold_the_bits_of_what_was_written_in_its_order():
    rng = stream("a test")
    rows = Rows(7, torch.zeros((), dtype=torch.float32), one=(), many=(3, 2))
    lists = {"one": [], "many": []}
    for count in range(1, 8):
        row = {"one": torch.randn((), generator=rng), "many": torch.randn(3, 2, generator=rng)}
        rows.write(**row)
        for name, value in row.items():
            lists[name].append(value.clone())
            value.zero_()
        found = rows.read()
        for name, values in lists.items():
            expected = torch.stack(values).numpy()
            assert found[name].shape == (count, *rows.tables[name].shape[1:])
            assert found[name].dtype == np.float32
            assert found[name].tobytes() == expected.tobytes()


def test_a_row_has_a_value_for_each_table_and_no_other():
    rows = Rows(2, torch.zeros(()), one=(), other=())
    with pytest.raises(KeyError, match="other"):
        rows.write(one=torch.zeros(()))
    with pytest.raises(TypeError, match="no table for third"):
        rows.write(one=torch.zeros(()), other=torch.zeros(()), third=torch.zeros(()))


class Listed:
    """The landscape as anyone would write it: a copy for every point, every number in a list."""

    def __init__(self, w: Watched):
        self.w, self.found = w, {}
        self.draws = stream(w.recipe.seed, "landscape")
        count = sum(p.numel() for p in w.model.parameters())
        self.normal = torch.randn(count, generator=self.draws)

    def look(self, step: int) -> None:
        if step % self.w.recipe.probe_every:
            return
        theta = [p.detach().clone() for p in self.w.model.parameters()]
        loss, g = self.at(theta)
        self.keep("steps", step)
        self.keep("loss", loss)
        self.keep("weight_norm", length(theta))
        weights = [i for i, p in enumerate(theta) if p.dim() > 1]
        self.keep("layer_norms", [g[i].norm().item() for i in weights])
        places = int(torch.randint(len(self.normal), (), generator=self.draws))
        turned = torch.roll(self.normal, places)
        turned = turned.to(theta[0]) * (length(g) / self.normal.double().norm())
        pieces = turned.split([p.numel() for p in theta])
        random = [x.view_as(p) for x, p in zip(pieces, theta, strict=True)]
        units = [p.norm() for p in theta]
        ones = [1.0] * len(theta)
        longer = [u**2 * one for u, one in zip(units, g, strict=True)]
        for line, direction, unit, reach in (
            ("gradient", g, ones, 1.0),
            ("random", random, ones, 1.0),
            ("scale_free", longer, units, 0.01),
        ):
            norm = length([u * a for u, a in zip(unit, g, strict=True)])
            losses, changes, layers = [], [], []
            etas = np.geomspace(*self.w.recipe.probe_etas, 8) * reach
            for eta in etas:
                loss, there = self.at([p - eta * d for p, d in zip(theta, direction, strict=True)])
                apart = [u * (a - b) for u, a, b in zip(unit, there, g, strict=True)]
                losses.append(loss)
                changes.append(length(apart))
                layers.append([apart[i].norm().item() for i in weights])
            self.keep(f"{line}_losses", losses)
            self.keep(f"{line}_changes", changes)
            self.keep(f"{line}_norm", norm)
            self.keep(f"{line}_beta", max(np.array(changes) / (etas * norm)))
            if line == "gradient":
                self.keep("layer_changes", layers)

    def at(self, params: list[torch.Tensor]) -> tuple[float, tuple[torch.Tensor, ...]]:
        net = copy.deepcopy(self.w.model).train()
        with torch.no_grad():
            for p, value in zip(net.parameters(), params, strict=True):
                p.copy_(value)
        loss = F.cross_entropy(net(self.w.images.permute(0, 3, 1, 2)), self.w.labels)
        return loss.item(), torch.autograd.grad(loss, list(net.parameters()))

    def keep(self, name: str, value) -> None:
        self.found.setdefault(name, []).append(value)


def length(tensors) -> float:
    return float(torch.cat([t.flatten() for t in tensors]).norm())


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(model="mlp", norm="batch", dataset="digits", batch_size=16),
        Recipe(model="vgg_a_light", norm="none", dropout=0.5, **SMALLEST),
        Recipe(model="alexnet", norm="torch", dropout=0.2, dropout_at="conv", **SMALLEST),
    ],
    ids=str,
)
def test_the_tables_are_the_lists_of_a_slow_probe(recipe):
    recipe = recipe.but(probes=("landscape",), probe_every=4)
    w = watched(recipe, steps=12, dtype=torch.float64)
    probe, slow = Landscape(w), Listed(w)
    rng = stream("a test", 2)
    for step in range(10):  # of 12; weights, batch and noise move on as in a run
        if probe.due(step):
            take(probe)
        slow.look(step)
        with torch.no_grad():
            for p in w.model.parameters():
                p.add_(0.02 * torch.randn(p.shape, generator=rng, dtype=p.dtype))
            w.images.copy_(w.images.roll(1, 0))
            w.model(w.images.permute(0, 3, 1, 2))
    found = probe.result()
    assert set(slow.found) | {"etas", "scale_free_etas", "layers"} == set(found)
    assert found["steps"].tolist() == slow.found.pop("steps") == [0, 4, 8]
    for name, values in slow.found.items():
        assert found[name].dtype == np.float64
        assert found[name] == pytest.approx(np.array(values), rel=1e-6, abs=1e-12), name
