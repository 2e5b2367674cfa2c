"""Batch norm's shift of the gradients over the plain network's, as factors and in words."""

from collections.abc import Mapping, Sequence

import numpy as np

from bnlib.analysis import shift
from bnlib.analysis.findings import difference, spread
from bnlib.analysis.landscape import OFF
from bnlib.book.measured import two_digits
from bnlib.book.shift_tables import AT_LOSS, both_arms, ratio
from bnlib.claims.arms import arms
from bnlib.claims.shift import LAYERS
from bnlib.run import Runs

ALIKE = "as much"
NAMES = {layer: name.partition(" (")[0] for layer, name in LAYERS.items()}


def both(some: Runs, series: shift.Series, when: str) -> str:
    """The factors of layers 5 and 10."""
    return " and ".join(ratio(some, series, layer, when) for layer in LAYERS)


def factors(some: Runs, when: str) -> dict[tuple[str, str], tuple[float, float, float]]:
    """BN / none and its interval, by measure and layer, where there is a number."""
    pairs = {
        (what, layer): both_arms(some, series, layer, when)
        for what, series in shift.MEASURES.items()
        for layer in LAYERS
    }
    return {key: factor(*pair) for key, pair in pairs.items() if len(pair[0])}


def factor(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    with np.errstate(divide="ignore", invalid="ignore"):  # what is 0 has no number here
        pair = np.log2(one), np.log2(other)
    found = difference(*pair, spread(pair))
    value, low, high = (float(2**x) for x in (found.value, *found.interval()))
    return value, low, high


def every_factor(main: Runs) -> dict[str, list[tuple[float, float, float]]]:
    """By layer the factors of all measures and rates, off the plateau and at equal loss."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for rate in main.values("lr"):
        for when in (OFF, AT_LOSS):
            for (_, layer), values in factors(main.where(lr=rate), when).items():
                found.setdefault(layer, []).append(values)
    return found


def ranges(found: Mapping[str, Sequence[tuple[float, float, float]]]) -> str:
    """From the smallest to the largest factor, layer by layer."""
    spans = (
        f"{two_digits(min(value for value, *_ in some))} to "
        f"{two_digits(max(value for value, *_ in some))} times as far in {NAMES[layer]}"
        for layer, some in found.items()
    )
    return (
        f"with batch norm they move {listed(list(spans))}, over the measures and learning rates, "
        "once the network without norm has left its first plateau"
    )


def turned(some: Runs) -> str:
    """At how many looks the layers before turn the gradient by more than 90°."""
    shares = {
        NAMES[layer]: [100 * np.mean(shift.angle(arm, layer) > 90) for arm in reversed(arms(some))]
        for layer in LAYERS
    }
    return "; ".join(
        f"in {name} at {plain:.0f} % of the looks without and {normed:.0f} % with batch norm"
        for name, (plain, normed) in shares.items()
    )


def told_apart(some: Runs, when: str) -> str:
    """By which measures there is more shift with batch norm, by which less, as the intervals say,
    in the form "more shift by …; less by …"."""
    sides: dict[str, dict[str, list[str]]] = {"more": {}, "less": {}, ALIKE: {}}
    found = factors(some, when)
    for (what, layer), (_, low, high) in found.items():
        side = "more" if low > 1 else "less" if high < 1 else ALIKE
        sides[side].setdefault(what, []).append(NAMES[layer])
    said = []
    for side, measures in sides.items():
        where = [
            f"the {what} in {'both layers' if len(layers) == len(LAYERS) else layers[0]}"
            for what, layers in measures.items()
        ]
        if sum(map(len, measures.values())) == len(shift.MEASURES) * len(LAYERS):
            where = ["every measure in both layers"]
        if where:
            told = ", as far as the intervals tell," * (side == ALIKE)
            said.append(f"{side}{' shift' * (not said)}{told} by {listed(where)}")
    return "; ".join(said) or "no number from these runs"


def level(arm: Runs, what: str = "relative distance") -> float:
    """Mean over layers 5 and 10 of the median look."""
    return float(np.mean([np.median(shift.MEASURES[what](arm, layer)) for layer in LAYERS]))


def bare(factor: str) -> str:
    """Without its interval."""
    return factor.partition(" (")[0]


def listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
