"""Study: the recipes of one chapter, replayed from records or trained.

What a study returns is always read back from the disk, so that a live run and a replayed one
print the same to the last digit.
"""

import contextlib
import itertools
import math
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bnlib.book.progress import Progress
from bnlib.errors import BookError, NoData
from bnlib.paths import FRESH, RECORDED, SCRATCH
from bnlib.recipe import AnyRecipe, DeepLinear, Recipe, Timing
from bnlib.records.provenance import code_version
from bnlib.records.store import Store
from bnlib.run import Run, Runs

Experiments = dict[str, list[AnyRecipe]]
MOST_WORKERS = 64


class Unfinished(BookError):
    """The time budget is used up; what was trained is recorded."""


def check_limits(workers: int, budget: float | None, together: int = 1) -> None:
    """Refuse what no machine can do, before anything is loaded."""
    if not 1 <= workers <= MOST_WORKERS:
        raise BookError(
            f"workers {workers} is out of range: choose 1 to {MOST_WORKERS}, "
            f"at most one for each processor core or a few for each card"
        )
    if not 1 <= together <= MOST_WORKERS:
        raise BookError(f"together {together} is out of range: choose 1 to {MOST_WORKERS} runs")
    if budget is not None and not (budget >= 0 and math.isfinite(budget)):
        raise BookError(f"budget {budget:g} is out of range: give seconds, 0 or more")


class Study:
    """``name`` is the folder of its records; ``workers`` processes train side by side, or
    ``together`` runs take turns in one process."""

    def __init__(
        self,
        name: str,
        profile: str,
        device: str = "cpu",
        fresh: bool = False,
        workers: int = 1,
        together: int = 1,
        budget: float | None = None,  # seconds of training
        root: Path | None = None,  # where its records lie, instead of the profile's own place
    ):
        check_limits(workers, budget, together)
        self.name, self.profile, self.device = name, profile, device
        self.workers, self.together, self.budget = workers, together, budget
        place = FRESH if fresh else SCRATCH if profile == "smoke" else RECORDED
        self.store = Store(root or place)
        if fresh:
            self.store.paths.clear()  # nothing counts as recorded; each run replaces its record

    def __repr__(self) -> str:
        return f"Study({self.name!r}, {self.profile!r}, {self.store!r})"

    def missing(self, recipes: Iterable[Recipe]) -> list[Recipe]:
        """Those without a record, each once, in their order."""
        return [r for r in dict.fromkeys(recipes) if r not in self.store]

    def run(self, experiments: Experiments) -> dict[str, Runs]:
        """The runs of every experiment; trains what has no record, experiment by experiment."""
        try:
            self.train(self.missing(r for recipes in experiments.values() for r in recipes))
        except NoData as why:
            first, *others = (name for name, recipes in experiments.items() if recipes)
            if self.missing(experiments[first]):
                raise  # what the page turns on
            left_out = [name for name in others if self.missing(experiments[name])]
            print(f"not recorded: {', '.join(left_out)}. {why}", file=sys.stderr)
            experiments = experiments | {name: [] for name in left_out}
        return {
            name: Runs(self.store.find(recipe) for recipe in recipes)
            for name, recipes in experiments.items()
        }

    def train(self, recipes: list[AnyRecipe]) -> None:
        """Train and record ``recipes``, each record as soon as its run ends; then deep linear
        networks, one by one; timings at the end, when nothing runs beside them. Where a data set
        cannot be had, NoData is raised when all others are recorded."""
        if not recipes:
            return
        _check([r for r in recipes if isinstance(r, Timing)])
        recipes, waiting, why = _with_data(recipes)
        code = code_version()
        started, longest, done = time.monotonic(), 0.0, 0

        def within_budget(some: list) -> Iterator:
            for recipe in some:
                spent = time.monotonic() - started
                if self.budget is not None and spent + longest > self.budget:
                    return
                yield recipe

        runs = within_budget([r for r in recipes if isinstance(r, Recipe)])
        linear = within_budget([r for r in recipes if isinstance(r, DeepLinear)])
        timings = within_budget([r for r in recipes if isinstance(r, Timing)])
        # closed at once, whatever happens here: workers must not go on training
        trained = contextlib.closing(self._trained(runs, code))
        with Progress(self.name, len(recipes)) as progress, trained as runs:
            for run in itertools.chain(runs, _linear(linear, code), _timed(timings, code)):
                self.store.write(self.name, run)
                longest = max(longest, run.provenance["seconds"])
                done += 1
                progress.finished(run)
        if done < len(recipes):
            raise Unfinished(
                f"{self.name}: {done} runs recorded within the budget of {self.budget:g} s, "
                f"{len(recipes) - done} left: the same command goes on with them"
            )
        if waiting:
            raise NoData(f"{self.name}: {len(waiting)} runs could not be made: {why}")

    def _trained(self, recipes: Iterator[Recipe], code: dict[str, Any]) -> Iterator[Run]:
        # torch and Dask are imported only where something trains
        if self.workers > 1:
            from bnlib.training.workers import side_by_side

            yield from side_by_side(recipes, self.device, code, self.workers)
        else:
            from bnlib.training.devices import use
            from bnlib.training.together import together

            yield from together(recipes, use(self.device), self.together, code)


def _with_data(recipes: list[AnyRecipe]) -> tuple[list[AnyRecipe], list[AnyRecipe], str]:
    """Those whose data set is here or to be had, the others, and why not."""
    from bnlib.data import absent

    missing = absent(dict.fromkeys(r.dataset for r in recipes if isinstance(r, Recipe)))
    waiting = [r for r in recipes if isinstance(r, Recipe) and r.dataset in missing]
    left = [r for r in recipes if r not in waiting]
    return left, waiting, "; ".join(missing.values())


def _check(timings: list[Timing]) -> None:
    for timing in timings:
        from bnlib.training.timing import check

        check(timing)


def _linear(recipes: Iterator[DeepLinear], code: dict[str, Any]) -> Iterator[Run]:
    for recipe in recipes:
        from bnlib.training.deep_linear import train

        yield train(recipe, code)


def _timed(timings: Iterator[Timing], code: dict[str, Any]) -> Iterator[Run]:
    for timing in timings:
        from bnlib.training.timing import measure

        yield measure(timing, code)
