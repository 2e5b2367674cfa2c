"""Internal covariate shift during a run: of some layers, every ``probe_every`` steps.

θ is where the step starts and θ' where it led to, so a step is sampled before the next one: its
weights, its batch and the state of its noise are kept until then. All gradients of a sample are
those of that batch, in training mode and with the same masks of dropout. The run's last step leads
nowhere that the probe would see.
"""

import dataclasses
from contextlib import AbstractContextManager

import numpy as np
import torch

from bnlib.data import as_input
from bnlib.measure.before import layers_of, shifts, some
from bnlib.measure.probe import Watched
from bnlib.measure.rows import Rows
from bnlib.measure.twin import Twin, TwinProbe, states_of


class Shift(TwinProbe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.steps = range(0, watched.steps - 1, watched.recipe.probe_every)
        self.images, self.labels = watched.images.clone(), watched.labels.clone()
        batch = dataclasses.replace(watched, images=self.images, labels=self.labels)
        self.twin, self.noise_kept = Twin(batch), states_of(watched.model)
        self.after = self.twin.theta  # the run's own weights, as they are
        self.twin.theta = [p.clone() for p in self.after]
        two = as_input(self.images[:2])  # which images does not matter to the order of the layers
        self.layers = some(
            layers_of(self.twin.model, self.twin.params, lambda: self.twin.model(two))
        )
        shape = (len(self.layers),)
        names = ("norm", "norm_after", "difference", "cosine", "change")
        count = max(1, len(self.steps))  # a graph's warm-up writes a row
        self.rows = Rows(count, self.after[0], loss=(), **dict.fromkeys(names, shape))

    def due(self, step: int) -> bool:
        return step - 1 in self.steps

    @torch.no_grad()
    def keep(self, step: int) -> None:
        if step in self.steps:
            torch._foreach_copy_(self.twin.theta, self.after)
            self.images.copy_(self.watched.images)
            self.labels.copy_(self.watched.labels)
            self.noise_kept = states_of(self.watched.model)

    def prepared(self) -> AbstractContextManager[None]:
        return self.twin.prepared(self.noise_kept)

    def sample(self) -> None:
        self.twin.begin()
        self.rows.write(**shifts(self.twin, self.layers, self.after))

    def result(self) -> dict[str, np.ndarray]:
        """The samples in float32, NaN where they are no numbers. S samples, L layers.

        ``shift_steps`` (S,): the steps that were looked at. ``shift_layers`` (L,): the layers'
        names, in the order of their use. ``shift_loss`` (S,): L(θ).

        (S, L) each: ``shift_norm`` ‖G‖, ``shift_norm_after`` ‖G'‖, ``shift_difference`` ‖G − G'‖,
        ``shift_cosine`` between G and G', and ``shift_change`` ‖θ' − θ‖ / ‖θ‖ over what is before
        the layer.
        """
        found = {f"shift_{name}": values for name, values in self.rows.read().items()}
        return found | {
            "shift_steps": np.array(self.steps[: len(found["shift_loss"])]),
            "shift_layers": np.array([layer.name for layer in self.layers]),
        }
