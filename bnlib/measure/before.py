"""Internal covariate shift by Definition 2.1 of Santurkar et al. (2018): how far the gradient of
one layer moves when the layers before it take their step.

For a layer with weights W_i, on one batch: G_i = ∇L by W_i at θ, and G'_i the same with all that
comes before the layer (weights, biases, γ, β) at θ', where the step leads to, and the layer itself
and what is behind it still at θ.

Layers, convolutions and linear ones, are counted in the order of their first use in a forward pass,
shortcuts too. Before a layer comes what its input is computed from: in a chain all that is used
earlier; of a residual block's two branches neither is before the other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node, get_gradient_edge
from torch.utils._pytree import tree_leaves

from bnlib.measure.lines import norms
from bnlib.measure.loan import Loan

KINDS = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)
ALWAYS = (5, 10)  # the layers that the paper shows, where there are so many
FEW = 4


@dataclass(frozen=True)
class Layer:
    name: str
    weight: Tensor
    before: tuple[int, ...]  # places among all parameters; none if its own weight is not there


def layers_of(
    model: nn.Module, params: Sequence[Tensor], forward: Callable[[], Any]
) -> list[Layer]:
    """The weight layers that ``forward``, a pass through ``model``, uses, in their order."""
    used: dict[nn.Module, list[Node]] = {}

    def note(layer: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        edges = [get_gradient_edge(x).node for x in tensors if x.requires_grad]
        used.setdefault(layer, []).extend(edges)

    names = {layer: name for name, layer in model.named_modules() if isinstance(layer, KINDS)}
    hooks = [layer.register_forward_pre_hook(note, with_kwargs=True) for layer in names]
    try:
        with torch.enable_grad():
            forward()
    finally:
        for hook in hooks:
            hook.remove()
    found = []
    for layer, nodes in used.items():
        weight, earlier = layer.weight, _leaves(nodes)
        earlier -= {id(p) for p in layer.parameters(recurse=False)}
        if not any(weight is p for p in params):  # frozen, or computed from others
            earlier = set()
        before = (place for place, p in enumerate(params) if id(p) in earlier)
        found.append(Layer(names[layer], weight, tuple(before)))
    return found


def some(layers: Sequence[Layer]) -> list[Layer]:
    """The fifth and the tenth layer, and up to four in all that stand far from each other; never
    one that nothing comes before."""
    left = {place: layer for place, layer in enumerate(layers, start=1) if layer.before}
    taken = {place: left.pop(place) for place in ALWAYS if place in left}
    while left and len(taken) < FEW:
        farthest = max(left, key=lambda place: min(abs(place - other) for other in (1, *taken)))
        taken[farthest] = left.pop(farthest)
    return [taken[place] for place in sorted(taken)]


def shifts(loan: Loan, layers: Sequence[Layer], after: Sequence[Tensor]) -> dict[str, Tensor]:
    """The loss at θ; and of each layer, (L,) each: ``norm`` ‖G‖, ``norm_after`` ‖G'‖, their
    ``difference`` ‖G − G'‖ and ``cosine``, and the ``change`` ‖θ' − θ‖ / ‖θ‖ of what is before it.
    ``after`` is θ'. A cosine with a gradient of 0 is NaN."""
    loss, gradients = loan.gradient([layer.weight for layer in layers])
    rows = []
    for layer, g in zip(layers, gradients, strict=True):
        point = list(loan.theta)
        for place in layer.before:
            point[place] = after[place]
        loan.stand(point)
        _, (there,) = loan.gradient([layer.weight])
        old, new = ([where[place] for place in layer.before] for where in (loan.theta, after))
        change = norms(torch._foreach_sub(new, old)).norm() / norms(old).norm()
        sizes = g.norm(), there.norm(), (g - there).norm()
        rows.append(torch.stack([*sizes, _cosine(g, there), change]))
    names = ("norm", "norm_after", "difference", "cosine", "change")
    return {"loss": loss} | dict(zip(names, torch.stack(rows, dim=1), strict=True))


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    """Exactly 1 where both are the same: √(x²) is x, while √x √x need not be."""
    a, b = one.double().flatten(), other.double().flatten()
    return (a.dot(b) / (a.dot(a) * b.dot(b)).sqrt()).to(one)


def _leaves(nodes: Iterable[Node]) -> set[int]:
    """The ids of the parameters that these nodes of autograd's graph are computed from."""
    found, seen, todo = set(), set(), list(nodes)
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):  # where a gradient would be accumulated
            found.add(id(node.variable))
        todo += [following for following, _ in node.next_functions]
    return found
