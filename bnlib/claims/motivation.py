"""The claims of the motivation chapter (S0.7, S1.20)."""

from collections.abc import Mapping

import numpy as np

from bnlib.analysis.drift import typical
from bnlib.analysis.findings import Finding
from bnlib.analysis.learning import PRECISE
from bnlib.claims.arms import Experiments, contrast, pick
from bnlib.claims.claim import claim, erratum
from bnlib.claims.judge import LESS, Part
from bnlib.claims.margins import RATIO
from bnlib.run import Runs

WHERE = {  # the parts: where a unit's input is taken, and in which phase of training
    "after BN (by construction)": ("after", ""),
    "before BN early": ("before", "early"),
    "before BN late": ("before", "late"),
}


def ratio(
    runs: Mapping[str, Runs], lr: float, place: str, phase: str = "", own_spread: bool = True
) -> Finding:
    """log₂ of the drift with BN over the drift without; the rest as for ``drift``."""
    batch, none = (pick(runs["mnist"], norm=norm, lr=lr) for norm in ("batch", "none"))

    def drifted(arm: Runs, how: str) -> np.ndarray:
        return np.log2(typical(arm, place, phase, own_spread))

    # the probe normalises by the statistics of its own pictures: there is one evaluation only
    return contrast(batch, none, drifted, PRECISE, runs)


@claim(
    "S1.20",
    source="Ioffe & Szegedy 2015; slides on batch normalisation (S1)",
    says="The distributions of the layers' inputs change during training (internal covariate "
    "shift); with batch normalisation they are more stable.",
    rule="Drift: path length of the 15, 50 and 85 % quantiles of a unit's input, in units of its "
    "own 15–85 % spread; the median over the units of the last hidden layer. Less with BN than "
    "without, at each learning rate and in three places: after BN, where the paper looks and where "
    "BN fixes mean and spread by construction, over the whole run; before BN, where nothing is "
    "fixed, in the first tenth of the steps; and there in the rest.",
    needs=["mnist"],
)
def drifts_less(runs: Experiments) -> list[Part]:
    return [
        Part(
            "drift, BN / none",
            LESS,
            RATIO,
            lambda how, lr=lr, looked=looked: ratio(runs, lr, *looked),
            at={"where": where, "lr": f"at learning rate {lr:g}"},
        )
        for where, looked in WHERE.items()
        for lr in sorted(runs["mnist"].values("lr"))
    ]


@erratum(
    "S0.7",
    source="AlexNet with batch normalisation (S0)",
    says="With mini-batches “the model is only updated after all training examples have been "
    "evaluated”; “the original paper […] used LeNet”.",
)
def text_errors(runs: Mapping[str, Runs]) -> str:
    updates = {run.summary["steps"] // run.summary["epochs"] for run in runs.get("mnist", ())}
    here = " or ".join(f"{many:,}" for many in sorted(updates))
    counted = f": {here} times an epoch in the MNIST runs of chapter 1" * bool(updates)
    return (
        f"Mini-batch gradient descent updates the model after every mini-batch{counted}. "
        "Updating after all examples is gradient descent on the whole training set. Ioffe and "
        "Szegedy used a fully connected network with three hidden layers of 100 sigmoid units on "
        "MNIST (their section 4.1) and a variant of Inception on ImageNet (4.2). LeNet with batch "
        "normalisation is from “Dive into Deep Learning”."
    )


MOTIVATION = (text_errors, drifts_less)
