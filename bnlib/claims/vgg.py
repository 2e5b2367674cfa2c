"""The claims on how VGG trains with and without batch norm (S3.25, S3.26, S4.29, S4.29b)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bnlib.analysis.counts import ranks, share
from bnlib.analysis.course import moved, rise, training_loss
from bnlib.analysis.findings import Finding
from bnlib.analysis.learning import (
    LEARNS,
    PRECISE,
    RUNNING,
    Measure,
    accuracy,
    best,
    learned,
    two_outcomes,
)
from bnlib.claims.arms import Experiments, contrast, need, pick
from bnlib.claims.claim import claim
from bnlib.claims.judge import AT_LEAST, AT_MOST, EQUAL, MORE, Part
from bnlib.claims.margins import CIFAR, NATS, RUNS, Unit
from bnlib.run import Runs

S3 = "CIFAR-10 exploration (S3)"
S4 = "Santurkar et al. 2018, as repeated in the BatchNorm experiments (S4)"
HALF = 0.5  # of the runs
STILL = 1e-4  # of its initial length
ROUNDING = 2.0**-24  # of a float32: what rounding to the nearest loses at most
STARTS = {"default": "PyTorch's default start", "xavier": "Xavier's start", "he": "He's start"}
TWO_OUTCOMES = "Where only some of an arm's runs learn, the arms are compared by ranks."


@claim(
    "S3.25",
    source=S3,
    says="VGG-A does not train with SGD; Adam fixes it.",
    rule=f"A run has learned when it ends above {LEARNS} times chance. The network without norm "
    "does not train from a start when at most half of its runs with SGD learn, at the rate of "
    "those tried that validation data chooses: asked from PyTorch's default, Xavier's and He's "
    "start. Adam fixes it when at least half of its runs from the default start learn.",
    needs=["start"],
)
def sgd_fails(runs: Experiments) -> list[Part]:
    def learns(optimizer: str, init: str, kind: str) -> Part:
        def find(how: str):
            tried = pick(runs["start"], norm="none", optimizer=optimizer, init=init)
            lr = best(tried, "lr", how)
            return replace(share(learned(tried.where(lr=lr), how)), note=f"learning rate {lr:g}")

        name = {"sgd": "SGD", "adam": "Adam"}[optimizer]
        what, start = f"runs without norm that learn with {name}", f"from {STARTS[init]}"
        return Part(what, kind, RUNS, find, at={"start": start}, bound=HALF)

    return [learns("sgd", init, AT_MOST) for init in STARTS] + [learns("adam", "default", AT_LEAST)]


@claim(
    "S3.26",
    source=S3,
    says="VGG-A: batch norm 90.4 % is better than plain 86.3, plain better than dropout 85.3, "
    "dropout better than Light 78.7; dropout flattens the test loss, which rises without it; with "
    "batch norm, dropout leaves the accuracy the same.",
    rule="All with Adam at .001. Order: three differences of the test accuracy after the last "
    "epoch. Flatter: the rise of the test loss, from its lowest to the last epoch, is smaller with "
    f"dropout; it can be asked only where the test loss rises without, by {NATS.margin:g} nats in "
    "the mean. Same: the accuracy of batch norm with dropout equals that of batch norm. Judged "
    f"with running averages, as the source evaluates. {TWO_OUTCOMES}",
    needs=["performance"],
)
def five_networks(runs: Experiments) -> list[Part]:
    some = runs["performance"]
    deep = {"model": "vgg_a", "dropout": 0.0, "norm": "none"}
    dropped, normed = deep | {"dropout": 0.5}, deep | {"norm": _norm(some)}
    light, both = {"model": "vgg_a_light"}, normed | {"dropout": 0.5}

    def better(what: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Part:
        unit, find = _above(accuracy, CIFAR, some, one, other, runs)
        return Part(f"test accuracy, {what}", MORE, unit, find, RUNNING)

    def flatter(where: str, bare: Mapping[str, Any], dropout: Mapping[str, Any]) -> Part:
        def find(how: str):
            one, other = pick(some, **bare), pick(some, **dropout)
            rises = rise(one, how).mean() > NATS.margin
            need(bool(rises), "a test loss that rises without dropout: more epochs")
            return contrast(one, other, rise, how, runs)

        what = "rise of the test loss, bare − dropout"
        return Part(what, MORE, NATS, find, RUNNING, {"norm": where})

    def same(how: str):
        return contrast(pick(some, **both), pick(some, **normed), accuracy, how, runs)

    return [
        better("BN − plain", normed, deep),
        better("plain − dropout", deep, dropped),
        better("dropout − Light", dropped, light),
        flatter("without BN", deep, dropped),
        flatter("with BN", normed, both),
        Part("test accuracy, BN with dropout − BN", EQUAL, CIFAR, same, RUNNING),
    ]


@claim(
    "S4.29",
    source="BatchNorm experiments (S4)",
    says="At a learning rate of .001 VGG-16 without batch norm does not update its parameters at "
    "all.",
    rule="How far each weight tensor is from its start after the last epoch, in units of its "
    "length there; judged tensor by tensor, not by their mean. Asked of all weight tensors and of "
    "most (more than half), in two readings of “not at all”: less than 10⁻⁴ of the length, "
    "which no reader would call training, and less than 2⁻²⁴ of it, where rounding in float32 "
    "swallows an update. Each must be so in at least half of the runs, on both data sets together.",
    needs=["vgg16"],
)
def does_not_update(runs: Experiments) -> list[Part]:
    def stay(which: str, enough: float, reading: str, still: float) -> Part:
        def find(how: str):
            arm = pick(runs["vgg16"], norm="none", lr=0.001)
            distances = moved(arm)
            need(bool(np.isfinite(distances).all()), "runs that do not diverge")
            many = (distances < still).sum(axis=1)
            tensors = distances.shape[1]
            outcomes = many == tensors if enough == 1 else many > enough * tensors
            span = " to ".join(f"{count}" for count in sorted({many.min(), many.max()}))
            return replace(share(outcomes), note=f"{span} of {tensors} tensors a run")

        at = {"reading": f"{which} to {reading}"}
        return Part("runs whose weight tensors stay", AT_LEAST, RUNS, find, at=at, bound=HALF)

    return [
        stay(which, enough, reading, still)
        for reading, still in (
            ("10⁻⁴ of their length", STILL),
            ("2⁻²⁴ of it", ROUNDING),
        )
        for which, enough in (("all", 1), ("most", HALF))
    ]


@claim(
    "S4.29b",
    source=S4,
    says="With batch norm VGG-16's loss falls faster and its accuracy is higher, on CIFAR-10 and "
    "CIFAR-100, at every learning rate.",
    rule="For each data set and learning rate two parts: the training loss, averaged over the "
    "epochs, is lower with batch norm, and the test accuracy after the last epoch is higher, "
    f"judged with running averages, as the source evaluates. {TWO_OUTCOMES}",
    needs=["vgg16"],
)
def faster_and_better(runs: Experiments) -> list[Part]:
    some = runs["vgg16"]

    def both(dataset: str, lr: float) -> list[Part]:
        plain = {"dataset": dataset, "lr": lr, "norm": "none"}
        normed = plain | {"norm": _norm(some)}
        at = {"data": f"on {_title(dataset)}", "rate": f"at {lr:g}"}
        unit, fall = _above(training_loss, NATS, some, plain, normed, runs)
        faster = Part(
            "training loss, none − BN", MORE, unit, lambda how: fall(PRECISE), PRECISE, at
        )
        unit, gain = _above(accuracy, CIFAR, some, normed, plain, runs)
        return [faster, Part("test accuracy, BN − none", MORE, unit, gain, RUNNING, at)]

    return [
        part
        for dataset, of_data in some.by("dataset").items()
        for lr in of_data.values("lr")
        for part in both(dataset, lr)
    ]


def _above(
    measure: Measure,
    unit: Unit,
    some: Runs,
    one: Mapping[str, Any],
    other: Mapping[str, Any],
    runs: Experiments,
) -> tuple[Unit, Callable[[str], Finding]]:
    """How arm ``one`` is held against ``other``, and in which unit: by means, or by ranks where
    only some of an arm's runs learn."""
    ranked = any(two_outcomes(some.where(**arm)) for arm in (one, other))

    def find(how: str) -> Finding:
        pair = pick(some, **one), pick(some, **other)
        if ranked:
            return ranks(*(measure(arm, how) for arm in pair))
        return contrast(*pair, measure, how, runs)

    return RUNS if ranked else unit, find


def _norm(runs: Runs) -> str:
    """Of the arm with batch norm: ours or PyTorch's."""
    return next((norm for norm in runs.values("norm") if norm != "none"), "batch")


def _title(dataset: str) -> str:
    return dataset.upper().replace("CIFAR", "CIFAR-")


VGG = (sgd_fails, five_networks, does_not_update, faster_and_better)
