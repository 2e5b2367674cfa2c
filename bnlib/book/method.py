"""What the method page and the errata page show, from the judged records."""

from collections import Counter

from bnlib.book.ledger import Ledger
from bnlib.book.stacked import Table
from bnlib.claims import first_words
from bnlib.claims.card import Cards, ErratumCard
from bnlib.claims.errata import ERRATA
from bnlib.claims.ledger import together
from bnlib.claims.margins import CIFAR, EPOCHS, ERROR, MNIST, NATS, RATIO, RUNS, SLOPE, UNITS, Unit

MEASURES: dict[str, Unit] = {
    "accuracy on CIFAR-10 and CIFAR-100": CIFAR,
    "accuracy on MNIST": MNIST,
    "accuracy per doubling of the batch size": SLOPE,
    "ratios: times, widths, distances": RATIO,
    "epochs": EPOCHS,
    "a loss": NATS,
    "dead or saturated units": UNITS,
    "counts of runs, and ranks": RUNS,
    "the error of a formula": ERROR,
}


def margins() -> Table:
    return Table(
        ("of", "smallest effect that matters"),
        ((name, _margin(unit)) for name, unit in MEASURES.items()),
    )


def _margin(unit: Unit) -> str:
    if not unit.margin:
        return "any that an exact test shows"
    if unit.ratio:
        return f"a factor of {unit.mark(unit.margin)}"
    return f"{unit.margin:g} {unit.name.removesuffix('s') if unit.margin == 1 else unit.name}"


def state(ledger: Ledger) -> str:
    """How the book's claims stand, in Markdown."""
    book = together(ledger.cards)
    settled, testable = book.settled
    words = Counter(card.word for card in book.judged)
    survives = book.holm()
    new = Counter(card.repeated for card in book.judged if card.repeated)
    share = f" ({100 * settled / testable:.0f} %)" if testable else ""
    said = [
        f"**{settled} of {testable} testable parts are settled{share}.**",
        f"The {len(book.judged)} claims: "
        + ", ".join(f"{word} {many}" for word, many in words.most_common())
        + ".",
        f"{sum(survives.values())} of the {len(survives)} claims that have a p-value survive "
        "Holm's correction.",
    ]
    repeated = ", ".join(f"{word} {many}" for word, many in new.most_common())
    said += [f"Repeats on new seeds: {repeated}{_not_repeated(book)}."] if new else []
    after = sum(card.post_hoc and bool(card.testable) for card in book.judged)
    said += [f"{after} claims are marked post hoc."]
    return " ".join(said)


def _not_repeated(book: Cards) -> str:
    lost = [card.claim.id for card in book.judged if card.repeated == "no"]
    return f" ({', '.join(lost)})" * bool(lost)


def old_and_new(ledger: Ledger) -> Table:
    return Table(first_words.HEADS, first_words.changed(ledger.cards), "wide")


def errata(ledger: Ledger) -> Table:
    """The slips of the sources' texts, those of the chapters first."""
    cards = [card for card in together(ledger.cards) if isinstance(card, ErratumCard)]
    cards += Cards(one.card({}) for one in ERRATA)
    heads = ("label", "source", "it says", "what is right")
    rows = ((c.claim.id, c.claim.source, c.claim.says, c.because) for c in cards)
    return Table(heads, sorted(rows), "wide")
