"""The learning rate, to be moved by hand: the recorded curves over the epochs at each rate.

Every number and every sentence comes from ``rate_curves``; ``_static/touch-rates.js`` chooses among
them and draws the lines, as ``Axes`` does here for the first state.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bnlib.analysis.learning import guessing
from bnlib.book import rate_curves, touch
from bnlib.book.boxes import Html
from bnlib.catalogue import NORMS
from bnlib.run import Runs

HEIGHTS = {"test accuracy": 190, "test error": 300}  # pixels
TICKS = {"test accuracy": (0, 25, 50, 75, 100), "test error": (1, 3, 10, 30, 100)}
LEFT, RIGHT, TOP, BELOW = 9.0, 98.0, 22, 38  # of the lines: percent of the width; pixels


def accuracies(*experiments: Runs, start: float) -> Html:
    """Small, of the test accuracy; it opens at the rate next to ``start``."""
    return _slider("test accuracy", experiments, start)


def errors(*experiments: Runs, start: float) -> Html:
    """Larger, of the test error on a log scale."""
    return _slider("test error", experiments, start)


@dataclass(frozen=True)
class Axes:
    """From an epoch and a percentage to thousandths of the width and of the height."""

    epochs: int
    low: float
    high: float
    log: bool

    def x(self, epoch: int) -> float:
        return 10 * (LEFT + (RIGHT - LEFT) * (epoch - 1) / max(1, self.epochs - 1))

    def y(self, value: float) -> float:
        low, high, at = (
            math.log(v) if self.log else v for v in (self.low, self.high, max(value, self.low))
        )
        return 1000 * (high - at) / (high - low)

    def path(self, curves: Sequence[Sequence[float | None]]) -> str:
        """Of an SVG's ``path``: each curve up to where its run stopped."""
        return " ".join(
            f"{'L' if place else 'M'}{self.x(place + 1):.1f} {self.y(value):.1f}"
            for curve in curves
            for place, value in enumerate(curve)
            if value is not None
        )


def _slider(measure: str, experiments: Sequence[Runs], start: float) -> Html:
    data = rate_curves.curves(measure, experiments)
    rates = [float(rate) for rate in data["rates"]]
    at = min(range(len(rates)), key=lambda place: abs(math.log(rates[place] / start)))
    axes = _axes(data, max(experiments[0].values("epochs")))
    data |= {"axes": vars(axes), "frame": [LEFT, RIGHT]}
    data["labels"] = [_label(data, place) for place in range(len(rates))]
    marks = "".join(f"<span>{rate}</span>" for rate in data["rates"])
    controls = (
        touch.slider("rate", "learning rate", 0, len(rates) - 1, 1, at)
        + f'<div class="touch-marks" aria-hidden="true">{marks}</div>'
    )
    shown = (
        f'<p class="touch-at">After each epoch at learning rate <b>{data["rates"][at]}</b></p>'
        + touch.drawing(
            HEIGHTS[measure], data["labels"][at], _picture(data, axes, at, experiments[0])
        )
        + _legend(data, axes, at)
        + f'<p class="touch-small">{escape(str(rate_curves.scale(experiments)))}</p>'
    )
    return touch.figure("rates", controls, shown, data, "\n".join(data["labels"]))


def _axes(data: dict[str, Any], epochs: int) -> Axes:
    log = data["measure"] == "test error"
    values = [
        value
        for arm in data["arms"]
        for some in arm["seeds"]
        for curve in some
        for value in curve
        if value is not None
    ]
    low = 0.9 * min((value for value in values if value > 0), default=1.0) if log else 0
    return Axes(epochs, round(low, 2), 100, log)


def _label(data: dict[str, Any], at: int) -> str:
    arms = "; ".join(f"{NORMS[arm['norm']].label} {arm['says'][at]}" for arm in data["arms"])
    return (
        f"{data['measure'].capitalize()} after each epoch at learning rate {data['rates'][at]}; "
        f"after the last: {arms}."
    )


def _picture(data: dict[str, Any], axes: Axes, at: int, runs: Runs) -> str:
    measure = data["measure"]
    height = HEIGHTS[measure] - TOP - BELOW
    bottom = TOP + height
    chance = guessing(runs) if measure == "test accuracy" else 100 - guessing(runs)

    def level(value: float) -> float:
        return TOP + height * axes.y(value) / 1000

    name = f"{measure} (%{', log scale' * axes.log})"
    parts = [touch.text(0, 12, name)]
    for tick in TICKS[measure]:
        if tick >= axes.low:
            parts.append(touch.line(LEFT - 2, RIGHT, *[level(tick)] * 2, 'opacity="0.15"'))
            parts.append(touch.text(LEFT - 3, level(tick) + 4, f"{tick}", "end"))
    dotted = 'stroke-dasharray="2 3" opacity="0.7"'
    parts.append(touch.line(LEFT - 2, RIGHT, *[level(chance)] * 2, dotted))
    foot = TOP - 6 if axes.log else level(chance) + 11  # where no line runs
    parts.append(touch.text(RIGHT, foot, "guessing", "end"))
    for epoch in range(1, axes.epochs + 1):
        parts.append(touch.text(axes.x(epoch) / 10, bottom + 16, f"{epoch}", "middle"))
    parts.append(touch.text((LEFT + RIGHT) / 2, bottom + 32, "epoch", "middle"))
    parts.append(
        f'<svg x="0" y="{TOP}" width="100%" height="{height}" viewBox="0 0 1000 1000" '
        f'preserveAspectRatio="none" overflow="visible">{_lines(data, axes, at)}</svg>'
    )
    return "".join(parts)


def _lines(data: dict[str, Any], axes: Axes, at: int) -> str:
    """Of each arm all seeds in one thin path, and their mean in a thick one."""
    drawn = []
    for arm in data["arms"]:
        drawn.append(_path("seeds", arm["norm"], axes.path(arm["seeds"][at])))
        drawn.append(_path("mean", arm["norm"], axes.path([arm["mean"][at]])))
    return "".join(drawn)


def _path(kind: str, name: str, d: str) -> str:
    norm = NORMS[name]
    dash = "" if norm.dash == "-" else ' stroke-dasharray="{} {}"'.format(*norm.dash[1])
    width = 'stroke-width="1" opacity="0.6"' if kind == "seeds" else 'stroke-width="2.5"'
    look = f'fill="none" stroke="{norm.colour}"{dash} vector-effect="non-scaling-stroke"'
    return f'<path class="touch-{kind}" {width} {look} d="{d}"/>'


def _legend(data: dict[str, Any], axes: Axes, at: int) -> str:
    """The name of each line, and what the arm ends with."""
    rows = "".join(
        '<span class="touch-arm"><svg width="26" height="10" aria-hidden="true">'
        f"{_path('mean', arm['norm'], 'M0 5H26')}</svg>"
        f"<span>{escape(NORMS[arm['norm']].label)}: "
        f'<span class="touch-says">{escape(arm["says"][at])}</span></span></span>'
        for arm in data["arms"]
    )
    last = f"{data['measure'].capitalize()} after epoch {axes.epochs}"
    return f"<output><span>{last}</span>{rows}</output>"
