"""What the VGG chapter says in a few lines, its numbers from the records."""

import numpy as np

from bnlib.analysis import landscape
from bnlib.analysis.counts import share
from bnlib.analysis.learning import PRECISE, best, learned
from bnlib.book.boxes import Html, box
from bnlib.book.landscape_tables import phase_ratio
from bnlib.book.measured import times
from bnlib.book.rates import near_the_best
from bnlib.claims.arms import arms
from bnlib.claims.margins import CIFAR, three_digits
from bnlib.run import Runs

LARGEST = 4.0  # times the learning rate


def short_answer(runs: dict[str, Runs]) -> Html:
    main, sweep = runs["landscape"], runs["sweep"]

    def off(measure, line: str = "gradient", phase: str = landscape.OFF) -> str:
        return phase_ratio(main, measure, phase, line)

    raw, free = (raising(main, LARGEST, line) for line in ("gradient", "scale_free"))
    near = max(raising(main, 0.9, "gradient"))
    works, fails = map(_learn, arms(sweep))
    return box(
        "The short answer",
        "Yes, along the gradient, once training is under way. Over steps of half to "
        f"{LARGEST:g} times the learning rate the loss varies "
        f"{off(landscape.width)} as much without batch norm as with it, and the gradient changes "
        f"{off(landscape.change)} as much. Units do not explain it: in scale-free units the "
        f"factors are {off(landscape.width, 'scale_free')} and "
        f"{off(landscape.change, 'scale_free')}.",
        "The gain is headroom. A step of .9 times the rate raises the batch's loss in "
        f"{near:.0f} % "
        f"of the samples of either network; one of {LARGEST:g} times in {raw[0]:.0f} % without and "
        f"{raw[1]:.0f} % with batch norm (longest scale-free step: {free[0]:.0f} and "
        f"{free[1]:.0f} %).",
        "Not everywhere: none / BN is below 1 over steps up to the learning rate, where both only "
        f"gain, {within(main)}; along a random direction, {off(landscape.width, 'random')}; and "
        f"on the plateau at the start, {off(landscape.width, phase=landscape.ON)} "
        f"({plateau(main)}).",
        f"More rates work within {sweep[0].recipe.epochs} epochs (narrower networks, n = "
        f"{len(sweep.values('seed'))}): over {len(sweep.values('lr'))} learning rates, from "
        f"Xavier's start, {works} learn with batch norm and {fails} without{by_rates(sweep)}. At "
        f"most {CIFAR.margin:g} point below the plain network's best end "
        f"{near_the_best(sweep, CIFAR)}.",
        "Not shown here: that the smoothness causes the faster learning; that β is smaller (it is "
        f"limited by the step sizes); and anything at full width. Scale: {main.scale}.",
    )


def _learn(arm: Runs) -> str:
    return share(learned(arm, PRECISE)).counted.removesuffix(" runs")


def by_rates(sweep: Runs) -> str:
    """The same above the plain network's best rate, and at the small rates where no plain run
    learns."""
    _, none = arms(sweep)
    chosen, rates = best(none, "lr", PRECISE), sorted(sweep.values("lr"))
    small = [r for r in rates if r < chosen and not learned(none.where(lr=r), PRECISE).any()]
    large = [r for r in rates if r > chosen]
    said = ""
    for some, where in ((large, f"at {min(large, default=0):g} and above"), (small, _at(small))):
        if some:
            counts = (
                _learn(Runs(run for r in some for run in arm.where(lr=r))) for arm in arms(sweep)
            )
            said += f"; {where}, " + " against ".join(counts)
    return said


def _at(rates: list[float]) -> str:
    return "at " + " and ".join(f"{rate:g}" for rate in rates)


def plateau(main: Runs) -> str:
    """How few looks the plateau has, and how far the other network is by then."""
    batch, none = arms(main)
    ends, seeds = landscape.plateau_ends(none), landscape.seeds_in(landscape.ON, none)
    looks = " or ".join(sorted({str(ends[seed]) for seed in seeds}))
    _, there = landscape.phase_pair(none, batch, lambda arm: arm.array("loss"), landscape.ON)
    return (
        f"{len(seeds)} seeds, {looks} looks each; the network with batch norm is already at a loss "
        f"of {np.mean(there):.1f}"
    )


def raising(main: Runs, multiple: float, line: str) -> list[float]:
    """Without and with batch norm: the share of the samples off the plateau, in percent, in which
    a step of so many times the learning rate raises the loss."""
    batch, none = arms(main)
    etas, ends = none[0].arrays["etas"], landscape.plateau_ends(none)
    nearest = int(np.abs(np.log(etas / (multiple * none[0].recipe.lr))).argmin())
    return [
        100 * float(landscape.raised(arm, line, ends)[:, nearest].mean()) for arm in (none, batch)
    ]


def within(main: Runs, line: str = "gradient") -> str:
    """None / BN: the spread of the loss over the steps up to the learning rate."""

    def series(arm: Runs) -> np.ndarray:
        return landscape.width_up_to(arm, 1, line)

    batch, none = arms(main)
    return times(*landscape.phase_pair(none, batch, series, landscape.OFF))


def limited(main: Runs) -> str:
    """How far β only tells which step size was the smallest."""
    said = []
    for arm, name in zip(reversed(arms(main)), ("without", "with"), strict=True):
        k, n = landscape.at_smallest_step(arm)
        level = float(np.nanmedian(landscape.saturation(arm)))
        most = float(np.nanmax(landscape.saturation(arm)))
        said.append(
            f"{name} batch norm the median of β is {three_digits(level)} / η_min (at most "
            f"{three_digits(most)} / η_min), found at the smallest step in {k} of {n} samples"
        )
    text = "; ".join(said)
    return text[:1].upper() + text[1:] + "."
