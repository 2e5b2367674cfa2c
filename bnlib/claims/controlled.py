"""The controlled study's claims on accuracy, speed and cost (S1.8, S1.15 to S1.18)."""

import numpy as np

from bnlib.analysis.learning import PRECISE, time_to_own_best
from bnlib.analysis.matched import time_to_shared
from bnlib.catalogue import DATASETS
from bnlib.claims.arms import Experiments, arms, pace, pick
from bnlib.claims.claim import claim
from bnlib.claims.judge import AT_MOST, LESS, MORE, Part
from bnlib.claims.margins import CIFAR, MNIST, RATIO, SLOPE
from bnlib.claims.outcomes import level, longer, slope
from bnlib.run import Runs

SOURCE = "Slides “The Effect of Batch Normalization on Deep Convolutional Neural Networks” (S1)"
DATED = "2026-11-21T20:35:00+00:00"
SETS = ("mnist", "svhn", "cifar10", "cifar100")
SIZES = (32, 64, 128, 256, 512, 1024)  # the source's
RULES = {"sizes": "at a fixed learning rate", "scaled": "at a rate ∝ B"}
NORMS = ("with BN", "without BN")
SLIGHTLY = 2.0  # times as fast at most: faster than that nobody would call slightly
NOTICEABLE = 1.25  # the source's largest mean was 1.197, its largest single ratio 1.22


@claim(
    "S1.8",
    source=SOURCE,
    dated=DATED,
    says="Batch norm beats the vanilla network on all data sets: MNIST 99.54 against 99.51 %, SVHN "
    "94.8 against 94.35, CIFAR-10 85.0 against 83.4, CIFAR-100 56.9 against 48.8 (read off plots).",
    rule="Test accuracy of the deep CNN after the last epoch is higher with BN, on each data set. "
    "The margin is 1 point, on MNIST .1. Judged with running averages, the usual evaluation.",
    needs=["cnn"],
)
def beats_vanilla(runs: Experiments) -> list[Part]:
    def both(name: str):
        return lambda how: arms(pick(runs["cnn" if name == "cifar10" else name], dataset=name))

    return [
        level(
            "test accuracy, BN − none",
            MORE,
            both(name),
            runs,
            unit=MNIST if name == "mnist" else CIFAR,
            at={"data": f"on {DATASETS[name].label}"},
        )
        for name in SETS
    ]


@claim(
    "S1.15",
    source=SOURCE,
    dated=DATED,
    says="Batch norm is ahead independent of the batch size (32 … 1024); smaller batches work "
    "better in general.",
    rule="With the MLP, in the same number of epochs, at a fixed learning rate and at one "
    "proportional to the batch. Ahead: test accuracy is higher with BN, at each of the source's "
    "batch sizes. Smaller is better: over the same sizes the slope of the test accuracy on log₂ "
    f"of the batch size is negative, by {SLOPE.margin:g} points a doubling, with and without BN. "
    "Judged with running averages.",
    needs=["sizes", "scaled"],
)
def ahead_at_every_size(runs: Experiments) -> list[Part]:
    def both(name: str, size: int):
        return lambda how: [pick(arm, batch_size=size) for arm in arms(runs[name])]

    def by_size(name: str, place: int, sizes: list[int]):
        return lambda how: [pick(arms(runs[name])[place], batch_size=size) for size in sizes]

    there = {name: [s for s in SIZES if s in runs[name].values("batch_size")] for name in RULES}
    ahead = [
        level(
            "test accuracy, BN − none",
            MORE,
            both(name, size),
            runs,
            at={"rate": rate, "size": f"B = {size}"},
        )
        for name, rate in RULES.items()
        for size in there[name]
    ]
    slopes = [
        level(
            "test accuracy per doubling of the batch",
            LESS,
            by_size(name, place, there[name]),
            runs,
            weights=slope(np.log2(there[name])),
            unit=SLOPE,
            at={"rate": rate, "norm": norm},
        )
        for name, rate in RULES.items()
        for place, norm in enumerate(NORMS)
        if len(there[name]) > 1
    ]
    return ahead + slopes


