"""A run's network on loan: loss and gradient at any point, on the batch of the step to come.

The twin is a copy made once, so whatever is done to it the run keeps its weights, running averages,
gradients and optimiser state. It runs in training mode (each batch norm layer by the statistics of
the batch) and in full float32, whatever precision the training has.
"""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from bnlib.data import as_input
from bnlib.measure.loan import Loan, full_precision
from bnlib.measure.probe import Probe, Watched
from bnlib.measure.rows import Rows
from bnlib.models.dropout import noises
from bnlib.models.twin import twin_of


class Twin(Loan):
    def __init__(self, watched: Watched):
        model = twin_of(watched.model, training=True)
        theirs = [p.detach() for p in watched.model.parameters()]  # the run's own, as they are

        def loss() -> Tensor:
            return watched.criterion(model(as_input(watched.images)), watched.labels)

        super().__init__(model.parameters(), theirs, loss)
        self.watched, self.model, self.noises = watched, model, noises(model)

    @contextlib.contextmanager
    def prepared(self, noise: Sequence[Tensor] | None = None) -> Iterator[None]:
        """Around all that is done with the twin before one step: its dropout will draw what that
        step will draw (or what is drawn from the states ``noise``), and its products are those of
        float32."""
        states = states_of(self.watched.model) if noise is None else noise
        for mine, state in zip(self.noises, states, strict=True):
            mine.set_state(state)
        with full_precision():
            yield

    def begin(self) -> None:
        """To θ, and to new masks of dropout, which are then the same at every point."""
        for noise in self.noises:
            noise.hold()
        self.move(self.theta, 0.0)

    def changed(self) -> Iterator[Tensor]:
        yield from self.params
        yield from self.model.buffers()


class TwinProbe(Probe):
    """A probe that looks through a twin every ``probe_every`` steps, and keeps a row of each
    sample."""

    captures = True
    twin: Twin
    rows: Rows

    def due(self, step: int) -> bool:
        return step % self.watched.recipe.probe_every == 0

    def prepared(self) -> contextlib.AbstractContextManager[None]:
        return self.twin.prepared()

    def changed(self) -> Iterator[Tensor]:
        yield from self.rows.changed()
        yield from self.twin.changed()

    def noise(self) -> list[torch.Generator]:
        return [noise.generator for noise in self.twin.noises]


def states_of(model: nn.Module) -> list[Tensor]:
    """Where what ``model`` draws from stands."""
    return [noise.state() for noise in noises(model)]
