"""The tables of the chapter on internal covariate shift. A ratio is BN / none, with the interval
that the claims use: above 1, batch norm has more of it."""

import numpy as np

from bnlib.analysis import layer_inputs, shift
from bnlib.analysis.counts import share
from bnlib.analysis.landscape import OFF, ON
from bnlib.analysis.learning import PRECISE, RUNNING, accuracy, learned
from bnlib.book import plots
from bnlib.book.boxes import Shown, table
from bnlib.book.measured import about, times
from bnlib.catalogue import NORMS
from bnlib.claims.arms import arms
from bnlib.claims.margins import with_power
from bnlib.claims.shift import LAYERS, noise_on, training_accuracy
from bnlib.run import Runs

AT_LOSS = "at equal loss"
SHORT = {"distance": "distance", "relative distance": "relative", "angle": "angle"}
SENSITIVE = "per movement"


def both_arms(
    some: Runs, series: shift.Series, layer: str, when: str
) -> tuple[np.ndarray, np.ndarray]:
    """BN and none in a phase of the network without norm, or at equal loss: a number a run."""
    batch, none = arms(some)

    def of(arm: Runs) -> np.ndarray:
        return series(arm, layer)

    if when == AT_LOSS:
        return shift.loss_pair(batch, none, of)
    return shift.phase_pair(batch, none, of, when)


def ratio(some: Runs, series: shift.Series, layer: str, when: str) -> str:
    """BN / none."""
    return times(*both_arms(some, series, layer, when))


def shifts(main: Runs, lr: float) -> Shown:
    """The measures by layer and by what is held equal."""
    some = main.where(lr=lr)
    measures = {SHORT[name]: series for name, series in shift.MEASURES.items()}
    measures[SENSITIVE] = shift.per_movement
    rows = {
        f"{what}, {layer}": {when: ratio(some, series, layer, when) for when in (OFF, AT_LOSS, ON)}
        for what, series in measures.items()
        for layer in LAYERS
    }
    said = f"BN / no norm at learning rate {lr:g}, with 95 % intervals over the seeds"
    return table(rows, said, some.scale)


def every_layer(main: Runs) -> Shown:
    """The relative distance of each watched layer, off the plateau and at equal loss."""
    rows: dict[str, dict[str, str]] = {}
    for layer in shift.names(main):
        for lr in main.values("lr"):
            for when in (OFF, AT_LOSS):
                found = ratio(main.where(lr=lr), shift.relative, layer, when)
                rows.setdefault(layer, {})[f"{when}, rate {lr:g}"] = found
    return table(rows, "BN / no norm: the relative distance, layer by layer", main.scale)


def levels(main: Runs, slower: Runs) -> Shown:
    """The scale-free measures themselves, at every learning rate."""
    rows = {}
    several = {f"{lr:g}": main.where(lr=lr) for lr in main.values("lr")}
    several |= {f"{lr:g}, He’s start": slower.where(lr=lr) for lr in slower.values("lr")}
    for name, some in several.items():
        for arm in reversed(arms(some)):
            rows[f"{name}, {plots.NAME[arm[0].recipe.norm]}"] = {
                f"{SHORT[what]}, {layer}": about(
                    shift.over_the_run(shift.MEASURES[what](arm, layer))
                )
                for what in ("relative distance", "angle")
                for layer in LAYERS
            }
    said = "By learning rate: relative distance and angle (degrees), medians over the run"
    return table(rows, said, "; He’s start: ".join(str(r.scale) for r in (main, slower) if len(r)))


def linear(deep: Runs) -> Shown:
    """The deep linear network: medians over the run, and where the loss ends."""
    rows: dict[str, dict[str, str]] = {}
    for lr in deep.values("lr"):
        batch, none = arms(deep.where(lr=lr))
        head = f"rate {with_power(f'{lr:g}')}"
        for layer in shift.names(deep):
            for what, series in shift.MEASURES.items():
                pair = (shift.over_the_run(series(arm, layer)) for arm in (batch, none))
                rows.setdefault(f"{SHORT[what]}, {layer}", {})[head] = times(*pair)
        losses = (arm.array(shift.LOSSES) for arm in (batch, none))
        left = times(*(some[:, -1] / some[:, 0] for some in losses))
        rows.setdefault("loss at the end / at the start", {})[head] = left
    return table(rows, "BN / no norm in the deep linear network", deep.scale)


