"""The claims of the motivation chapter (S0.7, S1.20)."""

import numpy as np

from bnlib.claims.first_scheme import (
    Claim,
    Finding,
    Verdict,
    above,
    together,
)
from bnlib.run import Run, Runs

EARLY = 0.1  # of the steps; the rest is late
MARGIN = np.log2(1.1)  # a drift less than 10 % smaller counts as no smaller
SMALLEST = 1e-6  # a spread below it is that of a unit that gives one value to every image
PLACES = ("after", "before")  # the normalisation; without one it is the same place
PHASES = ("early", "late")


def drift(run: Run, place: str, phase: str, own_spread: bool = True) -> np.ndarray:
    """How far the quantiles of each unit's input travel in a phase of training: (units,).

    From one recorded moment to the next, the mean movement of the 15, 50 and 85 % quantiles, in
    units of the distance between the outer two (the mean of both moments), or as it is if not
    ``own_spread``; summed over the moments of the phase. NaN for a run that diverged.
    """
    steps = run.arrays["steps"]
    q = run.arrays[f"unit_{place}"].astype(float)  # (moments, quantiles, units)
    if run.summary["diverged"]:
        return np.full(q.shape[2], np.nan)
    moved = np.abs(np.diff(q, axis=0)).mean(axis=1)  # (moments - 1, units)
    if own_spread:
        spread = q[:, 2] - q[:, 0]
        moved /= np.maximum((spread[1:] + spread[:-1]) / 2, SMALLEST)
    early = steps[1:] <= EARLY * run.summary["steps"]
    return moved[early if phase == "early" else ~early].sum(axis=0)


def typical(runs: Runs, place: str, phase: str, own_spread: bool = True) -> np.ndarray:
    """The median drift over the units of each run: (runs,)."""
    return np.array([np.median(drift(run, place, phase, own_spread)) for run in runs])


def compared(runs: Runs, own_spread: bool = True) -> list[Finding]:
    """How many times smaller the drift is with BN (as log₂), for each place, phase and lr."""
    found = []
    for lr in sorted(runs.values("lr")):
        none, batch = (runs.where(lr=lr, norm=norm) for norm in ("none", "batch"))
        for place in PLACES:
            for phase in PHASES:
                arms = [np.log2(typical(arm, place, phase, own_spread)) for arm in (none, batch)]
                what = f"drift, none / BN, {place} BN, {phase}, lr {lr:g}"
                found.append(Finding.of_pairs(what, *arms, scale=1, unit="log₂"))
    return found


def drifts_less(runs: dict[str, Runs]) -> Verdict:
    findings = compared(runs["mnist"])
    words = [above(finding, MARGIN) for finding in findings]
    places = {
        place: [w for w, f in zip(words, findings, strict=True) if f"{place} BN" in f.what]
        for place in PLACES
    }
    said = "; ".join(
        f"what comes {place} BN drifts less in {some.count('supported')} of {len(some)} "
        f"comparisons, not less in {some.count('contradicted')}, and the interval is too wide in "
        f"{some.count('inconclusive')}"
        for place, some in places.items()
    )
    because = f"{said[0].upper()}{said[1:]}. Behind BN mean and spread are fixed by construction."
    return Verdict(together(words), because, tuple(findings))


def text_errors(runs: dict[str, Runs]) -> Verdict:
    summary = runs["mnist"][0].summary
    because = (
        "Mini-batch gradient descent updates the model after every mini-batch: "
        f"{summary['steps'] // summary['epochs']} times an epoch in the runs of this chapter. "
        "Updating after all examples is gradient descent on the full training set. Ioffe and "
        "Szegedy used a fully connected network with three hidden layers of 100 sigmoid units on "
        "MNIST (their section 4.1) and a variant of Inception on ImageNet (4.2). LeNet with batch "
        "normalisation is from “Dive into Deep Learning”."
    )
    return Verdict("contradicted", because, text=True)


MOTIVATION = (
    Claim(
        "S0.7",
        "Zhu, AlexNet with batch normalisation (S0)",
        "With mini-batches “the model is only updated after all training examples have been "
        "evaluated”; “the original paper […] used LeNet”.",
        "By reading the paper and counting the updates.",
        text_errors,
    ),
    Claim(
        "S1.20",
        "Schilling, slides (S1), after Ioffe and Szegedy",
        "The distributions of the layers change during training (internal covariate shift); batch "
        "normalisation is the solution: they drift less with it.",
        "Drift: path length of the 15, 50 and 85 % quantiles of a unit's input over training, in "
        "units of its own 15–85 % spread; the median over the units of the last hidden layer. "
        "Compared for the input after BN and before BN, in the first tenth of the steps and in the "
        "rest, at each learning rate. Less means that the 95 % interval of the paired ratio lies "
        "above 1.1 (log₂ above 0.14), not less that it lies below; conditions that differ give "
        "“mixed”.",
        drifts_less,
    ),
)
