"""What is recorded, what is missing, and about how long it would take on this kind of machine."""

import statistics
from collections.abc import Iterable, Sequence

from bnlib.book.chapter import experiments_of
from bnlib.book.layout import Book
from bnlib.paths import RECORDED
from bnlib.recipe import Recipe, Timing
from bnlib.records.store import Store

PROFILES = ("laptop", "paper")
ALIKE = ("model", "width", "image_size", "dataset")  # what a step's time hangs on, most of all


class Pace:
    """Seconds an epoch of recorded runs, by what makes a run long."""

    def __init__(self, store: Store):
        self.seconds: dict[tuple, list[float]] = {}
        for run in store:
            if isinstance(run.recipe, Recipe):
                epochs = max(1, run.summary.get("epochs") or run.recipe.epochs)
                self.seconds.setdefault(_kind(run.recipe), []).append(
                    run.provenance["seconds"] / epochs
                )

    def minutes(self, recipes: Iterable[Recipe | Timing]) -> tuple[float, int]:
        """Those of the recipes whose like is recorded, and how many others there are."""
        known, others = 0.0, 0
        for recipe in recipes:
            seconds = self.seconds.get(_kind(recipe)) if isinstance(recipe, Recipe) else None
            if seconds:
                known += statistics.median(seconds) * recipe.epochs / 60
            else:
                others += 1
        return known, others


def _kind(recipe: Recipe) -> tuple:
    return tuple(getattr(recipe, name) for name in ALIKE)


def say(missing: Sequence[Recipe | Timing], pace: Pace) -> str:
    """Such as "12 runs missing: about 25 minutes on one core"."""
    minutes, others = pace.minutes(missing)
    many = f"{len(missing)} run{'s' * (len(missing) != 1)} missing"
    if others == len(missing):
        return f"{many}: nothing like them is recorded; `cost` estimates their time"
    more = f", and {others} of which nothing alike is recorded" * bool(others)
    return f"{many}: about {max(1, round(minutes))} minutes, one run at a time{more}"


def status(chapters: list[str], book: Book | None = None) -> None:
    """Print, chapter by chapter, the recorded runs of each experiment at both scales."""
    book, store = book or Book(), Store(RECORDED)
    pace = Pace(store)
    for path in book.pick(chapters):
        at = experiments_of(book.root / path)
        scales = {profile: at(profile) for profile in PROFILES}
        if not any(any(some.values()) for some in scales.values()):
            print(f"{path.stem}: nothing is trained")
            continue
        print(f"{path.stem:20}" + "".join(f"{profile:>16}" for profile in PROFILES))
        for name in dict.fromkeys(name for some in scales.values() for name in some):
            cells = (_count(some.get(name, []), store) for some in scales.values())
            print(f"  {name:18}" + "".join(f"{cell:>16}" for cell in cells))
        for profile, some in scales.items():
            every = dict.fromkeys(recipe for recipes in some.values() for recipe in recipes)
            missing = [recipe for recipe in every if recipe not in store]
            if missing:
                print(f"  {profile}: {say(missing, pace)}")


def _count(recipes: Sequence[Recipe | Timing], store: Store) -> str:
    every = set(recipes)
    return f"{sum(r in store for r in every)} of {len(every)}" if every else "–"
