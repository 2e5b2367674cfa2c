"""The AlexNet report's claims on speed, optimiser, start, batch and networks (S0.1-3, S0.6, S0.8).

Margins were chosen before any run: a point of test accuracy is what can be read off a plot such as
the source's; half of the source's factor of seven is a generous reading of it.
"""

import numpy as np

from bnlib.claims.arms import NotTested, arms, pick
from bnlib.claims.first_scheme import (
    CHANCE,
    Claim,
    Finding,
    Verdict,
    above,
    epochs_to_best,
    together,
    twice,
    within,
)
from bnlib.claims.regularisers import DECAY, DROPOUT, DROPOUT_ALONE, SOURCE
from bnlib.run import Runs

EQUAL = 1.0  # percentage points
FACTOR = 3.5  # times as many epochs without batch norm; the source says 20 against 3


def at_own_best_rate(runs: Runs) -> tuple[Runs, Runs]:
    """The arms with and without batch norm, each at the rate that validation chooses for it."""
    batch, none = (arm.where(lr=arm.best("lr")) for arm in arms(runs))
    return batch, none


def accelerates(runs: dict[str, Runs]) -> Verdict:
    batch, none = at_own_best_rate(runs["main"])
    fewer = twice("epochs to 95 % of own best, none − BN", none, batch, epochs_to_best, 1, "epochs")
    ratio = twice(
        "their ratio, none / BN",
        none,
        batch,
        lambda arm, how: np.log2(epochs_to_best(arm, how)),
        1,
        "log₂",
    )
    direction = together(above(f) for f in fewer)
    size = together(above(f, np.log2(FACTOR)) for f in ratio)
    middle = {name: epochs_to_best(arm, "running averages").mean() for name, arm in
              (("without", none), ("with", batch))}  # fmt: skip
    because = (
        f"Fewer epochs with batch norm: {direction}. At least {FACTOR:g} times fewer: {size}. "
        f"Mean epochs to 95 % of its own best: {middle['without']:.1f} without (learning rate "
        f"{none[0].recipe.lr:g}), {middle['with']:.1f} with ({batch[0].recipe.lr:g})."
    )
    return Verdict(together((direction, size)), because, (*fewer, *ratio))


def same_with_adam(runs: dict[str, Runs]) -> Verdict:
    sgd, adam = (pick(runs["optimizer"], optimizer=name) for name in ("sgd", "adam"))
    sgd, adam = (arm.where(lr=arm.best("lr")) for arm in (sgd, adam))
    found = twice("test accuracy with BN, SGD − Adam", sgd, adam)
    because = (
        f"Learning rates chosen by validation: {sgd[0].recipe.lr:g} for SGD, "
        f"{adam[0].recipe.lr:g} for Adam. The margin is {EQUAL:g} point either way."
    )
    return Verdict(together(within(f, EQUAL) for f in found), because, tuple(found))


def init_adds_little(runs: dict[str, Runs]) -> Verdict:
    batch, none = arms(runs["init"])
    judged, shown = [], []
    for init in ("xavier", "he"):
        pairs = pick(batch, init=init), pick(batch, init="default")
        judged += twice(f"test accuracy with BN, {init} − default", *pairs)
    pairs = pick(none, init="he"), pick(none, init="default")
    shown.append(Finding.of_pairs("for comparison, no norm, he − default", *map(_test, pairs)))
    gain = shown[0].mean
    because = (
        f"With batch norm both better initialisations are held against PyTorch's default, margin "
        f"{EQUAL:g} point. Without it, He's changes the accuracy by {gain:+.1f} points."
    ).replace("-", "−")
    return Verdict(together(within(f, EQUAL) for f in judged), because, (*judged, *shown))


def _test(runs: Runs) -> np.ndarray:
    return runs.final("test_acc")


def larger_is_better(runs: dict[str, Runs]) -> Verdict:
    found = {}
    for rate, experiment in (("lr fixed", "batch"), ("lr ∝ B", "scaled")):
        for name, arm in zip(("BN", "no norm"), arms(runs[experiment]), strict=True):
            slopes = 100 * _per_doubling(arm)
            found[f"{rate}, {name}"] = Finding.of_pairs(
                f"test accuracy per doubling of B, {rate}, {name}", slopes, 0 * slopes, 1
            )
    words = {name: above(finding) for name, finding in found.items()}
    said = "; ".join(f"{name}: {word}" for name, word in words.items())
    because = f"The slope of the test accuracy after the last epoch against log₂ B. {said}."
    return Verdict(together(words.values()), because, tuple(found.values()))


