"""The ledger judged on the records, and what the commands ``verdicts`` and ``plan`` print.

Nothing is trained here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnlib.book.chapter import experiments_of
from bnlib.book.layout import Book
from bnlib.claims import plan as planning
from bnlib.claims.card import Cards
from bnlib.claims.claim import cards
from bnlib.claims.ledger import CLAIMS, standing
from bnlib.paths import RECORDED
from bnlib.records.store import Store
from bnlib.run import Runs
from bnlib.study import Experiments

PROFILES = ("paper", "laptop")  # the larger one first


@dataclass(frozen=True)
class Ledger:
    """By chapter: what is recorded, at which scale, and the claims judged on it."""

    runs: Mapping[str, Mapping[str, Any]]
    profiles: Mapping[str, str]
    cards: Mapping[str, Cards]


def judged(
    names: list[str], book: Book | None = None, root: Path = RECORDED, kind: type = object
) -> Ledger:
    """The claims of some chapters, or of all, on the runs under ``root``; of one kind alone, such
    as ``Erratum``, where the others are not asked for."""
    book, store = book or Book(), Store(root)
    runs, profiles, shown = {}, {}, {}
    for path in book.pick(names):
        if claims := [one for one in CLAIMS.get(path.stem, ()) if isinstance(one, kind)]:
            found, profile = recorded(experiments_of(book.root / path), store)
            runs[path.stem] = found | computed(path.stem)
            profiles[path.stem] = profile
            shown[path.stem] = cards(claims, runs[path.stem])
    return Ledger(runs, profiles, shown)


def recorded(
    experiments: Callable[[str], Experiments], store: Store
) -> tuple[dict[str, Runs], str]:
    """Of each experiment the runs of the profile of which most are recorded (the larger of two
    that are complete), in the chapter's order, and the smallest profile among these."""
    found: dict[str, tuple[float, str, Runs]] = {}
    for profile in PROFILES:
        for name, recipes in experiments(profile).items():
            there = [recipe for recipe in recipes if recipe in store]
            share = len(there) / len(recipes) if recipes else 0.0
            if share > found.get(name, (0.0,))[0]:
                found[name] = share, profile, Runs(map(store.find, there), profile)
    profiles = {profile for _, profile, _ in found.values()} or {PROFILES[0]}
    names = [name for profile in reversed(PROFILES) for name in experiments(profile)]
    runs = {name: found[name][2] for name in names if name in found}
    return runs, max(profiles, key=PROFILES.index)


def computed(chapter: str) -> dict[str, Any]:
    """What is computed for a chapter's claims in place of runs, by claim."""
    if chapter != "02_batchnorm":
        return {}
    from bnlib.norm.identities import scale_errors  # torch, which nothing else here needs

    return {"S1.11": scale_errors()}


def verdicts(names: list[str], book: Book | None = None, root: Path = RECORDED) -> None:
    """Print the ledger of some chapters, or of all, as it stands."""
    print("\n".join(standing(judged(names, book, root).cards)))


def plan(names: list[str], minutes: float, book: Book | None = None, root: Path = RECORDED) -> None:
    """Print what is open, and the runs that would settle it within so many minutes a part."""
    ledger = judged(names, book, root)
    wanted = planning.wants(ledger.cards, ledger.runs, 60 * minutes)
    print("\n".join(planning.lines(ledger.cards, wanted, ledger.profiles)) or "Nothing is open.")
