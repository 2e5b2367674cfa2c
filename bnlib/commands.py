"""The commands of ``python -m bnlib``: each is a function, and its docstring is its help.

What a command needs is imported inside it: this file is read for every ``--help``.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Command(NamedTuple):
    run: Callable[..., int | None]  # its exit status; None is success
    arguments: list[tuple[tuple[str, ...], dict[str, Any]]]  # argparse's, a pair for each


COMMANDS: dict[str, Command] = {}


def argument(*names: str, **options: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return names, options


def command(*arguments: tuple[tuple[str, ...], dict[str, Any]]):
    """Registers a function as the command of its name; it gets its arguments by keyword."""

    def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
        COMMANDS[function.__name__] = Command(function, list(arguments))
        return function

    return register


SOME_CHAPTERS = {"nargs": "*", "default": [], "help": "such as 03_lenet or 3; default: all"}


@command()
def book() -> None:
    """Execute the chapters that changed and build the website.

    Every chapter whose notebook, code or records changed is executed by papermill into
    _build/executed/, and the website is built from there, warnings being errors.
    """
    from pathlib import Path

    from bnlib.book.layout import Book
    from bnlib.book.site import build

    index, here = build(Book()), Path.cwd()
    print(f"the book: {index.relative_to(here) if index.is_relative_to(here) else index}")


@command(argument("--all", action="store_true", help="the slow tests too, on three arithmetics"))
def test(all: bool) -> int:
    """Check the code and the chapters' stored outputs.

    Runs ruff, the unit tests, and nbval over the chapters; each of them, even where an earlier
    one fails.
    """
    from bnlib.book.checks import run_checks

    return run_checks(all)


@command(argument("chapters", **SOME_CHAPTERS))
def refresh(chapters: list[str]) -> None:
    """Rewrite the committed notebooks' outputs.

    Chapters are executed with their own defaults, and the outputs stored in the notebooks
    themselves, without times and other traces of the execution.
    """
    from bnlib.book.layout import Book
    from bnlib.book.refresh import refresh

    refresh(Book(), chapters)


@command(
    argument("chapter", help="such as 03_lenet or 3"),
    argument(
        "-p",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter and its value, read as Python: 3, 1e-3, True, None, [0.1, 0.9]; anything "
        "else is text; may be given several times",
    ),
    argument("--defaults", action="store_true", help="run with every parameter as it is"),
    argument("--dry-run", action="store_true", help="say what would be trained, and stop there"),
)
def run(chapter: str, parameters: list[list[str]], defaults: bool, dry_run: bool) -> None:
    """Run one chapter with other parameters.

    The chapter is executed by papermill into _build/runs/. Without -p its parameters are listed.
    """
    from bnlib.book.layout import Book
    from bnlib.book.parameters import declared, run_chapter, would_run

    book = Book()
    (path,) = book.pick([chapter])
    if dry_run:
        would_run(book, path, dict(parameters))
        return
    if parameters or defaults:
        print(f"done: {run_chapter(book, path, dict(parameters))}")
        return
    print(f"parameters of {path.stem} (with --defaults it runs as it is):")
    for name, parameter in declared(book, path).items():
        print(f"  {name}: {parameter['type']} = {parameter['default']}   {parameter['help']}")


@command(
    argument("--profile", default="laptop", choices=("smoke", "laptop", "paper")),
    argument("--chapters", **SOME_CHAPTERS),
    argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps; default: auto"),
    argument("--workers", type=int, default=1, help="runs side by side, 1 to 64; default: 1"),
    argument("--together", type=int, default=1, help="runs in turn in one process, 1 to 64"),
    argument("--budget", type=float, help="seconds; no run starts that would pass it"),
    argument("--dry-run", action="store_true", help="say what would be trained, and stop there"),
)
def record(
    profile: str,
    chapters: list[str],
    device: str,
    workers: int,
    together: int,
    budget: float | None,
    dry_run: bool,
) -> None:
    """Train and record the runs that are missing.

    The runs of a profile that have no record yet are trained, chapter by chapter, and each is
    recorded as it ends. A kill loses only the runs in flight; the same command goes on.
    """
    import time

    from bnlib.book import chapter
    from bnlib.book.layout import Book
    from bnlib.study import Study, Unfinished, check_limits

    check_limits(workers, budget, together)
    book = Book()
    paths = book.pick(chapters)
    device = chapter.pick_device(device)
    end = None if budget is None else time.monotonic() + budget
    for path in paths:
        name, experiments = path.stem, chapter.experiments_of(book.root / path)(profile)
        left = None if end is None else max(0.0, end - time.monotonic())
        study = Study(name.split("_", 1)[1], profile, device, False, workers, together, left)
        recipes = [recipe for some in experiments.values() for recipe in some]
        missing = study.missing(recipes)
        print(f"{name}: {len(set(recipes))} runs in profile {profile}, {len(missing)} to train")
        if dry_run:
            for recipe in missing:
                print(f"  {recipe}")
            continue
        try:
            study.train(missing)
        except Unfinished as spent:
            print(spent)
            return


@command(argument("chapters", **SOME_CHAPTERS))
def status(chapters: list[str]) -> None:
    """Print what is recorded, what is missing, and how long it would take.

    For every experiment its recorded runs at both scales; for what is missing the minutes that
    runs of the same network took on the machines where they were made.
    """
    from bnlib.book.status import status

    status(chapters)


@command(
    argument(
        "words",
        nargs="+",
        metavar="WORD",
        help="the beginning of an id, a study such as lenet, or field=value such as lr=0.9",
    )
)
def show(words: list[str]) -> None:
    """Print one run's record, or a line for each that fits.

    The record is found by its id or by its recipe's fields; what fits all words is shown.
    """
    from bnlib.book.show import show

    show(words)


@command()
def verify() -> int:
    """Check every record, and tell which profiles are complete.

    Every record under data/records is read, its sums and its name are checked, and what each
    chapter's profiles still miss is counted. Exit status 1 where a record is damaged.
    """
    from bnlib.book import chapter
    from bnlib.book.layout import Book
    from bnlib.paths import RECORDED
    from bnlib.records.store import Store, problems

    store = Store(RECORDED)
    found = problems(store)
    for problem in found:
        print(problem)
    print(f"{len(store)} records, {len(found)} problems")
    book = Book()
    for path in book.chapters():
        experiments = chapter.experiments_of(book.root / path)
        for profile in ("laptop", "paper"):
            recipes = {recipe for some in experiments(profile).values() for recipe in some}
            if recipes:
                have = sum(recipe in store for recipe in recipes)
                print(f"{path.stem}: {profile} {have} of {len(recipes)} recorded")
    return 1 if found else 0


@command(
    argument("--profile", default="paper", choices=("smoke", "laptop", "paper")),
    argument("--chapters", **SOME_CHAPTERS),
    argument("--on", default="h100", metavar="CARD", help="h100 (default) or cpu"),
)
def cost(profile: str, chapters: list[str], on: str) -> None:
    """Estimate what the experiments cost before they are run.

    For every experiment of a profile: its runs and how many are missing, their kernel launches,
    FLOP and bytes, and the minutes they would take on a card or on this CPU. Nothing is trained.
    """
    from bnlib.book.cost import cost

    cost(profile, chapters, on)


@command(argument("chapters", **SOME_CHAPTERS))
def verdicts(chapters: list[str]) -> None:
    """Print the claims and their words as the records have them.

    For every claim its headline, the size of its main part with its interval, and how many of its
    parts are settled; for every chapter the settled share. Nothing is trained.
    """
    from bnlib.book.ledger import verdicts

    verdicts(chapters)


@command(
    argument("chapters", **SOME_CHAPTERS),
    argument("--minutes", type=float, default=60, help="of training, for a part; default: 60"),
)
def plan(chapters: list[str], minutes: float) -> None:
    """Print which runs would settle what is open, the cheapest first.

    For every open part its spread, half of its interval now, the seeds that it wants, and the
    minutes that they take. The seeds make the interval as narrow as the margin; where it already
    is, so narrow that "more" or "less" is settled wherever the effect lies. Nothing is trained.
    """
    from bnlib.book.ledger import plan

    plan(chapters, minutes)


@command()
def bench() -> int:
    """Print the speed ratios.

    Runs every benchmarks/bench_*.py. Ratios are measured within one run; leave the machine
    otherwise idle.
    """
    import subprocess
    import sys

    from bnlib.paths import HOUSE

    failed = 0
    for path in sorted((HOUSE / "benchmarks").glob("bench_*.py")):
        print(f"== {path.stem}", flush=True)
        script = [sys.executable, "-m", f"benchmarks.{path.stem}"]
        failed += subprocess.run(script, cwd=HOUSE, check=False).returncode != 0
    return 1 if failed else 0


@command()
def clean() -> None:
    """Remove what was built (_build and caches); records and data sets stay."""
    import shutil

    from bnlib.paths import HOUSE

    caches = [HOUSE / name for name in ("_build", ".pytest_cache", ".ruff_cache", ".hypothesis")]
    for top in ("bnlib", "tests", "benchmarks", "chapters", "_ext"):
        caches += (HOUSE / top).rglob("__pycache__")
    for path in caches:
        if path.exists():
            shutil.rmtree(path)
            print(f"removed {path.relative_to(HOUSE)}")
