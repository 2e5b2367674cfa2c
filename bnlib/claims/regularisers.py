"""The claims on dropout and weight decay beside batch norm (S0.4a, S0.4b, S0.5).

Dropout is judged at p = .5, AlexNet's own and the source's, behind the linear layers, where AlexNet
has it, and behind the convolutions. All of it is judged with running averages: what dropout does to
batch norm is done to them, by shifting the variance that they stand for, so that precise statistics
would take away the very thing that is claimed.
"""

import math

import numpy as np

from bnlib.analysis.findings import Finding
from bnlib.analysis.learning import (
    RUNNING,
    accuracy,
    curves,
    first_epochs,
    guessing,
    learned,
    over_epochs,
    roughness,
    time_constants,
    time_to,
    time_to_own_best,
)
from bnlib.claims.arms import Experiments, NotTested, arms, combined, contrast, need, pick
from bnlib.claims.claim import claim
from bnlib.claims.judge import AT_MOST, LESS, MORE, Part
from bnlib.claims.margins import CIFAR, RATIO
from bnlib.claims.outcomes import level, longer
from bnlib.run import Runs

SOURCE = "Report on batch normalisation in AlexNet (S0)"
RATE = 0.5
PLACES = {"fc": "behind the linear layers", "conv": "behind the convolutions"}
SAME = 0.9  # of what the network without dropout ends at: the accuracy that both are timed to
ABOVE = 3  # times guessing: an arm below has little left to lose
SHORTEST = 4  # epochs, to see how rough the second half of a curve is
SETTLED = 3  # time constants of the weight decay: by then 95 % of its effect is there


def _dropout(runs: Experiments, place: str) -> dict[str, Runs]:
    """The four arms of a position."""
    batch, none = arms(runs["dropout"])
    dropped = {"dropout": RATE, "dropout_at": place}
    return {
        "BN": pick(batch, dropout=0.0),
        "both": pick(batch, **dropped),
        "neither": pick(none, dropout=0.0),
        "alone": pick(none, **dropped),
    }


@claim(
    "S0.4a",
    source=f"Li et al. 2019; {SOURCE}",
    says="The interaction of dropout with batch norm is very bad: adding dropout to the network "
    "with batch norm makes it take longer to converge.",
    rule="At p = .5, for each position, with BN: validation accuracy, on the mean over the epochs, "
    "is lower with dropout than without; with dropout it takes more epochs to the same accuracy "
    "(90 % of what the network without dropout ends at) and to 95 % of a run's own highest. "
    "Interaction: dropout costs more test accuracy with BN than without; that needs all four arms "
    "above three times guessing, since next to the floor there is nothing left to lose. Judged "
    "with running averages: it is they that dropout disturbs.",
    needs=["dropout"],
)
def slows_batch_norm(runs: Experiments) -> list[Part]:
    return [part for place in PLACES for part in (*_slower(runs, place), _interaction(runs, place))]


def _slower(runs: Experiments, place: str) -> list[Part]:
    at = {"place": PLACES[place]}

    def pair(how: str) -> tuple[Runs, Runs]:
        found = _dropout(runs, place)
        return found["both"], found["BN"]

    def to_the_same(arm: Runs, how: str) -> np.ndarray:
        end = curves(_dropout(runs, place)["BN"], how)[:, -1].mean()
        return time_to(SAME * end)(arm, how)

    lower = "mean validation accuracy over the epochs with BN, with dropout − without"
    same = "epochs to the same accuracy with BN, with dropout / without"
    own = "epochs to 95 % of its own best with BN, with dropout / without"
    return [
        level(lower, LESS, pair, runs, measure=over_epochs, at=at),
        longer(same, pair, to_the_same, runs, at=at),
        longer(own, pair, time_to_own_best, runs, at=at),
    ]