@claim(
    "S1.16",
    source=SOURCE,
    dated=DATED,
    says="Batch norm's overhead in time is noticeable: 19.7 % an epoch at a batch of 32, falling "
    "to 15.2 % at 1024.",
    rule="Time of a training step of the deep CNN at full width, with PyTorch's BN over without, "
    "at each batch size: longer at all, and at most "
    f"{NOTICEABLE:g} times as long, which leaves the source's own numbers room. The times of one "
    "session have a range, no test. That it falls with the batch is shown, not judged.",
    needs=["timing"],
)
def overhead(runs: Experiments) -> list[Part]:
    sizes = sorted({run.recipe.recipe.batch_size for run in runs["timing"]})

    def ratio(size: int):
        timed = Runs(run for run in runs["timing"] if run.recipe.recipe.batch_size == size)
        return lambda how: pace(timed, "torch", "none")

    what = "time of a step, BN / none"
    longer_at_all = [
        Part(what, MORE, RATIO, ratio(size), at={"size": f"B = {size}"}) for size in sizes
    ]
    within = [
        Part(
            f"{what}, at most {NOTICEABLE:g}",
            AT_MOST,
            RATIO,
            ratio(size),
            at={"size": f"B = {size}"},
            bound=NOTICEABLE,
        )
        for size in sizes
    ]
    return longer_at_all + within


@claim(
    "S1.17",
    source=f"{SOURCE}, against Clevert et al. 2016",
    dated=DATED,
    says="Batch norm with ReLU outperforms ELU (CIFAR-100: 56.5 against 53 %, read off a plot).",
    rule="Test accuracy of the deep CNN after the last epoch: BN with ReLU is higher than ELU "
    "without norm; and ELU is higher than ReLU, both without norm. On CIFAR-10; the source's "
    "numbers are CIFAR-100's. Judged with running averages.",
    needs=["cnn", "elu"],
)
def better_than_elu(runs: Experiments) -> list[Part]:
    def normed(how: str) -> list[Runs]:
        return [arms(runs["cnn"])[0], pick(runs["elu"], norm="none")]

    def plain(how: str) -> list[Runs]:
        return [pick(runs["elu"], norm="none"), arms(runs["cnn"])[1]]

    return [
        level("test accuracy, BN with ReLU − ELU", MORE, normed, runs, at={}),
        level("test accuracy without BN, ELU − ReLU", MORE, plain, runs, at={}),
    ]


@claim(
    "S1.18",
    source=SOURCE,
    dated=DATED,
    says="With batch norm the network converges slightly faster.",
    rule="Epochs of the deep CNN on CIFAR-10, without BN over with: to the same validation "
    "accuracy, which is the lower of the two arms' means at the end, and to 95 % of a run's own "
    f"highest. Faster: fewer with BN. Slightly: at most {SLIGHTLY:g} times fewer. Judged by "
    "precise statistics, since it is a claim about training.",
    needs=["cnn"],
)
def slightly_faster(runs: Experiments) -> list[Part]:
    batch, none = arms(runs["cnn"])

    def shared(arm: Runs, how: str) -> np.ndarray:
        return time_to_shared(arm, (batch, none), how)

    endpoints = {"to the same accuracy": shared, "to 95 % of its own best": time_to_own_best}
    found = []
    for endpoint, time in endpoints.items():
        at = {"endpoint": endpoint}
        faster = longer(
            "epochs, without BN / with BN",
            lambda how: (none, batch),
            time,
            runs,
            primary=PRECISE,
            at=at | {"size": "fewer"},
        )
        found.append(faster)
        if faster.unit is RATIO:
            text, size = faster.text, f"at most {SLIGHTLY:g} times fewer"
            part = Part(text, AT_MOST, RATIO, faster.find, PRECISE, at | {"size": size}, SLIGHTLY)
            found.append(part)
    return found


ACCURACY = (beats_vanilla, ahead_at_every_size, overhead, better_than_elu, slightly_faster)