def _per_doubling(arm: Runs) -> np.ndarray:
    """The least-squares slope of the test accuracy on log₂ of the batch size, for each seed."""
    sizes = sorted(arm.values("batch_size"))
    accuracies = [pick(arm, batch_size=size).final("test_acc") for size in sizes]
    if len(sizes) < 2:
        raise NotTested("There are runs with one batch size only.")
    return np.polyfit(np.log2(sizes), np.array(accuracies), 1)[0]


def trains_faster(runs: dict[str, Runs]) -> Verdict:
    times = runs["timing"][0]
    if not {"alexnet", "resnet18"} <= set(times.recipe.models):
        raise NotTested("AlexNet and ResNet-18 were not timed side by side.")
    findings, words = [], []
    for norm in times.recipe.norms:
        ratio = np.log2(times.history[f"resnet18 {norm}"]) - np.log2(
            times.history[f"alexnet {norm}"]
        )
        findings.append(
            Finding.of_pairs(
                f"time of a step, ResNet-18 / AlexNet, {norm}", ratio, 0 * ratio, 1, "log₂"
            )
        )
        words.append(above(findings[-1]))
    faster = together(words)
    lenet = pick(runs["lenet"], norm="none")
    colour = Finding.of_pairs(
        "test accuracy of LeNet on colour images − chance",
        _test(lenet),
        CHANCE + 0 * _test(lenet),
    )
    unusable = {"supported": "contradicted", "contradicted": "supported"}.get(
        above(colour), "inconclusive"
    )
    because = (
        f"AlexNet's step takes less time than ResNet-18's: {faster}. LeNet is for black-and-white "
        f"pictures only: {unusable}; with three input channels it reaches {lenet.percent()} %."
    )
    return Verdict(together((faster, unusable)), because, (*findings, colour))


ALEXNET = (
    Claim(
        "S0.1",
        SOURCE,
        "Without batch norm AlexNet converges slowly and needs more than 20 epochs; with it, it "
        "usually converges in 3.",
        "Each arm at its own best learning rate of those tried, by validation. Supported needs "
        "both: fewer epochs to 95 % of its own best test accuracy with batch norm, and at least "
        f"{FACTOR:g} times fewer (half of the source's factor; in log₂ {np.log2(FACTOR):.2f}), "
        "each with running averages and with precise statistics; words that differ give “mixed”. A "
        f"run that stays below {200 * CHANCE:g} % never gets there.",
        accelerates,
    ),
    Claim(
        "S0.2",
        SOURCE,
        "With batch norm there is no big difference between SGD and Adam.",
        "The learning rate of each is chosen by validation; the interval of the paired difference "
        f"in test accuracy lies within ±{EQUAL:g} point, under both evaluations.",
        same_with_adam,
    ),
    Claim(
        "S0.3",
        SOURCE,
        "With batch norm a better initialisation does not improve the model much.",
        "Xavier's and He's against PyTorch's default: the interval of the paired difference in "
        f"test accuracy lies within ±{EQUAL:g} point, under both evaluations. N(0, 1), which is "
        "not a better initialisation, is shown and not judged here.",
        init_adds_little,
    ),
    DROPOUT,
    DROPOUT_ALONE,
    DECAY,
    Claim(
        "S0.6",
        SOURCE,
        "The larger the batch size is, the better the model performance.",
        "The slope of the test accuracy against log₂ of the batch size lies above zero, at a fixed "
        "learning rate and at one proportional to the batch, with and without batch norm.",
        larger_is_better,
    ),
    Claim(
        "S0.8",
        SOURCE,
        "AlexNet is faster to run than ResNet; LeNet, designed for black and white pictures, is no "
        "longer suitable for colour images.",
        "Time: the ratio of the steps of the full-width networks, ResNet-18 to AlexNet, lies above "
        "1. LeNet: if its accuracy on CIFAR-10 lies above chance, it can take colour images and "
        "that part is contradicted; how well it does is a matter of size, not of colour.",
        trains_faster,
    ),
)
