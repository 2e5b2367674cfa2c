"""What each layer of a network gives and has: shapes and numbers of parameters."""

import torch
from torch import Tensor

from bnlib import models
from bnlib.book import plots
from bnlib.book.finals import Rows
from bnlib.recipe import Recipe


def layers(recipes: tuple[Recipe, ...], images: Tensor) -> Rows:
    """A row for each layer of networks that differ in their norm: its output for one of the
    ``images`` (N, C, H, W), and its parameters in each network."""
    rows: Rows = {}
    for recipe in recipes:
        network, x = models.build(recipe), images
        title = f"parameters, {plots.NAME[recipe.norm]}"
        with torch.no_grad():
            for name, layer in network.named_children():
                x = layer(x)
                shape = " × ".join(map(str, x.shape[1:]))
                rows.setdefault(name, {})["output"] = shape
                rows[name][title] = _count(layer) or "–"
        rows.setdefault("all", {"output": ""})[title] = _count(network)
    rows["all"] = rows.pop("all")
    return rows


def _count(module: torch.nn.Module) -> str:
    count = sum(p.numel() for p in module.parameters())
    return f"{count:,}" if count else ""
