"""The controlled study's claims on what the plain network cannot do: sigmoids, high rates, wild
starts, and why (S1.9, S1.10, S1.12, S1.19, S1.21, S1.22)."""

from collections.abc import Callable, Iterable

import numpy as np

from bnlib.analysis.counts import share, shares
from bnlib.analysis.findings import Finding, mean
from bnlib.analysis.learning import LEARNS, PRECISE, RUNNING, learned, over_epochs, roughness
from bnlib.claims.arms import Experiments, arms, contrast, need, pick
from bnlib.claims.claim import claim
from bnlib.claims.controlled import DATED, SOURCE
from bnlib.claims.judge import AT_LEAST, AT_MOST, LESS, MORE, Part
from bnlib.claims.margins import CIFAR, RATIO, RUNS, UNITS
from bnlib.claims.outcomes import level
from bnlib.claims.regularisers import SHORTEST
from bnlib.run import Run, Runs

COUNTED = f"A run has learned when it ends above {LEARNS} times chance."


def _normed(runs: Runs) -> Runs:
    return arms(runs)[0]


def _plain(runs: Runs) -> Runs:
    return arms(runs)[1]


def long_enough(arms: Iterable[Runs]) -> None:
    """Refuse runs too short to see how much their accuracy scatters."""
    shortest = min(run.recipe.epochs for arm in arms for run in arm)
    need(shortest >= SHORTEST, f"runs of {SHORTEST} epochs")


def _only_with(runs: Experiments, name: str, where: str) -> Part:
    """More runs learn with BN than without."""

    def find(how: str) -> Finding:
        batch, none = arms(runs[name])
        return shares(learned(batch, how), learned(none, how))

    return Part("runs that learn, BN against none", MORE, RUNS, find, PRECISE, {"where": where})


@claim(
    "S1.9",
    source=SOURCE,
    dated=DATED,
    says="With sigmoids (and Xavier's start) the vanilla network is stuck at random guessing; with "
    "batch norm it converges but with major fluctuations.",
    rule=f"The deep CNN on CIFAR-10. {COUNTED} More runs learn with BN than without (Fisher's "
    "exact test). Fluctuations: with BN the validation accuracy scatters more around its trend, in "
    "the second half of the run (the last four epochs at least), with sigmoids than with ReLUs. "
    "Learning by precise statistics; fluctuations with running averages, the usual evaluation.",
    needs=["sigmoid", "cnn"],
)
def handles_sigmoids(runs: Experiments) -> list[Part]:
    def rougher(how: str) -> Finding:
        both = [_normed(runs[name]) for name in ("sigmoid", "cnn")]
        long_enough(both)
        need(all(learned(arm, how).all() for arm in both), "runs that all learn")
        return contrast(*both, roughness, how, runs)

    what = "scatter of the validation accuracy with BN, sigmoid / ReLU"
    return [
        _only_with(runs, "sigmoid", "with sigmoids"),
        Part(what, MORE, RATIO, rougher, RUNNING),
    ]


@claim(
    "S1.10",
    source=SOURCE,
    dated=DATED,
    says="At ten times the learning rate, .1, batch norm is more accurate and converges faster "
    "than at .01; the vanilla network is stuck at random guessing.",
    rule="The deep CNN on CIFAR-10, with BN, .1 against .01: test accuracy after the last epoch is "
    "higher; so is the validation accuracy on the mean over the epochs. At .1 more runs learn with "
    f"BN than without. {COUNTED} Accuracy with running averages, speed and learning by precise "
    "statistics.",
    needs=["fast", "cnn"],
)
def favours_high_rates(runs: Experiments) -> list[Part]:
    def high_and_low(how: str) -> list[Runs]:
        return [_normed(runs[name]) for name in ("fast", "cnn")]

    return [
        level("test accuracy with BN, .1 − .01", MORE, high_and_low, runs, at={}),
        level(
            "mean validation accuracy over the epochs with BN, .1 − .01",
            MORE,
            high_and_low,
            runs,
            measure=over_epochs,
            primary=PRECISE,
            at={},
        ),
        _only_with(runs, "fast", "at learning rate .1"),
    ]


@claim(
    "S1.12",
    source=SOURCE,
    dated=DATED,
    says="From weights drawn from N(0, 1) batch norm learns smoothly, but to a worse accuracy than "
    "from the baseline's start; the vanilla network is stuck.",
    rule="The deep CNN on CIFAR-10. From N(0, 1) more runs learn with BN than without. With BN the "
    "test accuracy after the last epoch is lower than from He's start, and the validation accuracy "
    f"scatters no more around its trend: at most 1.25 times as much. {COUNTED} Accuracy with "
    "running averages.",
    needs=["normal", "cnn"],
)
def handles_any_start(runs: Experiments) -> list[Part]:
    def wild_and_he(how: str) -> list[Runs]:
        return [_normed(runs[name]) for name in ("normal", "cnn")]

    def scatter(how: str) -> Finding:
        both = wild_and_he(how)
        long_enough(both)
        need(all(learned(arm, how).all() for arm in both), "runs that all learn")
        return contrast(*both, roughness, how, runs)

    smooth = "scatter of the validation accuracy with BN, N(0, 1) / He's"
    return [
        _only_with(runs, "normal", "from N(0, 1)"),
        level("test accuracy with BN, N(0, 1) − He's start", LESS, wild_and_he, runs, at={}),
        Part(smooth, AT_MOST, RATIO, scatter, RUNNING, bound=1.25),
    ]


