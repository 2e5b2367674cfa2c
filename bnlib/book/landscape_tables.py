"""The tables of measured landscapes. A ratio is none / BN with the interval that the claims use:
above 1, the network with batch norm is the smoother one."""

import itertools
from collections.abc import Sequence

import numpy as np

from bnlib.analysis import landscape, planes
from bnlib.analysis.learning import PRECISE, RUNNING, accuracy
from bnlib.book import plots
from bnlib.book.boxes import Shown, table
from bnlib.book.measured import about, times
from bnlib.claims.arms import arms
from bnlib.run import Runs

LINES = {"gradient": "gradient", "scale_free": "scale-free", "random": "random"}
SHORT = dict(zip(landscape.MEASURES, ("spread", "change", "β"), strict=True))
UNITS = {"gradient": "raw", "scale_free": "free"}
NEAR = 0.5  # of a filter's length, from the centre of the plane
STARTS = {"default": "PyTorch's default", "xavier": "Xavier", "he": "He"}


def phase_ratio(some: Runs, measure, phase: str, line: str = "gradient") -> str:
    batch, none = arms(some)
    return times(*landscape.phase_pair(none, batch, lambda arm: measure(arm, line), phase))


def _whole_run(some: Runs, series) -> str:
    batch, none = arms(some)
    return times(*(np.nanmedian(series(arm), axis=1) for arm in (none, batch)))


def smoothness(main: Runs) -> Shown:
    """Three measures along three lines, on and off the plateau."""
    rows = {
        f"{SHORT[what]}, {name}": {
            phase: phase_ratio(main, measure, phase, line)
            for phase in (landscape.OFF, landscape.ON)
        }
        for what, measure in landscape.MEASURES.items()
        for line, name in LINES.items()
    }
    _, none = arms(main)
    few = len(landscape.seeds_in(landscape.ON, none))
    said = (
        "No norm / BN, medians over the samples of a phase, 95 % interval over the seeds; on the "
        f"plateau of the {few} seeds with {landscape.FEWEST} samples or more there"
    )
    return table(rows, said, main.scale)


def at_equal_loss(main: Runs, edges: Sequence[float]) -> Shown:
    """Spread and change, raw and scale-free, by the loss reached; ranges that every run visits."""
    batch, none = arms(main)
    rows: dict[str, dict[str, str]] = {}
    for low, high in reversed(list(itertools.pairwise(edges))):
        row = {}
        for line in ("gradient", "scale_free"):
            for what, measure in (("spread", landscape.width), ("change", landscape.change)):
                pair = [
                    landscape.at_loss(arm, measure(arm, line), np.array([low, high]))[:, 0]
                    for arm in (none, batch)
                ]
                known = np.isfinite(pair).all()
                row[f"{what}, {UNITS[line]}"] = times(*pair) if known else "–"
        rows[f"{high:g} to {low:g}"] = row
    return table(
        rows, "No norm / BN at the same training loss; free: in scale-free units", main.scale
    )


def places(runs: dict[str, Runs]) -> Shown:
    """The narrower network from other starts and at another learning rate."""
    several = {}
    for init, some in (runs["inits"].by("init") | runs["norms"].by("init")).items():
        several[f"{STARTS[init]}, {some[0].recipe.lr:g}"] = some
    if len(runs["tenth"]):
        several[f"Xavier, {runs['tenth'][0].recipe.lr:g}"] = runs["tenth"]
    rows = {}
    for label, some in several.items():
        batch, none = arms(some)
        rows[label] = {
            "spread": _whole_run(some, landscape.width),
            "change": _whole_run(some, landscape.change),
            "% without": about(accuracy(none, PRECISE)),
            "% with BN": about(accuracy(batch, PRECISE)),
        }
    said = (
        "No norm / BN by start and learning rate, medians over the run; test accuracies (precise)"
    )
    return table(rows, said, runs["norms"].scale)


def as_the_source(runs: dict[str, Runs]) -> Shown:
    """The source's figures beside the paper's, for the same networks and those of SGD."""
    apart = runs["separate"]
    batch, none = arms(apart)
    middle = apart.where(lr=0.001)
    band = times(landscape.band(none), landscape.band(batch))
    rows = {"the source's band": {"Adam": band}}
    theirs = {
        "distance, last layer": landscape.last_layer,
        "its quotient “β”": landscape.last_layer_beta,
    }
    for what, series in theirs.items():
        rows[what] = {"Adam": _whole_run(middle, series)}
    for what, measure in landscape.MEASURES.items():
        both = {"Adam": middle, "SGD": runs["landscape"]}
        row = {name: _whole_run(some, measure) for name, some in both.items()}
        rows[f"{SHORT[what]}, gradient"] = row
    said = "No norm / BN: three measures of the source, then three of the paper"
    return table(rows, said, apart.scale)


def norms(short: Runs) -> Shown:
    """Other norms in the place of batch norm."""
    reference = short.where(norm="none")
    rows = {}
    for name, arm in short.by("norm").items():
        row = {how: about(accuracy(arm, how)) for how in (RUNNING, PRECISE)}
        for what, measure in (("spread", landscape.width), ("change", landscape.change)):
            pair = [np.nanmedian(measure(some), axis=1) for some in (reference, arm)]
            row[f"{what}, none / it"] = "1" if name == "none" else times(*pair)
        rows[plots.NAME[name]] = row
    return table(rows, "Test accuracy (%) and smoothness along the gradient", short.scale)


def plane(main: Runs) -> Shown:
    """The loss on the plane through the trained weights: its floor and its rise, near and far."""
    rows = {}
    for name, arm in main.by("norm").items():
        floor = planes.floor(arm)
        figures = {
            "at the centre": floor,
            "rise, mean within ½": planes.within(arm, NEAR) - floor,
            f"rise, on the axes at {plane_reach(main):g}": planes.on_the_axes(arm) - floor,
        }
        rows[plots.NAME[name]] = {what: about(values) for what, values in figures.items()}
    said = "Training loss on the plane, in nats; distances from the centre in filters' lengths"
    return table(rows, said, main.scale)


def plane_reach(main: Runs) -> float:
    """How far the plane goes along its directions, in filters' lengths."""
    return float(main[0].arrays["plane_coordinates"].max())
