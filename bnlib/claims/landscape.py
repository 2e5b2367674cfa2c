"""Claims on the loss landscape that training sees (S3.27, S3.28, S4.32).

Ratios are none / BN, so that above 1 is smoother with batch norm. What is measured here during
training does not depend on how the network is evaluated.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from bnlib.analysis import landscape
from bnlib.analysis.counts import ranks, shares
from bnlib.analysis.course import common_level, reaches, training_loss
from bnlib.analysis.findings import Finding, difference
from bnlib.analysis.landscape import PHASES, SATURATED, Series
from bnlib.analysis.learning import LEARNS, PRECISE, guessing, time_to
from bnlib.claims.arms import Experiments, arms, contrast, need, pick
from bnlib.claims.claim import claim
from bnlib.claims.judge import AT_LEAST, MORE, Part
from bnlib.claims.margins import CIFAR, NATS, RATIO, RUNS
from bnlib.run import Runs

S3 = "Santurkar et al. 2018, as repeated in the CIFAR-10 exploration (S3)"
S4 = "Santurkar et al. 2018, as repeated in the BatchNorm experiments (S4)"
GREATLY = 2.0  # times
SOURCES, PAPERS = "as the source measures", "as the paper measures"
UNITS = {"gradient": "in raw units", "scale_free": "in scale-free units"}
UNSATURATED = (
    "smaller steps: the smallest already changes the gradient by about its own length in both arms"
)
BETA_NEEDS = (
    "β cannot exceed about 1 / the smallest step; where β times that step is above "
    f"{SATURATED:g} in both arms, it cannot be compared."
)
LEVEL = "the best mean validation accuracy of the network without norm, less a point"


@claim(
    "S3.27",
    source=S3,
    says="Over four learning rates batch norm's loss band is narrower, training is faster, and a "
    "wider range of learning rates works.",
    rule="Band: narrower as the source measures it (networks trained apart with Adam at its four "
    "rates; largest minus smallest loss at a step, mean over the run) and as the paper does (along "
    "the gradient of one network; median over the run). Faster: the training loss, averaged over "
    "the epochs and the source's four rates, is lower; and over all runs at these rates the "
    f"validation accuracy sooner reaches one level, the same for both arms: {LEVEL} (ranks). Wider "
    "range: of the sweep's runs more end at such a level or above (Fisher's test, cautious "
    "here, since the runs of an arm differ in their rate too). The rates lie evenly in their "
    "logarithm, so this counts how far the range goes, and a better batch norm cannot narrow it.",
    needs=["separate"],
)
def narrower_faster_wider(runs: Experiments) -> list[Part]:
    band, loss = "width of the loss's band, none / BN", "training loss, none − BN, four rates"

    def of_networks_apart(how: str) -> Finding:
        batch, none = arms(runs["separate"])
        several = len(none.values("lr")) > 1
        need(several, "networks trained apart at several learning rates")
        return _by_seed(_log2(landscape.band(none)), _log2(landscape.band(batch)))

    def along_the_gradient(how: str) -> Finding:
        return _factor(runs["landscape"], landscape.width)

    def lower(how: str) -> Finding:
        batch, none = arms(runs["separate"])
        return _by_seed(*(_over_the_rates(arm) for arm in (none, batch)))

    def sooner(how: str) -> Finding:
        batch, none = arms(runs["separate"])
        level = _level(none, how)
        found = ranks(*(time_to(100 * level)(arm, how) for arm in (none, batch)))
        return replace(found, note=f"to {100 * level:.1f} % of the validation images")

    def wider(how: str) -> Finding:
        batch, none = arms(runs["sweep"])
        rates = len(none.values("lr"))
        need(rates > 1, "a sweep of learning rates")
        level = _level(none, how)
        found = shares(*(reaches(arm, level, how) for arm in (batch, none)))
        return replace(found, note=f"{rates} rates; {100 * level:.1f} % of the validation images")

    return [
        Part(band, MORE, RATIO, of_networks_apart, at={"way": SOURCES}),
        Part(band, MORE, RATIO, along_the_gradient, at={"way": PAPERS}),
        Part(loss, MORE, NATS, lower),
        Part("epochs to the same accuracy, none against BN", MORE, RUNS, sooner),
        Part("runs of the sweep that work, BN − none", MORE, RUNS, wider),
    ]


@claim(
    "S3.28",
    source=S3,
    says="With batch norm the distance between gradients shortens, and β greatly decreases.",
    rule="The median over a run, twice: as the source measures (the last layer's gradients of "
    "consecutive steps, which have different batches; Adam at .001) and as the paper does (all "
    "parameters, the same batch, along the gradient). The distance is shorter; β is smaller by a "
    f"factor of {GREATLY:g} at least, which is what “greatly” must mean. {BETA_NEEDS}",
    needs=["separate"],
)
def shorter_and_smaller(runs: Experiments) -> list[Part]:
    def apart(series: Series):
        return lambda how: _factor(pick(runs["separate"], lr=0.001), series)

    def along(series: Series, saturation: Series | None = None):
        return lambda how: _factor(runs["landscape"], series, saturation)

    ways = {
        SOURCES: (apart(landscape.last_layer), apart(landscape.last_layer_beta)),
        PAPERS: (along(landscape.change), along(landscape.beta, landscape.saturation)),
    }
    distance, beta = "distance between gradients, none / BN", "β, none / BN"
    return [
        Part(distance, MORE, RATIO, find, at={"way": way}) for way, (find, _) in ways.items()
    ] + [
        Part(beta, AT_LEAST, RATIO, find, at={"way": way}, bound=GREATLY)
        for way, (_, find) in ways.items()
    ]


@claim(
    "S4.32",
    source=S4,
    says="With batch norm the loss landscape is smoother, gradients are more predictive and β is "
    "smaller.",
    rule="Three measures along the gradient: the spread of the loss, the largest change of the "
    "gradient, the effective β. Each in raw units and in scale-free ones, in which rescaling the "
    "weights changes nothing; and each in two phases, which an event divides: the network without "
    "norm first reaches a loss of "
    f"{landscape.PLATEAU:g} (guessing costs 2.30) and is off its plateau. A phase is the same "
    "steps in both arms of a seed and counts by the median of its samples; a seed with fewer than "
    f"{landscape.FEWEST} samples there is left out. Both arms start from Xavier's weights and have "
    f"the same learning rate and the same step sizes. {BETA_NEEDS}",
    needs=["landscape"],
)
def smoother(runs: Experiments) -> list[Part]:
    def part(what: str, series: Callable, phase: str, line: str) -> Part:
        saturation = landscape.saturation if series is landscape.beta else None

        def find(how: str) -> Finding:
            lines = (partial(some, line=line) if some else None for some in (series, saturation))
            return _factor(runs["landscape"], *lines, phase=phase)

        at = {"phase": phase, "units": UNITS[line]}
        return Part(f"{what}, none / BN", MORE, RATIO, find, at=at)

    return [
        part(what, series, phase, line)
        for line in UNITS
        for phase in reversed(PHASES)
        for what, series in landscape.MEASURES.items()
    ]


def _factor(
    some: Runs, series: Series, saturation: Series | None = None, phase: str = ""
) -> Finding:
    """log₂ of none / BN, each run by the median of its samples, in a phase or over the run."""
    batch, none = arms(some)
    ended = any(run.summary["diverged"] for run in (*batch, *none))
    need(not ended, "runs that do not diverge: count those that do")
    if phase:
        seeds = set(landscape.seeds_in(phase, none)) & {run.recipe.seed for run in batch}
        where = f"{phase} of the network without norm"
        need(bool(seeds), f"{landscape.FEWEST} samples {where}: look more often or train longer")
        batch, none = (Runs(r for r in arm if r.recipe.seed in seeds) for arm in (batch, none))
        ends = landscape.plateau_ends(none)

    def middle(series: Series, arm: Runs) -> np.ndarray:
        if phase:
            return landscape.in_phase(arm, series(arm), phase, ends)
        return landscape.over_the_run(series(arm))

    if saturation:
        saturated = [middle(saturation, arm).mean() > SATURATED for arm in (none, batch)]
        need(not all(saturated), UNSATURATED)
    kind = {"these": Runs([*none, *batch])}
    return contrast(none, batch, lambda arm, how: _log2(middle(series, arm)), PRECISE, kind)


def _by_seed(none: np.ndarray, batch: np.ndarray) -> Finding:
    """none − BN of what takes all of a seed's learning rates: one number a seed."""
    need(bool(np.isfinite([*none, *batch]).all()), "runs that do not diverge: count those that do")
    return difference(none, batch)


def _over_the_rates(arm: Runs) -> np.ndarray:
    """Mean training loss over the epochs and learning rates: one number a seed."""
    return np.array([training_loss(rates).mean() for rates in landscape.by_seed(arm)])


def _level(none: Runs, how: str) -> float:
    """A level of validation accuracy that is the same for both arms."""
    level = common_level(none, CIFAR.margin, how)
    need(
        100 * level > LEARNS * guessing(none),
        "a network without norm that learns at one of the rates",
    )
    return level


def _log2(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):  # what is 0 has no number here
        return np.log2(values)


LANDSCAPE = (narrower_faster_wider, shorter_and_smaller, smoother)