def flat(what: str) -> Callable[[Runs], np.ndarray]:
    """A run's share of dead or saturated units at its end, mean over the layers; NaN of a run that
    diverged."""

    def share_of(run: Run) -> float:
        rows = run.arrays[f"units_{what}"]
        return np.nan if run.summary["diverged"] else float(rows[-1].mean())

    return lambda arm: np.array([share_of(run) for run in arm])


@claim(
    "S1.19",
    source=SOURCE,
    dated=DATED,
    says="Sigmoids saturate and ReLUs die without batch norm; batch norm helps to prevent both.",
    rule="The deep CNN on CIFAR-10, after the last epoch, mean over the layers, on 500 validation "
    "images: the share of saturated outputs of sigmoids (outside .03 to .97), of dead ReLU units "
    "(0 for every image) at the learning rates .01 and .1. Two questions of each: more without BN "
    "than with it; with BN at most 5 %. In training mode.",
    needs=["sigmoid", "fast", "cnn"],
)
def prevents_dead_units(runs: Experiments) -> list[Part]:
    asked = {
        "sigmoid": ("saturated", "share of saturated outputs", "sigmoids"),
        "cnn": ("dead", "share of dead units", "ReLUs at .01"),
        "fast": ("dead", "share of dead units", "ReLUs at .1"),
    }

    def without(name: str, what: str):
        def find(how: str) -> Finding:
            batch, none = arms(runs[name])
            values = [flat(what)(arm) for arm in (none, batch)]
            need(all(np.isfinite(some).all() for some in values), "runs that do not diverge")
            return contrast(none, batch, lambda arm, _: flat(what)(arm), how, runs)

        return find

    def with_bn(name: str, what: str):
        return lambda how: mean(flat(what)(_normed(runs[name])))

    return [
        part
        for name, (what, text, where) in asked.items()
        for part in (
            Part(f"{text}, none − BN", MORE, UNITS, without(name, what), at={"net": where}),
            Part(
                f"{text} with BN",
                AT_MOST,
                UNITS,
                with_bn(name, what),
                at={"net": where},
                bound=UNITS.margin,
            ),
        )
    ]


@claim(
    "S1.21",
    source=SOURCE,
    dated="2026-11-21T21:32:00+00:00",
    says="Vanishing and exploding gradients are avoided by batch norm's scale and shift "
    "parameters, which push activations into the regime that does not saturate.",
    rule="If it is γ and β that do it, a batch norm without them does not. The deep CNN on "
    "CIFAR-10, with sigmoids and at the learning rate .1. The rescue: without γ and β no more runs "
    "learn than without any norm. The rest: with them the test accuracy is higher; where some runs "
    "do not learn, they are counted instead. Judged by precise statistics.",
    needs=["sigmoid", "fast"],
)
def gamma_and_beta_do_it(runs: Experiments) -> list[Part]:
    places = {"sigmoid": "with sigmoids", "fast": "at learning rate .1"}

    def rescued(name: str):
        def find(how: str) -> Finding:
            bare = pick(runs[name], norm="bare")
            return shares(learned(bare, how), learned(_plain(runs[name]), how))

        return find

    def both(name: str):
        return lambda how: [_normed(runs[name]), pick(runs[name], norm="bare")]

    what = "runs that learn, BN without γ and β against none"
    rescues = [
        Part(what, AT_MOST, RUNS, rescued(name), PRECISE, {"where": where})
        for name, where in places.items()
    ]
    return rescues + [
        level(
            "test accuracy, BN − BN without γ and β",
            MORE,
            both(name),
            runs,
            at={"where": where},
            primary=PRECISE,
        )
        for name, where in places.items()
    ]


@claim(
    "S1.22",
    source=SOURCE,
    dated=DATED,
    says="Gradient clipping is another approach to exploding gradients. (That it makes the rate .1 "
    "usable is our reading.)",
    rule="The deep CNN on CIFAR-10 without norm at the learning rate .1, at each step the gradient "
    f"of all parameters together cut to length 1. {COUNTED} At least half of the runs learn; and "
    "their test accuracy is at most 1 point below that of the same network at .01.",
    needs=["clipped", "cnn"],
)
def clipping_helps(runs: Experiments) -> list[Part]:
    def learn(how: str) -> Finding:
        return share(learned(pick(runs["clipped"], norm="none"), how))

    def clipped(how: str) -> list[Runs]:
        return [pick(runs["clipped"], norm="none"), _plain(runs["cnn"])]

    what = "test accuracy without BN, clipped at .1 − plain at .01"
    return [
        Part("clipped runs that learn at .1", AT_LEAST, RUNS, learn, bound=0.5),
        level(what, AT_LEAST, clipped, runs, at={}, bound=-CIFAR.margin),
    ]


EXTREMES = (
    handles_sigmoids,
    favours_high_rates,
    handles_any_start,
    prevents_dead_units,
    gamma_and_beta_do_it,
    clipping_helps,
)
