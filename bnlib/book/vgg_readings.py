"""Sentences beside the tables and figures of the VGG chapter, their numbers from the records."""

import numpy as np

from bnlib.analysis import landscape, planes
from bnlib.analysis.findings import difference
from bnlib.analysis.learning import EVALUATIONS, RUNNING, accuracy, kind_spread
from bnlib.book import plots
from bnlib.book.landscape_tables import NEAR, plane_reach
from bnlib.book.measured import two_digits
from bnlib.book.vgg_answer import plateau, within
from bnlib.claims.arms import arms
from bnlib.run import Runs


def rough(main: Runs) -> str:
    """What to know of two columns of the table of smoothness."""
    batch, none = arms(main)
    ends = landscape.plateau_ends(none)
    if max(ends.values(), default=0) >= none.array("random_norm").shape[1]:
        return ""  # a network without norm that never leaves its plateau
    ours, plain = (
        landscape.in_phase(arm, arm.array("random_norm"), landscape.OFF, ends).mean()
        for arm in (batch, none)
    )
    return (
        f"(The factors on the plateau are rough: {plateau(main)}. The random step is as long as "
        f"the gradient, and so {two_digits(ours / plain)} times as long with batch norm.)"
    )


def headroom(main: Runs) -> str:
    """Where no step raises the loss, in both networks."""
    one = main[0]
    below = one.arrays["etas"][one.arrays["etas"] <= one.recipe.lr] / one.recipe.lr
    short = len(below)
    free = one.arrays["scale_free_etas"]
    return (
        f"Up to {two_digits(below.max())} times the learning rate no step that was probed raises "
        "the loss in either network. There the spread of the loss is simply how far the loss "
        f"falls, and it falls further with batch norm: none / BN is {within(main)}, and over the "
        f"{short} shortest scale-free steps {within(main, 'scale_free')}. The large factors of the "
        f"table come from longer steps. (The scale-free steps go from {free.min():g} to "
        f"{free.max():g}.)"
    )


def norms(some: Runs, among: Runs) -> str:
    """The other norms against batch norm, under both evaluations."""
    batch, none = arms(some)
    known = (batch[0].recipe.norm, none[0].recipe.norm)
    others = {name: arm for name, arm in some.by("norm").items() if name not in known}
    said = []
    for how in EVALUATIONS:
        each = (f"{plots.NAME[n]} {_points(arm, batch, how, among)}" for n, arm in others.items())
        said.append(f"by {how} " + ", ".join(each))
    return f"Against batch norm, in points: {'; '.join(said)}."


def dropout(nets: dict[str, Runs], among: Runs) -> str:
    """What dropout does to the accuracy, without and with batch norm."""
    plain = _points(nets["dropout"], nets["plain"], RUNNING, among)
    both = _points(nets["both"], nets["batch norm"], RUNNING, among)
    return (
        f"Dropout changes the accuracy by {plain} points without batch norm, by {both} with it: an "
        "interval that holds 0 leaves the question open."
    )


def _points(one: Runs, other: Runs, how: str, among: Runs) -> str:
    """Of accuracy, one − other, such as "−1.6 (−4.0 to 0.8)"."""
    kind = kind_spread(among, one, other, accuracy, how)
    found = difference(accuracy(one, how), accuracy(other, how), kind)
    low, high = found.interval()
    interval = f" ({low:.1f} to {high:.1f})" if np.isfinite(low) else ""
    return f"{found.value:.1f}{interval}".replace("-", "−")


def plane(main: Runs) -> str:
    """Which network rises faster from its floor, near it and far from it."""
    near, far = {}, {}
    for name, arm in zip(("batch", "none"), arms(main), strict=True):
        floor = planes.floor(arm)
        near[name] = (planes.within(arm, NEAR) - floor).mean()
        far[name] = (planes.on_the_axes(arm) - floor).mean()
    turns = (near["batch"] > near["none"]) != (far["batch"] > far["none"])
    so = "which is flatter depends on how far one looks" if turns else "near and far agree"
    return (
        "The bowl with batch norm is deeper, since its training loss is lower. Within half a "
        f"filter's length of its floor it rises by {near['batch']:.2f} nats on average, without "
        f"batch norm by {near['none']:.2f}; at the ends of the axes, {plane_reach(main):g} length "
        f"away, by {far['batch']:.1f} against {far['none']:.1f}: {so}."
    )
