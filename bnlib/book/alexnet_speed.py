"""How many times faster batch norm is on the AlexNet page: endpoint by endpoint, and by rate."""

from collections.abc import Mapping

import numpy as np

from bnlib.analysis.findings import Estimate
from bnlib.analysis.learning import EVALUATIONS, PRECISE, RUNNING, best, time_to
from bnlib.analysis.speed import OWN, epochs, factors
from bnlib.book.alexnet_curves import arms
from bnlib.book.measured import times
from bnlib.run import Runs

SOURCE_FACTOR = 7, "seven"  # more than 20 epochs against 3
SAME = "65 %"  # the endpoint that is shown beside a run's own best
LATE = "70 %"  # an endpoint that some plain runs never reach
LOW = 50  # percent: one that the plain network reaches at the smallest rate, too
Factors = Mapping[tuple[str, str], Estimate]  # by endpoint and evaluation


def tuned(main: Runs, how: str) -> tuple[Runs, Runs]:
    """Without norm and with batch norm, each at the rate that validation chooses."""
    plain, batch = (arm.where(lr=best(arm, "lr", how)) for arm in arms(main))
    return plain, batch


def answer(main: Runs, among: Runs) -> str:
    """Every endpoint that all runs reach, then the late one, then the smallest rate."""
    plain, batch = tuned(main, PRECISE)
    found = factors(plain, batch, among)
    parts = []
    for how in EVALUATIONS:
        some = [(end, 2**one.value) for (end, under), one in found.items() if under == how]
        parts += [f"{how}: " + ", ".join(f"{x:.2g}× to {end}" for end, x in some)] * bool(some)
    said = f"**At its best rate each, {span(found)} at the endpoints that every run reaches**"
    counted = f"n = {len(plain)} and {len(batch)}"
    return f"{said} ({'; '.join([*parts, counted])}). {late(plain, batch)} {at_small_rate(main)}"


def short(main: Runs, among: Runs) -> str:
    """The same for the box on top of the page."""
    plain, batch = tuned(main, PRECISE)
    found = factors(plain, batch, among)
    ends = ", ".join(dict.fromkeys(end for end, _ in found))
    return (
        f"At its best rate each, {span(found)} at the endpoints that every run reaches "
        f"({ends}). {late(plain, batch)} {at_small_rate(main)}"
    )


def cell(main: Runs, among: Runs) -> str:
    """The same for a cell of a table."""
    found = factors(*tuned(main, PRECISE), among)
    return f"{span(found)} where every run arrives, at its best rate each"


def span(found: Factors) -> str:
    """From the smallest to the largest factor, such as "1.4 to 4 times"."""
    values = sorted(2**one.value for one in found.values())
    return f"{values[0]:.2g} to {values[-1]:.2g} times" if values else "no number of times"


def late(plain: Runs, batch: Runs) -> str:
    """The endpoint that some plain runs never reach: there a ratio of medians has no upper end."""
    slow, fast = (epochs(arm, LATE, PRECISE) for arm in (plain, batch))
    length = plain[0].recipe.epochs
    if np.isfinite(np.median(slow)) or not np.isfinite(np.median(fast)):
        counts = f"{np.isfinite(slow).sum()} of {len(slow)} and {np.isfinite(fast).sum()} of "
        return (
            f"To {LATE}, without and with batch norm, {counts}{len(fast)} runs get within {length} "
            "epochs."
        )
    least = length / np.median(fast)
    factor, word = SOURCE_FACTOR
    so = f": {word} is not excluded" if least < factor else ""
    return (
        f"To {LATE} the medians are {least:.1f} times apart or more by {PRECISE}, since only "
        f"{np.isfinite(slow).sum()} of {len(slow)} plain runs get there in {length} epochs{so}."
    )


def at_small_rate(main: Runs) -> str:
    """Both arms at the smallest rate, to an accuracy that both reach."""
    rate = min(main.values("lr"))
    both = [time_to(LOW)(arm, PRECISE) for arm in arms(main.where(lr=rate))]
    if not np.isfinite(np.concatenate(both)).all():
        return f"At the rate {rate:g} for both some runs never get to {LOW} %."
    return f"At the rate {rate:g} for both it is {times(*(2**some for some in both))} to {LOW} %."


def from_a_better_start(main: Runs, started: Runs) -> str:
    """Median epochs of the plain network from Xavier's start against those of batch norm."""
    _, batch = tuned(main, PRECISE)
    xavier = started.where(init="xavier")

    def pair(end: str, how: str) -> str:
        middles = (np.median(epochs(arm, end, how)) for arm in (xavier, batch))
        return " against ".join(f"{x:.1f}" if np.isfinite(x) else "never" for x in middles)

    return (
        f"Batch norm is faster still: the plain network from Xavier's start takes "
        f"{pair(SAME, PRECISE)} epochs to {SAME} and {pair(OWN, PRECISE)} to {OWN}. By {RUNNING} "
        f"the latter hardly differ, {pair(OWN, RUNNING)}."
    )
