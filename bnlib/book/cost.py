"""What the chapters' experiments cost before they are run: a table in print."""

from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from bnlib.book.chapter import experiments_of
from bnlib.book.layout import Book
from bnlib.book.progress import Terminal
from bnlib.price.cards import Card, card
from bnlib.price.trace import Work, total
from bnlib.price.work import work_of
from bnlib.recipe import AnyRecipe
from bnlib.study import Experiments, Study

HEAD = f"{'':14}{'runs':>6}{'missing':>9}{'M launches':>12}{'PFLOP':>9}{'TB':>9}"
ESTIMATES = (
    "All estimates: what one step, evaluation and probe would do is counted, the time is computed; "
    "a real run may take half as long or twice."
)


@dataclass(frozen=True)
class Row:
    """Some runs, each counted once, and what they cost."""

    name: str
    runs: int
    missing: int
    work: Work
    seconds: dict[str, float]
    recorded: float | None  # seconds, where all runs were recorded on a device of the card's kind

    def __str__(self) -> str:
        counted = {what: total(self.work, what) for what in ("launches", "flop", "bytes")}
        minutes = "".join(f"{seconds / 60:15.1f}" for seconds in self.seconds.values())
        recorded = "-" if self.recorded is None else f"{self.recorded / 60:.1f}"
        return (
            f"{self.name:14}{self.runs:6}{self.missing:9}{counted['launches'] / 1e6:12.1f}"
            f"{counted['flop'] / 1e15:9.2f}{counted['bytes'] / 1e12:9.1f}{minutes}{recorded:>15}"
        )


def cost(profile: str, chapters: list[str], on: str, book: Book | None = None) -> None:
    """Print what ``profile`` costs on the card ``on``, chapter by chapter, the dearest experiment
    first."""
    book = book or Book()
    paths = book.pick(chapters)
    priced = card(on)
    print(f"Profile {profile} on {priced.says}.")
    print(ESTIMATES)
    for path in paths:
        rows = priced_chapter(book.root / path, profile, priced)
        if rows:
            ways = "".join(f"{way + ', min':>15}" for way in [*rows[0].seconds, "recorded"])
            print(f"\n{path.stem}", f"{HEAD}{ways}", *rows, sep="\n")


def priced_chapter(path: Path, profile: str, priced: Card) -> list[Row]:
    """A row for each experiment that has runs, the dearest first; below them the chapter's, which
    counts a run once however many experiments show it, and that of what is missing of them."""
    experiments: Experiments = experiments_of(path)(profile)
    every = list(dict.fromkeys(recipe for some in experiments.values() for recipe in some))
    if not every:
        return []
    study = Study(path.stem.split("_", 1)[1], profile)
    missing = study.missing(every)
    works = _works(every, path.stem)
    took = _recorded(study, priced.kind, every)

    def row(name: str, recipes: list[AnyRecipe]) -> Row:
        runs, work = list(dict.fromkeys(recipes)), Work()
        for recipe in runs:
            work.update(works[recipe])
        seconds = priced.seconds(work, len(runs))
        recorded = sum(took[r] for r in runs) if took.keys() >= set(runs) else None
        return Row(name, len(runs), len(set(runs) & set(missing)), work, seconds, recorded)

    rows = [row(name, some) for name, some in experiments.items() if some]
    rows.sort(key=lambda each: max(each.seconds.values()), reverse=True)
    rows.append(row("all", every))
    return [*rows, row("all missing", missing)] if 0 < len(missing) < len(every) else rows


def _recorded(study: Study, kind: str, recipes: list[AnyRecipe]) -> dict:
    """The seconds that recorded runs took on a device of this kind."""
    found = {}
    for recipe in recipes:
        if recipe in study.store:
            provenance = study.store.find(recipe).provenance
            if provenance["device_kind"] == kind:
                found[recipe] = provenance["seconds"]
    return found


def _works(recipes: list[AnyRecipe], chapter: str) -> dict[AnyRecipe, Work]:
    show = {"unit": "run", "file": Terminal(), "delay": 2, "mininterval": 1, "leave": False}
    return {recipe: work_of(recipe) for recipe in tqdm(recipes, f"counting {chapter}", **show)}
