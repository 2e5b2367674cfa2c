"""The claims on AlexNet: speed, optimiser, start, batch size, networks (S0.1-3, S0.6, S0.8)."""

import numpy as np

from bnlib.analysis.learning import PRECISE, RUNNING, accuracy, time_to, time_to_own_best
from bnlib.claims.arms import Experiments, NotTested, arms, contrast, pace, pick
from bnlib.claims.claim import claim
from bnlib.claims.judge import AT_MOST, EQUAL, MORE, Part
from bnlib.claims.margins import CIFAR, RATIO, SLOPE
from bnlib.claims.outcomes import at_best_rate, level, longer, slope
from bnlib.claims.regularisers import SOURCE, alone_is_better, decay_adds_nothing, slows_batch_norm
from bnlib.run import Runs

TARGETS = (60, 65, 70, 75, 80)  # percent
MANY = 3.5  # times as many epochs: half of the source's seven, 20 against 3


@claim(
    "S0.1",
    source=f"{SOURCE}, after Ioffe & Szegedy 2015",
    says="Without batch norm AlexNet converges slowly and needs more than 20 epochs; with it, it "
    "usually converges in 3.",
    rule="Two endpoints on the curve of validation accuracy: epochs to the same accuracy (60, 65, "
    "70, 75, 80 %, where any run gets there) and to 95 % of a run's own highest, each arm at the "
    "learning rate at which its validation accuracy ends highest. Two questions of each: fewer "
    f"epochs with BN; at least {MANY:g} times fewer, a generous half of the source's factor. "
    "Between two evaluations the curve is a straight line. Where some runs never get there, ranks. "
    "Judged by precise statistics, since it is a claim about training.",
    needs=["main"],
)
def accelerates(runs: Experiments) -> list[Part]:
    batch, none = arms(runs["main"])
    endpoints = {f"to {target} %": time_to(target) for target in TARGETS}
    endpoints["to 95 % of its own best"] = time_to_own_best
    return [
        longer(
            "epochs, without BN / with BN",
            lambda how: (at_best_rate(none, how), at_best_rate(batch, how)),
            time,
            runs,
            times=times,
            primary=PRECISE,
            at={"endpoint": endpoint, "size": size},
        )
        for size, times in (("fewer", None), (f"at least {MANY:g} times fewer", MANY))
        for endpoint, time in endpoints.items()
    ]


@claim(
    "S0.2",
    source=SOURCE,
    says="With batch norm there is no big difference between SGD and Adam.",
    rule="Test accuracy after the last epoch is equal to ± 1 point, each optimiser at the learning "
    "rate that validation data chooses. Judged with running averages, as the source evaluates.",
    needs=["optimizer"],
)
def same_with_adam(runs: Experiments) -> list[Part]:
    def tuned(how: str) -> list[Runs]:
        both = (pick(runs["optimizer"], optimizer=name) for name in ("sgd", "adam"))
        return [at_best_rate(arm, how) for arm in both]

    return [level("test accuracy with BN, SGD − Adam", EQUAL, tuned, runs, at={})]


@claim(
    "S0.3",
    source=SOURCE,
    says="With batch norm a better initialisation does not improve the model much.",
    rule="One-sided: Xavier's and He's start each gain at most 1 point of test accuracy over "
    "PyTorch's default, all at learning rates that validation data chooses of those tried. "
    "N(0, 1) is no better start and is not judged. Judged with running averages, as the source "
    "evaluates.",
    needs=["init"],
)
def init_adds_little(runs: Experiments) -> list[Part]:
    batch, _ = arms(runs["init"])

    def against_default(init: str):
        return lambda how: [at_best_rate(pick(batch, init=i), how) for i in (init, "default")]

    what = "test accuracy with BN, gain over PyTorch's default start"
    return [
        level(what, AT_MOST, against_default(init), runs, at={"start": name}, bound=CIFAR.margin)
        for init, name in (("xavier", "Xavier's"), ("he", "He's"))
    ]


@claim(
    "S0.6",
    source=SOURCE,
    says="The larger the batch size is, the better the model performance.",
    rule="The slope of the test accuracy on log₂ of the batch size, in the same number of epochs: "
    "at a fixed learning rate and at one proportional to the batch, with and without BN. The "
    f"margin is {SLOPE.margin:g} points a doubling, a point for ten times the batch. Judged with "
    "running averages, since it is said of the finished model.",
    needs=["batch", "scaled"],
)
def larger_is_better(runs: Experiments) -> list[Part]:
    def by_size(name: str, place: int):
        return lambda how: [pick(arms(runs[name])[place], batch_size=size) for size in sizes[name]]

    rates = {"batch": "at a fixed learning rate", "scaled": "at a rate ∝ B"}
    sizes = {name: sorted(runs[name].values("batch_size")) for name in rates}
    if min(map(len, sizes.values())) < 2:
        raise NotTested("There are runs with one batch size only.")
    return [
        level(
            "test accuracy per doubling of the batch",
            MORE,
            by_size(name, place),
            runs,
            weights=slope(np.log2(sizes[name])),
            unit=SLOPE,
            at={"rate": rate, "norm": norm},
        )
        for name, rate in rates.items()
        for place, norm in enumerate(("with BN", "without BN"))
    ]


@claim(
    "S0.8",
    source=SOURCE,
    says="AlexNet is faster to run than ResNet; LeNet, designed for black and white pictures, is "
    "no longer suitable for colour images.",
    rule="Time: a training step of ResNet-18 takes longer than one of AlexNet, both at full width, "
    "with and without BN. Colour: a network that does not suit colour makes nothing of it, so "
    "LeNet's test accuracy on CIFAR-10 in colour is at most 1 point above that on the same images "
    "in grey, with and without BN.",
    needs=["timing"],
)
def faster_and_in_colour(runs: Experiments) -> list[Part]:
    def slower(norm: str):
        return lambda how: pace(runs["timing"], f"resnet18 {norm}", f"alexnet {norm}")

    def gain(place: int):
        def of_colour(how: str):
            colour, grey = (arms(runs[name])[place] for name in ("lenet", "grey"))
            return contrast(colour, grey, accuracy, how, runs)

        return of_colour

    norm = next(norm for norm in runs["timing"][0].recipe.norms if norm != "none")
    time, colour = "time of a step, ResNet-18 / AlexNet", "test accuracy of LeNet, colour − grey"
    without, with_bn = {"norm": "without BN"}, {"norm": "with BN"}
    return [
        Part(time, MORE, RATIO, slower("none"), at=without),
        Part(time, MORE, RATIO, slower(norm), at=with_bn),
        Part(colour, AT_MOST, CIFAR, gain(1), RUNNING, without, CIFAR.margin),
        Part(colour, AT_MOST, CIFAR, gain(0), RUNNING, with_bn, CIFAR.margin),
    ]


ALEXNET = (
    accelerates,
    same_with_adam,
    init_adds_little,
    slows_batch_norm,
    alone_is_better,
    decay_adds_nothing,
    larger_is_better,
    faster_and_in_colour,
)
