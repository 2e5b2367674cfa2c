"""Santurkar et al.'s deep linear network, trained in a plain loop: every step sees all samples.

Layers of 10 × 10 are too small for a card or for several threads. In float64, since a small
change of the gradient has to be told from rounding; with PyTorch's batch norm, which for so small a
layer takes half as long as ours.
"""

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.measure.before import layers_of, shifts
from bnlib.measure.loan import Loan
from bnlib.recipe import PROTOCOL, DeepLinear
from bnlib.records.provenance import code_version, device_name, provenance
from bnlib.run import Run
from bnlib.seeds import stream
from bnlib.training.process import THREADS, settings

KIND = torch.float64


def build(recipe: DeepLinear) -> nn.Sequential:
    """Linear layers without bias, from Xavier's weights, a norm between each two of them."""
    parts: list[nn.Module] = []
    for place in range(recipe.layers):
        layer = nn.Linear(recipe.width, recipe.width, bias=False, dtype=KIND)
        nn.init.xavier_uniform_(layer.weight, generator=stream(recipe.seed, "init", place))
        parts.append(layer)
        if recipe.norm == "batch" and place < recipe.layers - 1:
            parts.append(nn.BatchNorm1d(recipe.width, dtype=KIND))
    return nn.Sequential(*parts)


def task(recipe: DeepLinear) -> tuple[Tensor, Tensor]:
    """x and y = Ax, x and A standard normal: (samples, width) each."""
    draws = stream(recipe.seed, "task")
    x = torch.randn(recipe.samples, recipe.width, generator=draws, dtype=KIND)
    a = torch.randn(recipe.width, recipe.width, generator=draws, dtype=KIND)
    return x, x @ a.T


def loss_of(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The squared error, summed over samples and outputs."""
    return (model(x) - y).square().sum()


def train(recipe: DeepLinear, code: dict[str, Any] | None = None) -> Run:
    """The run: of every look the loss, and the arrays of the probe ``shift``."""
    started = time.perf_counter()
    with settings("fp32", "cpu"):
        arrays = _descend(recipe)
    found = {
        "device": device_name("cpu"),
        "device_kind": "cpu",
        "threads": THREADS,
        "seconds": time.perf_counter() - started,
        "protocol": PROTOCOL,
    }
    losses = [float(x) if np.isfinite(x) else None for x in arrays["shift_loss"]]
    summary = {"diverged": None in losses, "loss": losses[-1], "steps": recipe.steps}
    made = provenance(**(code or code_version()), **found)
    return Run(recipe, {"loss": losses}, summary, made, arrays)


def _descend(recipe: DeepLinear) -> dict[str, np.ndarray]:
    model, (x, y) = build(recipe), task(recipe)
    twin = build(recipe)
    params, theirs = list(model.parameters()), list(twin.parameters())
    loan = Loan(theirs, [p.detach().clone() for p in params], lambda: loss_of(twin, x, y))
    every = layers_of(twin, theirs, loan.loss)
    layers = [every[place - 1] for place in recipe.watched]
    rows: dict[str, list[Tensor]] = {}
    for step in range(recipe.steps):
        looks = step % recipe.probe_every == 0
        if looks:
            loan.theta = [p.detach().clone() for p in params]
        g = torch.autograd.grad(loss_of(model, x, y), params)
        with torch.no_grad():
            torch._foreach_add_(params, g, alpha=-recipe.lr)
        if looks:
            loan.stand(loan.theta)
            for name, value in shifts(loan, layers, [p.detach() for p in params]).items():
                rows.setdefault(f"shift_{name}", []).append(value)
    found = {name: torch.stack(values).numpy() for name, values in rows.items()}
    return found | {
        "shift_steps": np.arange(0, recipe.steps, recipe.probe_every),
        "shift_layers": np.array([f"layer {place}" for place in recipe.watched]),
    }
