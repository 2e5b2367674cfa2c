"""The words that the first scheme of verdicts gave on its 494 runs, and why they changed.

They are those that the chapters printed at commit 5c1eecc. In that scheme one conjunction of all
findings was judged, each of them with both evaluations, each from the interval of its own three to
ten pairs.
"""

from collections.abc import Mapping, Sequence

from bnlib.claims.card import Card, Cards, ErratumCard
from bnlib.claims.ledger import together

HEADS = ("claim", "first scheme", "second scheme", "why it changed")
TEXT = "a slip of the text is no claim that runs can judge: it is an erratum"
WORDS = {  # a claim or, with a star, an erratum: the first scheme's word, the reason
    "S0.7*": ("contradicted", TEXT),
    "S1.20": ("mixed", "a genuine mixture: the new word names the places that split it"),
    "S1.11": ("mixed", "a genuine mixture: the new word names the conditions that split it"),
    "S2.20*": ("contradicted", TEXT),
    "S2.19": (
        "contradicted",
        "judged to a tenth of a point, which the source could not see: its own resolution, whole "
        "percents, is now a part",
    ),
    "S2.20": (
        "mixed",
        "“mixed” was equal accuracy and a step over 10 % slower; now a factor of 1.25 matters, and "
        "what the source would have timed, a batch norm with autograd, is a part",
    ),
    "S2.21": ("inconclusive", "zero margin: no interval could show that there is no difference"),
    "S2.22": (
        "mixed",
        "half was a slip of the text, now an erratum; the other half was the mean of two digits, "
        "which says nothing of either: now each is counted run by run",
    ),
    "S0.1": (
        "mixed",
        "judged twice, and “mixed” was supported + inconclusive: fewer epochs, but three runs "
        "could not tell how many times; 95 % of one's own best alone penalised the higher ceiling",
    ),
    "S0.2": ("inconclusive", "intervals from three values of their own; now the spread is pooled"),
    "S0.3": (
        "mixed",
        "“does not improve” was judged two-sided, so that a worse start spoke against it; now "
        "one-sided",
    ),
    "S0.4a": (
        "mixed",
        "a mixture by position, but judged twice, and an interaction was read off next to the "
        "floor, where nothing is left to lose",
    ),
    "S0.4b": (
        "mixed",
        "sixteen findings in one word: eight questions, each judged twice; times that some runs "
        "never reach had no number and are now compared by ranks",
    ),
    "S0.5": (
        "mixed",
        "“mixed” was supported + inconclusive; the runs were shorter than the weight decay takes "
        "to act, so that the question could not be asked of them; for the strongest decay longer "
        "ones were added",
    ),
    "S0.6": ("contradicted", "the same question; the slope has a margin now, not zero"),
    "S0.8": (
        "mixed",
        "“not suitable for colour” was refuted by an accuracy above chance, a straw man: now "
        "colour is held against grey",
    ),
    "S3.25": (
        "mixed",
        "a genuine mixture by start, but judged by the means of arms that learn or stay at chance: "
        "now the runs that learn are counted",
    ),
    "S3.26": (
        "mixed",
        "“mixed” was supported + inconclusive: the order holds; “flatter” was judged although "
        "the test loss rises by less than the margin",
    ),
    "S3.27": (
        "mixed",
        "a genuine mixture; but a rate “worked” at 90 % of the arm's own best, so that a better "
        "arm had a narrower range: now the level is common to both",
    ),
    "S3.28": (
        "mixed",
        "zero margin, and “greatly” was any decrease; two ways of measuring in one word",
    ),
    "S4.29": (
        "contradicted",
        "a mean over sixteen weight tensors that one of them decided: now tensor by tensor",
    ),
    "S4.29b": (
        "mixed",
        "“mixed” was supported + inconclusive: one of eighteen findings, with zero margin, was "
        "not settled",
    ),
    "S4.32": (
        "mixed",
        "zero margin, eighteen findings in one word, and an early phase of five samples astride "
        "the end of the plateau",
    ),
}


def changed(ledger: Mapping[str, Cards]) -> list[tuple[str, str, str, str]]:
    """Claim, old word, new word, reason: in the order of the pages."""
    now = {_key(card): card for card in together(ledger)}
    return [(key.rstrip("*"), old, _word(now[key]), why) for key, (old, why) in WORDS.items()]


def table(rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [HEADS, ["---"] * len(HEADS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _key(card: Card | ErratumCard) -> str:
    return card.claim.id + "*" * isinstance(card, ErratumCard)


def _word(card: Card | ErratumCard) -> str:
    return card.label + f": {card.because}" * (isinstance(card, Card) and bool(card.because))
