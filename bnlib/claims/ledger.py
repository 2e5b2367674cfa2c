"""The ledger: the claims of every chapter, and how they stand."""

from collections import Counter
from collections.abc import Iterable, Mapping

from bnlib.claims.alexnet import ALEXNET
from bnlib.claims.basics import BASICS
from bnlib.claims.card import Card, Cards
from bnlib.claims.controlled import ACCURACY
from bnlib.claims.extremes import EXTREMES
from bnlib.claims.judge import NOT_TESTED
from bnlib.claims.landscape import LANDSCAPE
from bnlib.claims.lenet import LENET
from bnlib.claims.motivation import MOTIVATION
from bnlib.claims.regularising import REGULARISING
from bnlib.claims.shift import SHIFT
from bnlib.claims.vgg import VGG

CLAIMS = {  # by chapter, in the order of its page
    "01_motivation": MOTIVATION,
    "02_batchnorm": BASICS,
    "03_lenet": LENET,
    "04_alexnet": ALEXNET,
    "05_controlled_study": (*ACCURACY, *EXTREMES, *REGULARISING),
    "07_vgg_landscape": (*VGG, *LANDSCAPE),
    "08_ics": SHIFT,
}


def together(ledger: Mapping[str, Cards]) -> Cards:
    """The cards of all chapters."""
    return Cards(card for some in ledger.values() for card in some)


def standing(ledger: Mapping[str, Cards]) -> list[str]:
    """The ledger in lines: each claim, the settled share of each chapter and of the book, and
    Holm's correction once over all claims."""
    book = together(ledger)
    survives = book.holm()
    lines = []
    for chapter, some in ledger.items():
        lines += [f"{chapter}: {_share(some)}"]
        lines += [line for card in some.judged for line in _of_claim(card, survives)]
        if errata := [card.claim.id for card in some if not isinstance(card, Card)]:
            lines.append(f"  errata: {', '.join(errata)}")
    words = Counter(card.word for card in book.judged)
    lost = [name for name, kept in survives.items() if not kept]
    holm = f"{len(survives) - len(lost)} of {len(survives)} claims with a p survive Holm"
    return [
        *lines,
        f"the book: {_share(book)}",
        f"  {', '.join(f'{word}: {many}' for word, many in words.most_common())}",
        f"  {holm}" + f", not {', '.join(lost)}" * bool(lost),
    ]


def _share(cards: Cards) -> str:
    settled, testable = cards.settled
    untested = sum(a.word == NOT_TESTED for card in cards.judged for a in card.answers)
    share = f" ({100 * settled / testable:.0f} %)" if testable else ""
    more = f", {untested} more not tested" * bool(untested)
    return f"{settled} of {testable} testable parts settled{share}{more}"


def _of_claim(card: Card, survives: Mapping[str, bool]) -> Iterable[str]:
    name = card.claim.id
    yield f"  {name} {card.label}" + f": {card.because}" * bool(card.because)
    if card.main:
        yield f"    {card.main.part.name}: {card.main.size}"
    all_settled = card.settled == card.testable > 0  # where they are not, the label says so
    said = [f"{card.settled} of {card.testable} settled"] * all_settled
    if name in survives:
        said.append(f"p {card.p:.2g}, " + ("survives Holm" if survives[name] else "not after Holm"))
    said += [f"repeats on new seeds: {card.repeated}"] * bool(card.repeated)
    said += ["post hoc"] * (card.post_hoc and bool(card.testable))
    if said:
        yield f"    {'; '.join(said)}"
    for answer in card.answers:
        if answer.flag:
            yield f"    {answer.part.name} {answer.flag}"
