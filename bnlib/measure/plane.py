"""The loss on a plane through the trained weights, after the last epoch (Li et al. 2018).

Two random directions, each filter of which (each row of a weight matrix) is scaled to the length of
the filter that it moves; γ, β and biases stay where they are. The loss is that of a fixed set of
training images. Batch norm uses these images' own statistics: the running averages belong to the
weights in the middle of the plane and to no others.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bnlib.data import as_input
from bnlib.measure.probe import Probe
from bnlib.models.twin import twin_of
from bnlib.seeds import stream

IMAGES = 1000  # of the training part, and at most a twentieth of it
POINTS = 17  # a side
REACH = 1.0  # the weights' own length


def filterwise(weight: Tensor, rng: torch.Generator) -> Tensor:
    """A random direction with the length of ``weight`` in every filter."""
    direction = torch.randn(weight.shape, generator=rng).to(weight).flatten(1)
    lengths = weight.flatten(1).norm(dim=1) / direction.norm(dim=1)
    return (direction * lengths[:, None]).view_as(weight)


@torch.no_grad()
def loss_plane(
    weights: list[Tensor],
    directions: tuple[list[Tensor], list[Tensor]],
    coordinates: Tensor,
    loss: Callable[[], Tensor],
) -> Tensor:
    """``loss()`` with ``weights`` moved, in place, to every point of the plane; then put back."""
    centre = [w.clone() for w in weights]
    rows = []
    for a in coordinates:
        row = []
        for b in coordinates:
            for w, start, one, two in zip(weights, centre, *directions, strict=True):
                w.copy_(start + a * one + b * two)
            row.append(loss())
        rows.append(torch.stack(row))
    for w, start in zip(weights, centre, strict=True):
        w.copy_(start)
    return torch.stack(rows)


class Plane(Probe):
    def result(self) -> dict[str, np.ndarray]:
        """``plane`` (POINTS, POINTS): losses; ``plane_coordinates`` (POINTS,): −1 to 1."""
        w = self.watched
        twin = twin_of(w.model, training=True, dropout=False)
        train = w.data.train
        count = min(IMAGES, len(train) // 20)
        images, labels = train.images[:count], train.labels[:count]
        weights = [p.detach() for p in twin.parameters() if p.dim() > 1]
        directions = tuple(
            [
                filterwise(weight, stream(w.recipe.seed, "plane", axis, place))
                for place, weight in enumerate(weights)
            ]
            for axis in range(2)
        )
        coordinates = torch.linspace(-REACH, REACH, POINTS)
        found = loss_plane(
            weights,
            directions,
            coordinates,
            lambda: w.criterion(twin(as_input(images)).float(), labels),
        )
        return {"plane": found.cpu().numpy(), "plane_coordinates": coordinates.numpy()}
