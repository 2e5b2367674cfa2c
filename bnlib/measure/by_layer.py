"""Rulers of a network's layers: what a step of the others does to each, how long its gradient is,
and what changes between training and evaluation."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.errors import BookError
from bnlib.measure.before import Layer, layers_of, shifts, some
from bnlib.measure.borrowed import Batch, Criterion, as_it_was, borrowed, finite, outputs
from bnlib.measure.lines import norms
from bnlib.measure.variance_shift import input_variances

SHOWN = 12  # rows of a table
WIDE = 88  # letters of a line that is printed


@dataclass(frozen=True, eq=False)
class LayerShift:
    """Of each layer, (L,): its gradient before and after the step of what comes before it."""

    step: float | None  # the rate of a plain gradient step; None where a state was given
    loss: float
    layers: tuple[str, ...]  # in the order of their use
    norm: np.ndarray  # ‖G‖
    norm_after: np.ndarray  # ‖G'‖
    difference: np.ndarray  # ‖G − G'‖
    cosine: np.ndarray  # between G and G'
    change: np.ndarray  # ‖θ' − θ‖ / ‖θ‖ over what is before the layer

    @property
    def relative(self) -> np.ndarray:
        """‖G − G'‖ / ‖G‖: 0 where nothing shifts."""
        return self.difference / self.norm

    def __repr__(self) -> str:
        step = "the step given" if self.step is None else f"a gradient step of {self.step:g}"
        return _table(
            "Internal covariate shift (Santurkar et al. 2018, Definition 2.1) on one batch of loss "
            f"{self.loss:.4g}, in training mode: how far each layer's gradient G moves when all "
            f"that comes before it takes {step}. 0 and cosine 1: not at all.",
            ("layer", "|G|", "|G - G'|/|G|", "cosine", "change before it"),
            list(zip(self.layers, self.norm, self.relative, self.cosine, self.change, strict=True)),
        )


@dataclass(frozen=True, eq=False)
class GradientNorms:
    """Of each trainable parameter tensor, (P,): the norm of its gradient, and its own."""

    loss: float
    names: tuple[str, ...]
    norms: np.ndarray  # ‖∂L/∂W‖
    sizes: np.ndarray  # ‖W‖

    @property
    def total(self) -> float:
        """Of all together."""
        return float(np.linalg.norm(self.norms))

    def __repr__(self) -> str:
        relative = self.norms / np.where(self.sizes > 0, self.sizes, np.nan)
        return _table(
            f"The gradient of the loss ({self.loss:.4g}) of one batch by each trainable parameter, "
            f"in training mode; {self.total:.4g} long in all. A step of gradient descent changes "
            "a tensor by the rate times the last column, relative to its size.",
            ("parameter", "|g|", "|W|", "|g|/|W|"),
            list(zip(self.names, self.norms, self.sizes, relative, strict=True)),
        )


@dataclass(frozen=True, eq=False)
class VarianceShift:
    """Of each layer that keeps running averages, per channel: the variance of what comes in."""

    layers: tuple[str, ...]  # in the order of their use
    training: tuple[np.ndarray, ...]  # (C,) each
    evaluation: tuple[np.ndarray, ...]

    @property
    def ratio(self) -> np.ndarray:
        """(L,): evaluation / training, the median over the channels."""
        pairs = zip(self.evaluation, self.training, strict=True)
        return np.array([np.median(after / before) for after, before in pairs])

    def __repr__(self) -> str:
        return _table(
            "The variance that reaches each layer with running averages, on the same inputs in "
            "training and in evaluation mode (median over channels). A ratio far from 1: in "
            "evaluation the layer meets another variance than the one it has learned.",
            ("layer", "training", "evaluation", "ratio"),
            [
                (name, np.median(one), np.median(other), ratio)
                for name, one, other, ratio in zip(
                    self.layers, self.training, self.evaluation, self.ratio, strict=True
                )
            ],
        )


