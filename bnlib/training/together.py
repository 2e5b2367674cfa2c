"""One run, or several that take turns on one card.

On a CPU a run uses one thread: its bits depend on the number, and two runs side by side are faster
than one run on two threads.
"""

import collections
import contextlib
import itertools
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import torch

from bnlib.recipe import Recipe
from bnlib.run import Run
from bnlib.training.process import settings
from bnlib.training.train import training


def train(recipe: Recipe, device: str = "cpu", code: dict[str, Any] | None = None) -> Run:
    """Train ``recipe`` on ``device`` and give its Run; a run that diverges is a result too."""
    return next(together([recipe], device, 1, code))


def together(
    recipes: Iterable[Recipe], device: str, k: int, code: dict[str, Any] | None = None
) -> Iterator[Run]:
    """The runs in the order in which they end: ``k`` at a time take turns, on a card each on a
    stream of its own. A run's bits do not depend on what runs beside it.

    The next recipe is asked for when a run has ended; one of another precision waits until all
    have, since precision holds for the whole process."""
    for precision, group in itertools.groupby(recipes, key=lambda recipe: recipe.precision):
        with settings(precision, device):
            yield from _in_turn((training(recipe, device, code) for recipe in group), device, k)


def _in_turn(runs: Iterator[Generator[None, None, Run]], device: str, k: int) -> Iterator[Run]:
    def lane() -> contextlib.AbstractContextManager:
        on_card = device.startswith("cuda") and k > 1
        return torch.cuda.stream(torch.cuda.Stream()) if on_card else contextlib.nullcontext()

    turns = collections.deque((run, lane()) for run in itertools.islice(runs, k))
    while turns:
        run, own_stream = turns.popleft()
        try:
            with own_stream:
                next(run)
        except StopIteration as ended:
            yield ended.value
            turns.extend((run, lane()) for run in itertools.islice(runs, 1))
        else:
            turns.append((run, own_stream))
