"""What the figures that can be touched share: inputs with a label, numbers in the page, a drawing.

Each is HTML with inline SVG that shows its first state as it stands, in print and without script;
a script of ``_static`` shows its inputs and redraws it. The SVG has no view box, as that of the
verdicts: its places are percentages of the width, so that its text keeps its size on a phone.
"""

import json
from html import escape
from typing import Any

from bnlib.book.boxes import Html


def figure(kind: str, controls: str, shown: str, data: Any, plain: str) -> Html:
    """``data`` is what the script of this ``kind`` draws from."""
    numbers = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return Html(
        f'<div class="touch touch-{kind}"><div class="touch-controls" hidden>{controls}</div>'
        f'{shown}<script type="application/json">{numbers}</script></div>',
        plain,
    )


def slider(name: str, label: str, low: float, high: float, step: float, value: float) -> str:
    """A range input; the script writes its value beside it."""
    return (
        f'<div class="touch-slider"><label><span>{escape(label)}</span>'
        f'<input type="range" name="{name}" min="{low:g}" max="{high:g}" step="{step:g}" '
        f'value="{value:g}" autocomplete="off"></label>'
        '<span class="touch-value" aria-hidden="true"></span></div>'
    )


def drawing(height: int, label: str, inside: str) -> str:
    """An SVG as wide as its place and ``height`` pixels high; ``label`` is its alternative text."""
    return (
        f'<svg class="touch-drawing" width="100%" height="{height}" role="img" '
        f'aria-label="{escape(label)}" font-size="12">{inside}</svg>'
    )


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """``x`` in percent of the width, ``y`` in pixels."""
    place = f'x="{x:.2f}%" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="currentColor">{escape(words)}</text>'


def line(x1: float, x2: float, y1: float, y2: float, look: str = "") -> str:
    """``x`` in percent of the width, ``y`` in pixels."""
    ends = f'x1="{x1:.2f}%" x2="{x2:.2f}%" y1="{y1:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="currentColor" {look}/>'
