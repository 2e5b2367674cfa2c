"""Claims on the loss landscape that training sees (S3.27, S3.28, S4.32).

Factors are judged as log₂ of none / BN, seed by seed: above zero is smoother with batch norm. Each
phase of a run (first tenth, middle, last tenth) counts by the median of its samples; the ratios of
the maxima are shown beside and not judged.
"""

from collections.abc import Callable

import numpy as np

from bnlib.analysis.stats import by_phase
from bnlib.claims.arms import NotTested, arms, pick
from bnlib.claims.first_scheme import (
    CHANCE,
    EVALUATIONS,
    Claim,
    Finding,
    Verdict,
    above,
    final,
    together,
)
from bnlib.run import Runs

S3 = "CIFAR-10 exploration (S3)"
S4 = "BatchNorm experiments (S4)"
WORKS = 0.9  # of the arm's own best accuracy
GREATLY = 2.0  # times
PHASES = ("early", "middle", "late")


def width(arm: Runs) -> np.ndarray:
    """Largest minus smallest loss along the gradient: (runs, samples)."""
    return np.ptp(arm.array("gradient_losses"), axis=2)


def predictiveness(arm: Runs) -> np.ndarray:
    """How far the gradient changes along itself, at most: (runs, samples)."""
    return arm.array("gradient_changes").max(axis=2)


def smoothness(arm: Runs) -> np.ndarray:
    return arm.array("gradient_beta")


def last_layer(arm: Runs) -> np.ndarray:
    """The source's gradient difference: the last layer's, from one batch to the next."""
    return arm.array("consecutive_changes")


def last_layer_beta(arm: Runs) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):  # weights that stay where they are
        return arm.array("consecutive_changes") / arm.array("consecutive_moves")


PAPERS = {"change of the gradient": predictiveness, "effective β": smoothness}
SOURCES = {
    "difference of the last layer's gradients": last_layer,
    "the source's β": last_layer_beta,
}
MEASURES = {"spread of the loss": width} | PAPERS


