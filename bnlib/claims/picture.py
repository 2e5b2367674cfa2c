"""A dot and a whisker for each part, against its margin, in natural units: HTML and inline SVG.

The SVG has no view box: its widths are percentages and its heights pixels, so that it fills its
column and its text keeps its size, on a phone too.
"""

import math
from collections.abc import Sequence
from html import escape

from bnlib.claims.judge import AT_LEAST, AT_MOST, Answer
from bnlib.claims.margins import Unit

ROW, AXIS = 18, 16  # pixels
APART = 15.0  # percent of the width between two labels of the axis


def whiskers(answers: Sequence[Answer]) -> str:
    """One row a part; parts of one unit share an axis."""
    groups: dict[Unit, list[Answer]] = {}
    for answer in answers:
        if answer.finding and math.isfinite(answer.finding.value):
            groups.setdefault(answer.part.unit, []).append(answer)
    drawn = "".join(_group(unit, some) for unit, some in groups.items())
    return f'<div class="parts">{drawn}</div>' * bool(drawn)


def _group(unit: Unit, answers: Sequence[Answer]) -> str:
    scale = _Scale(unit, answers)
    rows = "".join(
        f'<div class="part"><span class="part-name">{escape(answer.part.name)}</span>'
        f"{_track(scale, answer)}"
        f'<span class="part-word">{escape(answer.label)}</span></div>'
        for answer in answers
    )
    name = f"{unit.name} (log scale)" if unit.ratio else unit.name
    axis = f'<svg class="part-track" width="100%" height="{AXIS}">{scale.ticks}</svg>'
    return f'{rows}<div class="part part-axis"><span></span>{axis}<span>{escape(name)}</span></div>'


class _Scale:
    """From measured values to percent of the width."""

    def __init__(self, unit: Unit, answers: Sequence[Answer]):
        self.unit = unit
        self.marks = [0.0]  # what the axis should name, most important first
        for part in dict.fromkeys(answer.part.smallest for answer in answers if _has_band(answer)):
            self.marks += [part, -part] if part else []
        self.marks += [answer.part.edge for answer in answers]
        ends = [x for answer in answers for x in _ends(answer)]
        reach = [1.3 * mark for mark in self.marks]
        self.low, self.high = min(*ends, *reach), max(*ends, *reach)
        if self.low == self.high:
            self.low, self.high = self.low - 1, self.high + 1
        self.marks += [self._rounded(end) for end in (self.low, self.high)]

    def __call__(self, x: float) -> float:
        return 3 + 94 * (x - self.low) / (self.high - self.low)

    def _rounded(self, end: float) -> float:
        """The number of one digit next to an end of the axis, on the inside."""
        x = self.unit.natural(end)
        digit = 10.0 ** math.floor(math.log10(abs(x))) if x else 1.0
        near = (self.unit.measured(way(x / digit) * digit) for way in (math.floor, math.ceil))
        return next((mark for mark in near if self.low <= mark <= self.high), 0.0)

    @property
    def ticks(self) -> str:
        shown: list[float] = []
        for mark in self.marks:
            if all(abs(self(mark) - self(other)) >= APART for other in shown):
                shown.append(mark)
        return "".join(self._tick(mark) for mark in sorted(shown))

    def _tick(self, mark: float) -> str:
        place = self(mark)
        anchor = "start" if place < 8 else "end" if place > 92 else "middle"
        text = escape(self.unit.mark(mark))
        return (
            f'<text x="{place:.1f}%" y="12" font-size="11" text-anchor="{anchor}" '
            f'fill="currentColor">{text}</text>'
        )


def _track(scale: _Scale, answer: Answer) -> str:
    part, value, middle = answer.part, answer.finding.value, ROW // 2
    low, high = _ends(answer)
    shapes = []
    if _has_band(answer) and part.smallest:
        left, right = scale(-part.smallest), scale(part.smallest)
        shapes.append(
            f'<rect x="{left:.1f}%" y="0" width="{right - left:.1f}%" height="{ROW}" '
            'fill="currentColor" opacity="0.13"/>'
        )
    shapes += [
        _line(scale(part.edge), scale(part.edge), 0, ROW, 'stroke-dasharray="2 2" opacity="0.7"'),
        _line(scale(low), scale(high), middle, middle, 'stroke-width="2"'),
        f'<circle cx="{scale(value):.1f}%" cy="{middle}" r="4" fill="currentColor"/>',
    ]
    return (
        f'<svg class="part-track" width="100%" height="{ROW}" role="img" '
        f'aria-label="{escape(answer.size)}">{"".join(shapes)}</svg>'
    )


def _line(x1: float, x2: float, y1: int, y2: int, look: str) -> str:
    return f'<line x1="{x1:.1f}%" x2="{x2:.1f}%" y1="{y1}" y2="{y2}" stroke="currentColor" {look}/>'


def _has_band(answer: Answer) -> bool:
    return answer.part.kind not in (AT_MOST, AT_LEAST)


def _ends(answer: Answer) -> tuple[float, float]:
    """Of the whisker; without an interval it is as short as its dot."""
    low, high = answer.part.unit.inside(answer.finding.interval())
    value = answer.finding.value
    return (low, high) if math.isfinite(low) else (value, value)