def readings(main: Runs, lr: float) -> Shown:
    """How far the layers' inputs travel, beside how far the gradients shift."""
    some = main.where(lr=lr)
    batch, none = arms(some)
    rows: dict[str, dict[str, str]] = {}
    for clock, name in ((layer_inputs.PER_STEP, "in a step"), (layer_inputs.PER_LOOK, "to a look")):
        for own, units in ((True, "in spreads"), (False, "as it is")):
            row = {}
            for place in ("after", "before"):
                pair = (
                    layer_inputs.typical(arm, where, clock, own)
                    for arm, where in ((batch, place), (none, "after"))
                )
                row[f"{place} BN"] = times(*pair)
            rows[f"inputs travel {name}, {units}"] = row
    for what, series in shift.MEASURES.items():
        per_layer = [
            tuple(shift.over_the_run(series(arm, layer)) for arm in (batch, none))
            for layer in LAYERS
        ]
        one, other = (
            np.exp2(np.mean([np.log2(pair[i]) for pair in per_layer], axis=0)) for i in (0, 1)
        )
        rows[f"gradients shift, {SHORT[what]}"] = {"after BN": times(one, other)}
    said = (
        f"BN / no norm at learning rate {lr:g}: the two readings of the shift, medians of the run"
    )
    return table(rows, said, some.scale)


def noise(some: Runs) -> Shown:
    """The four networks: what they reach, with the noise off and on, and how steady they are."""
    rows = {}
    for norm, arm in some.by("norm").items():
        averages = NORMS[norm].averages
        row = {
            "training": about(training_accuracy(arm, RUNNING)),
            "test, off": about(accuracy(arm, PRECISE)),
            "test, on": about(noise_on(arm, PRECISE)),
            "off, running": about(accuracy(arm, RUNNING)) if averages else "–",
            "on, running": about(noise_on(arm, RUNNING)) if averages else "–",
        }
        rows[plots.NAME[norm]] = row
    said = "Accuracy (%), with the noise off and on at test time; precise statistics, or running"
    return table(rows, said, some.scale)


def slower(some: Runs) -> Shown:
    """At a lower rate: what the networks reach with batch norm, with noise alone, with neither."""
    rows = {
        plots.NAME[norm]: {
            "learn": share(learned(arm, PRECISE)).counted,
            "training": about(training_accuracy(arm, PRECISE)),
            "test, off": about(accuracy(arm, PRECISE)),
            "test, on": about(noise_on(arm, PRECISE)),
        }
        for norm, arm in some.by("norm").items()
    }
    rates = ", ".join(f"{lr:g}" for lr in some.values("lr"))
    return table(rows, f"At learning rate {rates}: accuracy (%), precise statistics", some.scale)


def steadiness(some: Runs) -> Shown:
    """How unsteady the inputs of the four networks are, and their shift, against no norm."""
    none, rows = some.where(norm="none"), {}
    for norm, arm in some.by("norm").items():
        row = {"learn": share(learned(arm, PRECISE)).counted}
        pair = (layer_inputs.typical(one, "after") for one in (arm, none))
        row["inputs travel in a step"] = "1" if norm == "none" else times(*pair)
        for layer in LAYERS:
            pair = (shift.over_the_run(shift.relative(one, layer)) for one in (arm, none))
            row[f"shift, {layer}"] = "1" if norm == "none" else times(*pair)
        rows[plots.NAME[norm]] = row
    said = (
        "Against no norm: how far the activations' inputs travel in a step (in spreads), and the "
        "relative distance of the gradients; medians over the run"
    )
    return table(rows, said, some.scale)