def both(runs: Runs, measure: Callable[[Runs], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The measure without and with batch norm: (runs, samples) each, as long as the longest run, so
    that a phase is the same part of the training in both."""
    batch, none = arms(runs)
    series = measure(Runs([*none, *batch]))
    if series.shape[1] < len(PHASES):
        raise NotTested("The runs have fewer than three samples of the landscape.")
    return series[: len(none)], series[len(none) :]


def phases(series: np.ndarray) -> dict[str, np.ndarray]:
    """Median and maximum of every phase: {phase: (2, runs)}."""
    of_runs = [by_phase(row) for row in series]
    return {phase: np.array([row[phase] for row in of_runs]).T for phase in PHASES}


def smoother(runs: dict[str, Runs]) -> Verdict:
    judged, shown, words = [], [], {phase: [] for phase in PHASES}
    for what, measure in MEASURES.items():
        none, batch = map(phases, both(runs["landscape"], measure))
        for phase in PHASES:
            (medians, maxima), (medians_bn, maxima_bn) = none[phase], batch[phase]
            judged.append(_factor(f"{what}, {phase}, medians", medians, medians_bn))
            shown.append(_factor(f"{what}, {phase}, maxima", maxima, maxima_bn))
            words[phase].append(above(judged[-1]))
    said = {phase: together(found) for phase, found in words.items()}
    because = "; ".join(f"{phase}: {word}" for phase, word in said.items())
    return Verdict(together(said.values()), because.capitalize() + ".", (*judged, *shown))


def _factor(what: str, none: np.ndarray, batch: np.ndarray) -> Finding:
    with np.errstate(divide="ignore", invalid="ignore"):  # a run that ended has no number
        return Finding.of_pairs(f"{what}, none / BN", np.log2(none), np.log2(batch), 1, "log₂")


def shorter_and_smaller(runs: dict[str, Runs]) -> Verdict:
    one_rate = pick(runs["separate"], lr=0.001)
    words, findings = {}, []
    for way, measures, experiment in (
        ("as the source measures", SOURCES, one_rate),
        ("as the paper measures", PAPERS, runs["landscape"]),
    ):
        found = [
            _factor(what, *map(_median, both(experiment, measure)))
            for what, measure in measures.items()
        ]
        shorter, smaller = above(found[0]), above(found[1], np.log2(GREATLY))
        words[way] = together((shorter, smaller))
        findings += found
    because = "; ".join(f"{way}: {word}" for way, word in words.items())
    return Verdict(together(words.values()), because.capitalize() + ".", tuple(findings))


def _median(series: np.ndarray) -> np.ndarray:
    """Of each run's samples; the last one may have no next step to compare with."""
    return np.median(series[:, :-1], axis=1)


def separate_band(arm: Runs) -> np.ndarray:
    """The source's band: largest minus smallest loss over a seed's learning rates, mean over the
    samples: one number a seed."""
    bands = [np.ptp(rates.array("loss"), axis=0) for rates in arm.by("seed").values()]
    return np.array([band.mean() for band in bands])


def working_range(arm: Runs, how: str) -> np.ndarray:
    """How many factors of ten the learning rates span that end within 90 % of the best: a seed
    each."""
    rates = sorted(arm.values("lr"))
    if len(rates) < 2:
        raise NotTested("There are runs at one learning rate only.")
    accuracies = np.array([final(pick(arm, lr=lr), how) for lr in rates])
    works = (accuracies >= WORKS * np.nanmax(accuracies, axis=0)) & (accuracies > 2 * CHANCE)
    decades = np.log10(rates)
    return np.array([np.ptp(decades[column]) if column.any() else 0.0 for column in works.T])


def faster(arm: Runs) -> np.ndarray:
    """Mean training loss over the epochs and learning rates: one number a seed."""
    return np.mean([some.history("train_loss") for some in arm.by("lr").values()], axis=(0, 2))


def narrower_faster_wider(runs: dict[str, Runs]) -> Verdict:
    batch, none = arms(runs["separate"])
    band = _factor("the source's band", separate_band(none), separate_band(batch))
    spreads = map(_median, both(runs["landscape"], width))
    proper = _factor("spread of the loss along the gradient, median", *spreads)
    speed = Finding.of_pairs("mean training loss, none − BN", faster(none), faster(batch), 1, "")
    batch, none = arms(runs["sweep"])
    spans = [
        Finding.of_pairs(
            f"range of learning rates that work, BN − none, {how}",
            working_range(batch, how),
            working_range(none, how),
            1,
            "decades",
        )
        for how in EVALUATIONS
    ]
    words = {
        "narrower band": together((above(band), above(proper))),
        "faster": above(speed),
        "wider range": together(map(above, spans)),
    }
    because = "; ".join(f"{what}: {word}" for what, word in words.items())
    findings = (band, proper, speed, *spans)
    return Verdict(together(words.values()), because.capitalize() + ".", findings)


LANDSCAPE = (
    Claim(
        "S3.27",
        S3,
        "Over four learning rates batch norm's loss band is narrower, training is faster, and a "
        "wider range of learning rates works.",
        "Three parts. The band must be narrower as the source measures it (networks trained apart "
        "with Adam; largest minus smallest loss at a step, averaged over the run) and as the paper "
        "does (along the gradient of one network). Faster: a lower training loss, averaged over "
        "the source's four rates and the epochs. Range: of the sweep, in factors of ten, the rates "
        f"whose accuracy is at least {100 * WORKS:g} % of the arm's best and above "
        f"{200 * CHANCE:g} %, under both evaluations; an arm that learns at none spans 0.",
        narrower_faster_wider,
    ),
    Claim(
        "S3.28",
        S3,
        "With batch norm the distance between gradients shortens, and β greatly decreases.",
        "The median over a run, twice: as the source measures (the last layer's gradients of "
        "consecutive batches, Adam at .001) and as the paper does (all parameters, same batch, "
        f"along the gradient). The distance must be smaller, β at least {GREATLY:g} times.",
        shorter_and_smaller,
    ),
    Claim(
        "S4.32",
        S4,
        "With batch norm the loss landscape is smoother, gradients are more predictive and β is "
        "smaller.",
        "Three measures along the gradient (spread of the loss, largest change of the gradient, "
        "effective β) in three phases (first tenth, middle, last tenth of the run); the ratio of "
        "medians none / BN above 1 supports, below 1 contradicts. Both arms start from Xavier's "
        "weights, have the same learning rate and the same step sizes.",
        smoother,
    ),
)
