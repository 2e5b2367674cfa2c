"""The AlexNet report's claims on dropout and weight decay (S0.4a, S0.4b, S0.5).

Dropout is judged at p = .5, AlexNet's own and the source's; the other rates are shown.
"""

import numpy as np

from bnlib.claims.arms import NotTested, arms, pick
from bnlib.claims.first_scheme import (
    EVALUATIONS,
    Claim,
    Finding,
    Verdict,
    above,
    curves,
    epochs_to_best,
    final,
    together,
    twice,
)
from bnlib.run import Runs

SOURCE = "Zhu, AlexNet report (S0)"
RATE = 0.5
PLACES = {"fc": "in the linear layers", "conv": "in the convolutions"}
LITTLE = 1.0  # percentage points


def average(arm: Runs, how: str) -> np.ndarray:
    """The mean test accuracy over the epochs: high where learning is fast."""
    return curves(arm, how).mean(axis=1)


def first(arm: Runs, how: str) -> np.ndarray:
    return curves(arm, how)[:, 0]


def roughness(arm: Runs, how: str) -> np.ndarray:
    """Standard deviation of the change from one epoch to the next, over the second half."""
    accuracies = curves(arm, how)
    late = max(3, accuracies.shape[1] - accuracies.shape[1] // 2)
    return np.diff(accuracies[:, -late:], axis=1).std(axis=1)


def slows_batch_norm(runs: dict[str, Runs]) -> Verdict:
    batch, none = arms(runs["dropout"])
    plain = [pick(arm, dropout=0.0) for arm in (batch, none)]
    slower, bad = [], []
    for place, name in PLACES.items():
        both, alone = (pick(arm, dropout=RATE, dropout_at=place) for arm in (batch, none))
        slower += twice(f"mean over epochs, BN − BN with dropout {name}", plain[0], both, average)
        for how in EVALUATIONS:
            of_batch = final(both, how) - final(plain[0], how)
            of_none = final(alone, how) - final(plain[1], how)
            what = f"cost of dropout {name}, with BN − without, {how}"
            bad.append(Finding.of_pairs(what, -of_batch, -of_none))
    words = together(map(above, slower)), together(map(above, bad))
    because = (
        f"Slower with dropout: {words[0]}. Dropout costs more accuracy with batch norm than "
        f"without it: {words[1]}. Rows show the position and the evaluation."
    )
    return Verdict(together(words), because, (*slower, *bad))


def alone_is_better(runs: dict[str, Runs]) -> Verdict:
    batch, none = arms(runs["dropout"])
    parts = {  # name: (measure, sign of alone − both that the claim says, scale, unit)
        "starts worse": (first, -1, 100, "points"),
        "takes longer to its best": (epochs_to_best, 1, 1, "epochs"),
        "ends better": (final, 1, 100, "points"),
        "is smoother": (roughness, -1, 100, "points"),
    }
    findings, words, said = [], [], ""
    for place, where in PLACES.items():
        both, alone = (pick(arm, dropout=RATE, dropout_at=place) for arm in (batch, none))
        for part, (measure, sign, scale, unit) in parts.items():
            pair = (alone, both) if sign > 0 else (both, alone)
            order = "alone − with BN" if sign > 0 else "with BN − alone"
            what = f"{part} ({order}), dropout {where}"
            found = twice(what, *pair, measure, scale, unit)
            words.append(together(map(above, found)))
            findings += found
        found = ", ".join(f"{p}: {w}" for p, w in zip(parts, words[-len(parts) :], strict=True))
        said += f"Dropout {where}: {found}. "
    return Verdict(together(words), said.strip(), tuple(findings))


def decay_adds_nothing(runs: dict[str, Runs]) -> Verdict:
    batch, _ = arms(runs["decay"])
    without = pick(batch, weight_decay=0.0)
    findings, words = [], {}
    strengths = sorted(strength for strength in batch.values("weight_decay") if strength)
    if not strengths:
        raise NotTested("There is no run with weight decay.")
    for decay in strengths:
        found = twice(
            f"test accuracy with BN, L2 {decay:g} − none", batch.where(weight_decay=decay), without
        )
        words[decay] = together(_at_most_little(f) for f in found)
        findings += found
    because = "; ".join(f"{decay:g}: {word}" for decay, word in words.items()) + "."
    return Verdict(together(words.values()), because, tuple(findings))


def _at_most_little(finding: Finding) -> str:
    """The claim says: the gain is no more than the margin."""
    word = above(finding, LITTLE)
    return {"supported": "contradicted", "contradicted": "supported"}.get(word, word)


DROPOUT = Claim(
    "S0.4a",
    SOURCE,
    "The interaction of dropout with batch norm is very bad: adding dropout to the network with "
    "batch norm makes it take longer to converge.",
    f"At p = {RATE:g}, behind the linear layers and behind the convolutions: the mean test "
    "accuracy over the epochs is lower with dropout, and dropout lowers the final accuracy by more "
    "with batch norm than without. Both evaluations; words that differ give “mixed”.",
    slows_batch_norm,
)
DROPOUT_ALONE = Claim(
    "S0.4b",
    SOURCE,
    "Dropout without batch norm is worse in the first epochs and takes longer (about 6 epochs) to "
    "its best error than dropout with batch norm, but it ends better and smoother.",
    f"At p = {RATE:g}, in both positions, four differences: test accuracy after the first epoch, "
    "epochs to 95 % of its own best, test accuracy after the last epoch, spread of the change "
    "from epoch to epoch over the second half. All four, in both positions and under both "
    "evaluations, must lie on the claim's side; words that differ give “mixed”.",
    alone_is_better,
)
DECAY = Claim(
    "S0.5",
    SOURCE,
    "Adding L2 regularisation to the model with batch norm does not increase its performance.",
    f"For every weight decay tried, the gain in test accuracy is below {LITTLE:g} point: supported "
    "if the whole interval is, contradicted if none of it is; under both evaluations.",
    decay_adds_nothing,
)
