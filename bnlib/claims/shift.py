"""Claims on internal covariate shift (S4.30, S4.31).

The shift is Definition 2.1 of Santurkar et al.: how far a layer's gradient G moves when the layers
before it take their step, on the same batch. Ratios are BN / none, so that above 1 is more shift
with batch norm. What is measured during training does not depend on how the network is evaluated.
"""

from collections.abc import Callable

import numpy as np

from bnlib.analysis import shift
from bnlib.analysis.counts import share
from bnlib.analysis.findings import Finding, difference, spread
from bnlib.analysis.landscape import FEWEST, OFF, ON, PLATEAU
from bnlib.analysis.layer_inputs import typical
from bnlib.analysis.learning import EVALUATIONS, Measure, accuracy, learned
from bnlib.catalogue import NORMS
from bnlib.claims.arms import Experiments, arms, contrast, need, pick
from bnlib.claims.claim import claim
from bnlib.claims.judge import AT_LEAST, AT_MOST, EQUAL, MORE, Part
from bnlib.claims.margins import CIFAR, RATIO, RUNS, with_power
from bnlib.run import Runs

S4 = "Santurkar et al. 2018, as repeated in the BatchNorm experiments (S4)"
PAPER = "Santurkar et al. 2018"
DATED = "2026-11-21T17:20:00+00:00"  # before any run was made that these rules judge
LAYERS = {"conv5": "layer 5 (conv5)", "fc2": "layer 10 (fc2)"}
SIMILAR = 0.8  # times: less than that, the reciprocal of the margin of a ratio, is not similar
WHEN = (OFF, ON, "at the same training loss")
MEASURES = {
    "distance": "distance ‖G − G′‖",
    "relative distance": "relative distance ‖G − G′‖ / ‖G‖",
    "angle": "angle between G and G′",
}


@claim(
    "S4.31",
    source=S4,
    says="Internal covariate shift at layers 5 and 10 is similar with batch norm or worse.",
    rule="Definition 2.1 in three measures: the distance ‖G − G′‖, which the paper plots; the same "
    "relative to ‖G‖; and the angle between the two (the paper plots its cosine). The last two do "
    "not change when weights are rescaled without changing the function. Similar or worse: BN / "
    f"none is at least {SIMILAR:g}, by the margin of a ratio. Compared at the same step, in two "
    "phases that an event divides (the network without norm first reaches a loss of "
    f"{PLATEAU:g}; a seed with fewer than {FEWEST} looks in a phase is left out), each run by the "
    "median of its looks; "
    "and at the same training loss: the median look in each range of the loss "
    f"({', '.join(f'{edge:g}' for edge in shift.EDGES)}) in which every run of both arms has one, "
    "geometric mean over these ranges. Both arms have the same start and learning rate. On the "
    "plateau it is asked at the first learning rate only.",
    needs=["shift"],
    dated=DATED,
)
def similar_or_worse(runs: Experiments) -> list[Part]:
    rates = runs["shift"].values("lr")
    return [
        shift_part(runs, what, layer, when, lr)
        for lr in rates
        for when in WHEN
        if when != ON or lr == rates[0]
        for layer in LAYERS
        for what in MEASURES
    ]


def shift_part(
    runs: Experiments, what: str, layer: str, when: str, lr: float, kind: str = AT_LEAST
) -> Part:
    """One measure at one layer, BN / none: at least similar, or of another ``kind``."""

    def find(how: str) -> Finding:
        batch, none = arms(pick(runs["shift"], lr=lr))

        def series(arm: Runs) -> np.ndarray:
            return shift.MEASURES[what](arm, layer)

        ended = any(run.summary["diverged"] for run in (*batch, *none))
        need(not ended, "runs that do not diverge: count those that do")
        if when in (ON, OFF):
            pair = shift.phase_pair(batch, none, series, when)
            missing = f"{FEWEST} looks {when} of the network without norm"
        else:
            pair = shift.loss_pair(batch, none, series)
            missing = "a range of the loss in which every run has a look"
        need(bool(len(pair[0])), missing)
        return _ratio(*pair)

    at = {"when": when, "layer": LAYERS[layer], "lr": f"at learning rate {lr:g}"}
    return Part(f"{MEASURES[what]}, BN / none", kind, RATIO, find, at=at, bound=SIMILAR)


@claim(
    "S4.31b",
    source=PAPER,
    says="In a deep linear network, too, internal covariate shift is similar with batch norm or "
    "worse.",
    rule="As S4.31, for 25 linear layers and gradient descent with all samples in every step; the "
    "median over the run, at each of the paper's learning rates and in its layers 9 and 17.",
    needs=["deep_linear"],
    dated=DATED,
)
def similar_or_worse_without_activations(runs: Experiments) -> list[Part]:
    def part(what: str, layer: str, lr: float) -> Part:
        def find(how: str) -> Finding:
            batch, none = arms(pick(runs["deep_linear"], lr=lr))
            one, other = (
                shift.over_the_run(shift.MEASURES[what](arm, layer)) for arm in (batch, none)
            )
            return _ratio(one, other)

        at = {"layer": layer, "lr": f"at learning rate {with_power(f'{lr:g}')}"}
        return Part(f"{MEASURES[what]}, BN / none", AT_LEAST, RATIO, find, at=at, bound=SIMILAR)

    some = runs["deep_linear"]
    return [
        part(what, layer, lr)
        for lr in some.values("lr")
        for layer in shift.names(some)
        for what in MEASURES
    ]


