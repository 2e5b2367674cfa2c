"""Is batch norm's gain in LeNet a bad start avoided? The same runs with a warm-up of the rate."""

from collections.abc import Mapping

from bnlib.analysis.early import blew_up
from bnlib.analysis.findings import Finding
from bnlib.analysis.learning import RUNNING, accuracy
from bnlib.book.finals import Rows, cell
from bnlib.catalogue import NORMS
from bnlib.claims.arms import contrast
from bnlib.claims.judge import MORE, OPEN, word
from bnlib.claims.margins import MNIST
from bnlib.run import Runs, of_the_same_seeds

Experiments = Mapping[str, Runs]
ARMS = ("none", "batch")
HEADS = {  # by the word on what is left of batch norm's lead
    "yes": "a bad start avoided is not the whole gain",
    "yes, perhaps small": "a bad start avoided is not the whole gain",
    "no difference": "the gain is a bad start avoided",
    "the reverse": "the gain is a bad start avoided, and more",
    OPEN: "whether the gain is more than a bad start avoided stays open",
}
LEFT = {
    "yes": "keeps a lead of",
    "yes, perhaps small": "keeps a lead, perhaps a small one:",
    "no difference": "has no lead any more:",
    "the reverse": "falls behind:",
    OPEN: "may keep a lead, or none:",
}


def of_four(runs: Experiments) -> list[Runs]:
    """The plain network and that with batch norm at a constant rate, then both with a warm-up: the
    same seeds in each."""
    return of_the_same_seeds(
        *(runs[name].where(norm=norm) for name in ("main", "warmup") for norm in ARMS)
    )


def left(runs: Experiments) -> Finding:
    """What batch norm adds to the accuracy where both networks have the warm-up."""
    *_, none, batch = of_four(runs)
    return contrast(batch, none, accuracy, RUNNING, runs)


def gained(runs: Experiments) -> Finding:
    """What the warm-up adds to the accuracy of the plain network."""
    constant, _, none, _ = of_four(runs)
    return contrast(none, constant, accuracy, RUNNING, runs)


def table(runs: Experiments) -> Rows:
    """Test error and runs that blow up, by rate and norm."""
    rows: Rows = {}
    for place, arm in enumerate(of_four(runs)):
        rate = ("constant", "warm-up")[place // 2]
        rows[f"{rate}, {NORMS[ARMS[place % 2]].label}"] = {
            "test error (%)": cell(100 - accuracy(arm, RUNNING)),
            "blow up": f"{blew_up(arm).sum()} of {len(arm)}",
        }
    return rows


def head(runs: Experiments) -> str:
    return HEADS[word(MORE, left(runs), MNIST.margin)]


def said(runs: Experiments) -> str:
    """What the warm-up does to the plain network, and what it leaves to batch norm."""
    *_, none, _ = of_four(runs)
    lead = left(runs)
    found = word(MORE, lead, MNIST.margin)
    return (
        "With a warm-up of the rate over the first epoch "
        f"{blew_up(none).sum()} of {len(none)} runs without batch norm blow up, and the plain "
        f"network's accuracy changes by {MNIST.show(gained(runs))}. With the same warm-up batch "
        f"norm {LEFT[found]} {MNIST.show(lead)} (n = {len(none)})."
    )