def _interaction(runs: Experiments, place: str) -> Part:
    def costs(how: str) -> Finding:
        four = list(_dropout(runs, place).values())
        for arm in four:
            high = (accuracy(arm, how) > ABOVE * guessing(arm)).all()
            need(bool(high), f"four arms above {ABOVE} times guessing")
        return combined(four, (1, -1, -1, 1), accuracy, how, runs)

    what = "cost of dropout in test accuracy, with BN − without"
    return Part(what, MORE, CIFAR, costs, RUNNING, {"place": PLACES[place]})


@claim(
    "S0.4b",
    source=SOURCE,
    says="Dropout without batch norm is worse in the first epochs and takes longer (about 6 "
    "epochs) to its best error than dropout with batch norm, but it ends better and smoother.",
    rule="At p = .5, for each position, four parts, dropout alone against dropout with BN: lower "
    "validation accuracy on the mean over the first three epochs; more epochs to 95 % of a run's "
    "own highest; higher test accuracy after the last epoch; less scatter of the validation "
    "accuracy around its trend in the second half, which needs runs that learn. Judged with "
    "running averages, as the source evaluates.",
    needs=["dropout"],
)
def alone_is_better(runs: Experiments) -> list[Part]:
    return [part for place in PLACES for part in _alone_against_both(runs, place)]


def _alone_against_both(runs: Experiments, place: str) -> list[Part]:
    at = {"place": PLACES[place]}

    def pair(how: str) -> tuple[Runs, Runs]:
        found = _dropout(runs, place)
        return found["alone"], found["both"]

    def smoother(how: str) -> Finding:
        both = pair(how)
        epochs = min(run.recipe.epochs for arm in both for run in arm)
        need(epochs >= SHORTEST, f"{SHORTEST} epochs")
        need(all(learned(arm, how).all() for arm in both), "runs that all learn")
        return contrast(*both, roughness, how, runs)

    starts = "validation accuracy in the first three epochs, dropout alone − with BN"
    takes = "epochs to 95 % of its own best, dropout alone / with BN"
    ends = "test accuracy after the last epoch, dropout alone − with BN"
    rough = "roughness of the second half, dropout alone / with BN"
    return [
        level(starts, LESS, pair, runs, measure=first_epochs, ranked=True, at=at),
        longer(takes, pair, time_to_own_best, runs, at=at),
        level(ends, MORE, pair, runs, at=at),
        Part(rough, LESS, RATIO, smoother, RUNNING, at),
    ]


@claim(
    "S0.5",
    source=SOURCE,
    says="Adding L2 regularisation to the model with batch norm does not increase its performance.",
    rule="One-sided: each strength gains at most 1 point of test accuracy over none, with BN. It "
    "needs runs of 3 time constants of the weight decay, 1 / (2 η λ) steps each: shorter ones "
    "end before it has done anything. Judged with running averages, as the source evaluates.",
    needs=["decay"],
)
def decay_adds_nothing(runs: Experiments) -> list[Part]:
    batch, _ = arms(runs["decay"])
    strengths = sorted(decay for decay in batch.values("weight_decay") if decay)
    if not strengths:
        raise NotTested("There is no run with weight decay.")

    def against_none(decay: float):
        def pair(how: str) -> list[Runs]:
            longest = max(pick(batch, weight_decay=decay).values("epochs"))
            some = [pick(batch, weight_decay=w, epochs=longest) for w in (decay, 0.0)]
            lasted = min(time_constants(run) for run in some[0])
            steps = min(run.summary["steps"] for run in some[0])
            wanted = math.ceil(steps * SETTLED / lasted)
            what = f"{wanted:,} steps, {SETTLED} time constants of the weight decay, not {steps:,}"
            need(lasted >= SETTLED, what)
            return some

        return pair

    what = "test accuracy with BN, gain over no L2"
    return [
        level(
            what, AT_MOST, against_none(w), runs, at={"strength": f"λ = {w:g}"}, bound=CIFAR.margin
        )
        for w in strengths
    ]