def shift(
    model: nn.Module,
    criterion: Criterion,
    batch: Batch,
    step: float | Mapping[str, Tensor],
    layers: Sequence[str] | None = None,
) -> LayerShift:
    """How far the gradients of some layers move when what comes before each takes its step.

    ``step`` is the rate of a plain gradient step on this batch; or, for any other optimiser, the
    ``state_dict()`` that its step has led to from here. ``layers`` names convolutions or linear
    layers; without it four are chosen. What is before a layer is told in ``before``."""
    state = step if isinstance(step, Mapping) else None
    if state is None and not (np.isfinite(step) and step >= 0):
        raise BookError(f"step is a learning rate of 0 or more, or a state_dict, not {step!r}")
    with borrowed(model, criterion, batch) as loan:
        found = layers_of(model, loan.params, lambda: outputs(model, batch[0]))
        chosen = _chosen(model, found, layers)
        if state is None:
            loss, g = loan.gradient()
            after = torch._foreach_sub(loan.theta, torch._foreach_mul(g, float(step)))
        else:
            loss, after = loan.loss().detach(), _weights(model, state)
        here = finite(loss)
        numbers = {
            name: value.double().cpu().numpy()
            for name, value in shifts(loan, chosen, after).items()
            if name != "loss"
        }
    names = tuple(layer.name for layer in chosen)
    return LayerShift(None if state is not None else float(step), here, names, **numbers)


def gradient_norms(model: nn.Module, criterion: Criterion, batch: Batch) -> GradientNorms:
    """How long the gradient of the batch's loss by each trainable parameter is."""
    names = tuple(name for name, p in model.named_parameters() if p.requires_grad)
    with borrowed(model, criterion, batch) as loan:
        loss, g = loan.gradient()
        here = finite(loss)
        lengths = (norms(x).double().cpu().numpy() for x in (g, loan.theta))
        return GradientNorms(here, names, *lengths)


def variance_shift(model: nn.Module, inputs: Any) -> VarianceShift:
    """What batch norm layers meet in training against what they meet in evaluation.

    Dropout in front of one raises the variance while it is active (Li et al. 2019), and running
    averages lag behind weights that move fast."""
    modes = {}
    with as_it_was(model) as again, torch.no_grad():
        for training in (True, False):
            again()
            model.train(training)
            found = input_variances(model, lambda: outputs(model, inputs))
            modes[training] = {name: x.double().cpu().numpy() for name, x in found.items()}
    if not modes[True]:
        raise BookError(
            f"this {type(model).__name__} has no layer that keeps running averages: variance_shift "
            "is about batch norm and its like"
        )
    names = tuple(modes[True])
    return VarianceShift(names, *(tuple(modes[mode][n] for n in names) for mode in (True, False)))


def _chosen(
    model: nn.Module, found: Sequence[Layer], names: Sequence[str] | None
) -> Sequence[Layer]:
    usable = {layer.name: layer for layer in found if layer.before}
    if not usable:
        raise BookError(
            f"this {type(model).__name__} uses no trainable convolution or linear layer with "
            "trainable parameters before it"
        )
    if names is None:
        return some(found)
    if not names or not usable.keys() >= set(names):
        raise BookError(f"no layers {list(names)}: choose one or more of {', '.join(usable)}")
    return [usable[name] for name in names]


def _weights(model: nn.Module, state: Mapping[str, Tensor]) -> list[Tensor]:
    """The trainable parameters as ``state`` has them."""
    after = []
    for name, p in model.named_parameters():
        if p.requires_grad:
            if name not in state or state[name].shape != p.shape:
                raise BookError(f"step has no parameter {name!r} of shape {tuple(p.shape)}")
            after.append(state[name].detach().to(p))
    return after


def _table(says: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A sentence and its numbers, the first and last rows where there are many."""
    texts = [
        [name, *("-" if np.isnan(x) else f"{x:.3g}" for x in numbers)] for name, *numbers in rows
    ]
    if len(texts) > SHOWN:
        half = SHOWN // 2
        texts[half:-half] = [["...", *[""] * (len(columns) - 1)]]
    texts.insert(0, list(columns))
    widths = [max(len(row[place]) for row in texts) for place in range(len(columns))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [x.rjust(w) for x, w in zip(row[1:], widths[1:], strict=True)]
        )
        for row in texts
    ]
    return "\n".join([textwrap.fill(says, WIDE), *(f"  {line.rstrip()}" for line in lines)])