TEST = {"off": "noise off at test time", "on": "noise on at test time"}


@claim(
    "S4.30",
    source=S4,
    says="Networks with batch norm, and with batch norm and injected noise, perform better than "
    "those without; the network with just noise does not converge.",
    rule="Training accuracy of the last epoch, as trained, and test accuracy after it, with the "
    "noise off and, of noisy batch norm, on: higher than without norm. Noise alone: at most half "
    "of its runs learn (end above twice the accuracy of guessing), where all without noise do. "
    "And the noise has to do what it is for: in a single step the inputs of the activations travel "
    "further with noisy batch norm than without norm (Wasserstein-1 distance in units of a unit's "
    "own spread, median over units, layers and looks). All from He's start, at one learning rate.",
    needs=["noise"],
    dated=DATED,
)
def noisy_batch_norm_beats_none(runs: Experiments) -> list[Part]:
    def compared(one: str, text: str, measure: Measure, **at: str) -> Part:
        return Part(text, MORE, CIFAR, _difference(runs, one, "none", measure), at=at)

    def converges(how: str) -> Finding:
        _plain_learns(runs, how)
        return share(learned(_arm(runs, "noise"), how))

    def unsteady(how: str) -> Finding:
        return _ratio(*(typical(_arm(runs, norm), "after") for norm in ("noisy", "none")))

    off = {"test": TEST["off"]}
    return [
        compared("noisy", "test accuracy, noisy BN − none", accuracy, **off),
        compared("noisy", "test accuracy, noisy BN − none", noise_on, test=TEST["on"]),
        compared("noisy", "training accuracy, noisy BN − none", training_accuracy),
        compared("batch", "test accuracy, BN − none", accuracy, **off),
        compared("batch", "training accuracy, BN − none", training_accuracy),
        Part("runs that learn with noise alone", AT_MOST, RUNS, converges, bound=0.5),
        Part("movement of the inputs in one step, noisy BN / none", MORE, RATIO, unsteady),
    ]


@claim(
    "S4.30b",
    source=PAPER,
    says="Batch norm with injected noise performs comparably with batch norm.",
    rule="Training accuracy of the last epoch and test accuracy after it, noise off and on: equal "
    "within a point.",
    needs=["noise"],
    dated=DATED,
)
def noisy_batch_norm_is_batch_norm(runs: Experiments) -> list[Part]:
    def compared(text: str, measure: Measure, **at: str) -> Part:
        return Part(text, EQUAL, CIFAR, _difference(runs, "noisy", "batch", measure), at=at)

    return [
        compared("test accuracy, noisy BN − BN", accuracy, test=TEST["off"]),
        compared("test accuracy, noisy BN − BN", noise_on, test=TEST["on"]),
        compared("training accuracy, noisy BN − BN", training_accuracy),
    ]


def training_accuracy(arm: Runs, how: str) -> np.ndarray:
    """Of the last epoch, while it trained, in percent: (runs,)."""
    return 100 * arm.final("train_acc")


def noise_on(arm: Runs, how: str) -> np.ndarray:
    """Test accuracy after the last epoch with the noise on, in percent: (runs,)."""
    averages = all(NORMS[run.recipe.norm].averages for run in arm)
    name = "acc_noise" + EVALUATIONS[how] * averages
    return np.array([100 * run.arrays[name][-1] for run in arm])


def _arm(runs: Experiments, norm: str) -> Runs:
    """``batch`` is whatever batch norm the experiment has, ours or PyTorch's."""
    some = runs["noise"]
    return arms(some)[0] if norm == "batch" else pick(some, norm=norm)


def _plain_learns(runs: Experiments, how: str) -> None:
    need(bool(learned(_arm(runs, "none"), how).all()), "a network without norm that learns")


def _difference(
    runs: Experiments, one: str, other: str, measure: Measure
) -> Callable[[str], Finding]:
    def find(how: str) -> Finding:
        _plain_learns(runs, how)
        return contrast(_arm(runs, one), _arm(runs, other), measure, how, runs)

    return find


def _ratio(one: np.ndarray, other: np.ndarray) -> Finding:
    """log₂ of one / other, from a number a run."""
    with np.errstate(divide="ignore", invalid="ignore"):  # what is 0 has no number here
        pair = np.log2(one), np.log2(other)
    need(bool(np.isfinite(np.concatenate(pair)).all()), "gradients that are numbers and not 0")
    return difference(*pair, spread(pair))


SHIFT = (
    similar_or_worse,
    similar_or_worse_without_activations,
    noisy_batch_norm_beats_none,
    noisy_batch_norm_is_batch_norm,
)
