"""Run: what a recipe gave. Runs: those of one experiment, and the ways a chapter looks at them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bnlib.recipe import AnyRecipe
from bnlib.scale import Scale


@dataclass(frozen=True)
class Run:
    """History (one list a column), final summary, the probes' arrays, and provenance."""

    recipe: AnyRecipe
    history: dict[str, list[float | None]]
    summary: dict[str, Any]
    provenance: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def __repr__(self) -> str:
        if "test_acc" not in self.summary:
            return f"Run({self.recipe.id}, {type(self.recipe).__name__})"
        state = "diverged" if self.summary["diverged"] else f"test {self.summary['test_acc']:.2%}"
        return f"Run({self.recipe.id}, {state})"


class Runs:
    """``profile``: the one whose recipes these runs are of, where that is known."""

    def __init__(self, runs: Iterable[Run], profile: str | None = None):
        self.runs, self.profile = list(runs), profile

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, place: int) -> Run:
        return self.runs[place]

    def __repr__(self) -> str:
        return f"Runs({len(self)})"

    def where(self, **fields: Any) -> "Runs":
        """Those whose recipe has these values, by seed."""
        chosen = [
            r for r in self if all(getattr(r.recipe, name) == v for name, v in fields.items())
        ]
        return Runs(sorted(chosen, key=lambda run: run.recipe.seed), self.profile)

    @property
    def scale(self) -> Scale:
        """How large these runs are; ``str`` of it is one line for a caption."""
        return Scale.of(self.runs, self.profile)

    def by(self, field: str) -> dict[Any, "Runs"]:
        """The runs of each value of a recipe's field."""
        return {value: self.where(**{field: value}) for value in self.values(field)}

    def values(self, field: str) -> list[Any]:
        """The different values of a recipe's field, in the order they come."""
        return list(dict.fromkeys(getattr(run.recipe, field) for run in self))

    def final(self, column: str) -> np.ndarray:
        """One number a run from its summary (None, of a diverged run, as NaN)."""
        return np.array([run.summary[column] for run in self], dtype=float)

    def array(self, name: str) -> np.ndarray:
        """(runs, …) of an array that a probe recorded; NaN where a run stopped earlier."""
        return _stacked([run.arrays[name] for run in self])

    def history(self, column: str) -> np.ndarray:
        """(runs, epochs); NaN where a run stopped earlier or diverged."""
        epochs = max(run.recipe.epochs for run in self)
        return _stacked([np.array(run.history[column], float) for run in self], epochs)


def joined(*several: Runs) -> Runs:
    """All of them, of the profile that they share."""
    profiles = {some.profile for some in several if len(some)}
    shared = profiles.pop() if len(profiles) == 1 else None
    return Runs((run for some in several for run in some), shared)


def of_the_same_seeds(*arms: Runs) -> list[Runs]:
    """The arms without the runs whose seed another arm lacks."""
    shared = set.intersection(*({run.recipe.seed for run in arm} for arm in arms))
    return [Runs((r for r in arm if r.recipe.seed in shared), arm.profile) for arm in arms]


def _stacked(rows: list[np.ndarray], length: int = 0) -> np.ndarray:
    """Arrays that may differ in the length of their first axis, one above the other."""
    length = max(length, *(len(row) for row in rows))
    if all(len(row) == length for row in rows):
        return np.stack(rows)
    table = np.full((len(rows), length, *rows[0].shape[1:]), np.nan)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return table
