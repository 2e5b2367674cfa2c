"""What the chapter on internal covariate shift says of the gradients, its numbers from the records:
of VGG-A in its phases and at equal loss, of the ruler near its end, of the deep linear network."""

import numpy as np

from bnlib.analysis import shift
from bnlib.analysis.landscape import OFF, ON, seeds_in
from bnlib.book.measured import times, two_digits
from bnlib.book.shift_factors import (
    NAMES,
    bare,
    both,
    factor,
    factors,
    level,
    told_apart,
    turned,
)
from bnlib.book.shift_tables import AT_LOSS, both_arms
from bnlib.claims.arms import arms
from bnlib.claims.margins import three_digits, with_power
from bnlib.claims.shift import LAYERS
from bnlib.run import Runs


def shifts_said(some: Runs) -> str:
    """What stands in the table of the shifts, phase by phase."""
    off = "**Off the plateau** these runs have no number."
    if factors(some, OFF):
        off = (
            f"**Off the plateau** there is with batch norm {told_apart(some, OFF)}. Meanwhile "
            f"{faster(some)}."
        )
    if not seeds_in(ON, arms(some)[1], shift.LOSSES):
        return f"{off}\n\nThese runs have no plateau to split off."

    def on(series: shift.Series, layer: str) -> str:
        pair = both_arms(some, series, layer, ON)
        return times(*reversed(pair))

    last = list(LAYERS)[-1]
    return off + (
        f"\n\n**On the plateau** there is with batch norm {told_apart(some, ON)}. There the plain "
        f"network’s gradients have {on(_length, last)} the length of batch norm’s ({NAMES[last]}), "
        f"and the weights before that layer move {on(_movement, last)} as far in a step, relative "
        "to their own length: what does not move shifts nothing. *Per movement*, the last two "
        "rows, batch norm’s "
        f"factors are {both(some, shift.per_movement, ON)}. So a single number for a whole run "
        "would mix the two phases, by how long the plain network learns nothing."
    )


def _length(arm: Runs, layer: str) -> np.ndarray:
    return shift.of_layer(arm, "norm", layer)


def _movement(arm: Runs, layer: str) -> np.ndarray:
    return shift.of_layer(arm, "change", layer)


def faster(some: Runs) -> str:
    """The epoch in which batch norm passes the plain network's last training accuracy."""
    batch, none = (100 * arm.history("train_acc").mean(axis=0) for arm in arms(some))
    passed = np.flatnonzero(batch >= none[-1])
    when = f"in epoch {passed[0] + 1} of {len(batch)}" if len(passed) else "in no epoch"
    return (
        f"its training accuracy passes {three_digits(float(none[-1]))} %, the plain network’s in "
        f"the last epoch, {when}"
    )


def reached_said(some: Runs) -> str:
    """At equal loss, and how often the gradient turns round."""
    return (
        f"At equal loss there is with batch norm {told_apart(some, AT_LOSS)} (last column but one "
        "of the table above). "
        "At the dotted line the layers before have changed the gradient by its own length. The "
        "angle can exceed 90°: then they have gone too far, and the layer’s own step would now "
        f"lead uphill. That is so {turned(some)}."
    )


def typical(main: Runs, what: str = "relative distance", unit: str = "") -> str:
    """A measure at the typical look in layers 5 and 10, at each learning rate."""
    said = []
    for lr in main.values("lr"):
        without, with_bn = (
            two_digits(level(arm, what)) + unit for arm in reversed(arms(main.where(lr=lr)))
        )
        said.append(f"{without} without and {with_bn} with batch norm at learning rate {lr:g}")
    return ", ".join(said)


def levels_title(*several: Runs) -> str:
    """What opens the table of the measures themselves."""
    found = [
        level(a) for runs in several for lr in runs.values("lr") for a in arms(runs.where(lr=lr))
    ]
    least, most = two_digits(min(found)), two_digits(max(found))
    return f"By learning rate: relative distances of {least} to {most}"


def layer_by_layer(main: Runs) -> str:
    """The range of the factors of the relative distance, over layers and learning rates."""
    found = [
        factor(*pair)[0]
        for lr in main.values("lr")
        for layer in shift.names(main)
        for when in (OFF, AT_LOSS)
        if len((pair := both_arms(main.where(lr=lr), shift.relative, layer, when))[0])
    ]
    if not found:
        return "no number"
    return f"{two_digits(min(found))}× to {two_digits(max(found))}×"


def linear_said(deep: Runs) -> str:
    """What the deep linear network shows at each of its rates."""
    first, *others = sorted(deep.values("lr"))
    said = [
        f"{_at(first)} {_settled(deep.where(lr=first))}. The angle of the median "
        f"seed is {_turned(deep.where(lr=first))}."
    ]
    for lr in others:
        some = deep.where(lr=lr)
        last = shift.names(some)[-1]
        back = [100 * np.mean(shift.angle(arm, last) > 90) for arm in reversed(arms(some))]
        said.append(
            f"{_at(lr)} {_settled(some)}. The loss comes down in steps and "
            "stands still in between, and each seed has its own staircase. Where it stands still "
            "the gradients are nearly 0, and so is the distance between them; where a network "
            f"overshoots they turn back, in {last} by more than 90° at {back[0]:.0f} % of the "
            f"looks without and {back[1]:.0f} % with batch norm. The median of a run is one or the "
            "other: it tells who had come to rest, not who shifts."
        )
    return "\n\n".join(said)


def _at(lr: float) -> str:
    return f"**At learning rate {with_power(f'{lr:g}')}**"


def _settled(some: Runs) -> str:
    """In how many of the measures an interval leaves 1 out, and on which side."""
    more, less, count = [], [], 0
    for layer in shift.names(some):
        for what, series in shift.MEASURES.items():
            one, other = (shift.over_the_run(series(arm, layer)) for arm in arms(some))
            _, low, high = factor(one, other)
            more += [f"{what}, {layer}"] * (low > 1)
            less += [f"{what}, {layer}"] * (high < 1)
            count += 1

    def named(some: list[str]) -> str:
        return f": {'; '.join(some)}" * (0 < len(some) <= 2)

    return (
        f"the intervals of {len(more)} of {count} factors lie above 1 (more shift with batch "
        f"norm{named(more)}), those of {len(less)} below 1 (less{named(less)})"
    )


def linear_title(deep: Runs) -> str:
    """What opens the table: where the losses end."""
    said = []
    for lr in deep.values("lr"):
        losses = (arm.array(shift.LOSSES) for arm in arms(deep.where(lr=lr)))
        ends = bare(times(*(some[:, -1] / some[:, 0] for some in losses)))
        said.append(f"{ends} at {with_power(f'{lr:g}')}")
    return f"In numbers: the loss ends {', '.join(said)}"


def _turned(some: Runs) -> str:
    said = []
    for layer in shift.names(some):
        without, with_bn = (
            two_digits(float(np.median(shift.over_the_run(shift.angle(arm, layer)))))
            for arm in reversed(arms(some))
        )
        said.append(f"{without}° without and {with_bn}° with batch norm in {layer}")
    return ", ".join(said)
