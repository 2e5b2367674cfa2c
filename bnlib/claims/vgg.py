"""Claims on how VGG trains with and without batch norm (S3.25, S3.26, S4.29, S4.29b).

Margins were chosen before any run: a point of test accuracy is what can be read off a plot.
"""

import numpy as np

from bnlib.claims.arms import arms, pick
from bnlib.claims.first_scheme import (
    CHANCE,
    Claim,
    Finding,
    Verdict,
    above,
    together,
    twice,
    within,
)
from bnlib.claims.landscape import S3, S4
from bnlib.run import Runs

TRAINS = 2 * CHANCE  # a network above this test accuracy has learned something
EQUAL = 1.0  # percentage points
STILL = 1e-4  # of its initial length: a weight matrix that has moved less has not been trained
STARTS = ("default", "xavier", "he")
SMALLEST = 1e-7  # is no movement in float32
OPPOSITE = {"supported": "contradicted", "contradicted": "supported"}


def sgd_fails(runs: dict[str, Runs]) -> Verdict:
    _, none = arms(runs["start"])
    found, words = [], {}
    for init in STARTS:
        for optimizer in ("sgd", "adam"):
            reached = pick(none, init=init, optimizer=optimizer).final("test_acc")
            what = f"test accuracy − {100 * TRAINS:g} %, {init}, {optimizer}"
            found.append(Finding.of_pairs(what, reached, TRAINS + 0 * reached))
            words[init, optimizer] = above(found[-1])
    fails = {init: _not(words[init, "sgd"]) for init in STARTS}
    fixes = words["default", "adam"]
    said = "; ".join(f"{init}: {word}" for init, word in fails.items())
    because = f"Plain VGG-A does not train with SGD ({said}); it does with Adam (default: {fixes})."
    return Verdict(together((*fails.values(), fixes)), because, tuple(found))


def _not(word: str) -> str:
    return OPPOSITE.get(word, word)


def rise(arm: Runs) -> np.ndarray:
    """Test loss after the last epoch minus the lowest of the run: overfitting of the loss."""
    losses = arm.history("test_loss")
    return losses[:, -1] - losses.min(axis=1)


def five_networks(runs: dict[str, Runs]) -> Verdict:
    light = pick(runs["performance"], model="vgg_a_light")
    batch, none = arms(runs["performance"].where(model="vgg_a"))
    plain, dropped = (pick(none, dropout=p) for p in (0.0, 0.5))
    normed, both = (pick(batch, dropout=p) for p in (0.0, 0.5))
    order = [
        *twice("test accuracy, BN − plain", normed, plain),
        _accuracy("plain − dropout", plain, dropped),
        _accuracy("dropout − Light", dropped, light),
    ]
    flat = Finding.of_pairs(
        "rise of the test loss, plain − dropout", *map(rise, (plain, dropped)), 1, ""
    )
    same = twice("test accuracy, BN with dropout − BN", both, normed)
    words = {
        "order": together(map(above, order)),
        "flatter test loss": above(flat),
        "same accuracy": together(within(f, EQUAL) for f in same),
    }
    because = "; ".join(f"{what}: {word}" for what, word in words.items())
    return Verdict(together(words.values()), because.capitalize() + ".", (*order, flat, *same))


def _accuracy(what: str, one: Runs, other: Runs) -> Finding:
    """Of two networks without batch norm, which there is one way to evaluate."""
    accuracies = (arm.final("test_acc") for arm in (one, other))
    return Finding.of_pairs(f"test accuracy, {what}", *accuracies)


def moved(arm: Runs) -> np.ndarray:
    """How far the weight matrices went from their start, in units of their initial length: mean
    over the layers, one number a run."""
    return (arm.array("weights_moved")[:, -1] / arm.array("weight_norms")[:, 0]).mean(axis=1)


def does_not_update(runs: dict[str, Runs]) -> Verdict:
    network = pick(runs["vgg16"], lr=0.001)
    _, none = arms(network.where(dataset=network.values("dataset")[0]))
    distance = moved(none)
    orders = np.log10(np.maximum(distance, SMALLEST))  # of magnitude
    step = Finding.of_pairs(
        f"distance moved / {STILL:g}", orders, np.log10(STILL) + 0 * orders, 1, "log₁₀"
    )
    classes = len(none[0].summary["class_acc"])
    loss = none.history("train_loss")[:, -1]
    shown = (
        Finding.of_pairs("training loss − ln K", loss, np.log(classes) + 0 * loss, 1, ""),
        Finding.of_pairs(
            "test accuracy − chance", none.final("test_acc"), np.full(len(none), 1 / classes)
        ),
    )
    share = f"The weight matrices moved by {100 * np.median(distance):.3g} % of their length"
    because = f"{share} (median run)." if np.isfinite(distance).all() else "A run diverged."
    return Verdict(_not(above(step)), because, (step, *shown))


def faster_and_better(runs: dict[str, Runs]) -> Verdict:
    findings, words = [], {}
    for dataset, some in runs["vgg16"].by("dataset").items():
        for lr, pair in some.by("lr").items():
            batch, none = arms(pair)
            where = f"{dataset}, lr {lr:g}"
            losses = [arm.history("train_loss").mean(axis=1) for arm in (none, batch)]
            fall = Finding.of_pairs(f"mean training loss, none − BN, {where}", *losses, 1, "")
            better = twice(f"test accuracy, BN − none, {where}", batch, none)
            findings += [fall, *better]
            words[where] = together(map(above, (fall, *better)))
    because = "; ".join(f"{where}: {word}" for where, word in words.items())
    return Verdict(together(words.values()), because + ".", tuple(findings))


VGG = (
    Claim(
        "S3.25",
        S3,
        "VGG-A does not train with SGD; Adam fixes it.",
        f"A network that ends above {100 * TRAINS:g} % test accuracy has trained. Supported needs "
        "that the plain network does not with SGD, from PyTorch's default, Xavier's and He's "
        "weights alike, and that it does with Adam from the default; words that differ give "
        "“mixed”.",
        sgd_fails,
    ),
    Claim(
        "S3.26",
        S3,
        "VGG-A: batch norm is better than plain, plain better than dropout, dropout better than "
        "Light; dropout flattens the test loss; with batch norm it leaves the accuracy the same.",
        "Three parts, all with Adam at .001: the order of the final test accuracies; the rise of "
        "the test loss from its lowest to the last epoch, smaller with dropout; the accuracy with "
        f"batch norm and dropout within {EQUAL:g} point of that with batch norm. Networks with "
        "batch norm are evaluated both ways.",
        five_networks,
    ),
    Claim(
        "S4.29",
        S4,
        "At a learning rate of .001 VGG-16 without batch norm does not update its parameters at "
        "all.",
        "The distance of the weight matrices from their start, in units of their initial length, "
        f"mean over the layers, after the last epoch: contradicted above {STILL:g}, supported "
        "below.",
        does_not_update,
    ),
    Claim(
        "S4.29b",
        S4,
        "With batch norm VGG-16's loss falls faster and its accuracy is higher, on CIFAR-10 and "
        "CIFAR-100, at every learning rate.",
        "For each data set and learning rate: a lower training loss, averaged over the epochs, and "
        "a higher final test accuracy with batch norm, under both evaluations.",
        faster_and_better,
    ),
)
