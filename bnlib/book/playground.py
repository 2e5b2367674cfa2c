"""Batch norm of one channel, to be played with: what goes in, what comes out, in both modes.

The first state is computed here, by the layer itself; ``_static/touch-playground.js`` has the same
formulas again, and the tests compare the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bnlib.book import touch
from bnlib.book.boxes import Html
from bnlib.norm import BatchNorm

MOST = 64  # values in a batch
TRAINED, SHOWN = 16, 4  # batches to train on, again and again; batches around the marked image
MARKED = 1.0  # the marked image's value, in spreads above the mean
REACH = 9.0  # of both number lines
HEIGHT, UPPER, LOWER = 182, 52, 138  # pixels
DOT, RING = "#0072B2", "#E69F00"  # as batch norm is drawn everywhere; the marked image


LABEL = (
    "The {m} values of a batch as dots on two number lines, before and after batch norm in {mode}. "
    "Before: mean {mean}, variance {var}. After: mean {y_mean}, variance {y_var}. "
    "The marked image goes from {x} to {y}."
)


@dataclass(frozen=True)
class Setting:
    """What the inputs of the page are set to at first."""

    mean: float = 2.0
    spread: float = 1.5
    m: int = 8
    batch: int = 1
    gamma: float = 1.0
    beta: float = 0.0
    eps: float = 1e-5
    trained: int = 20
    training: bool = True


def numbers(seed: int) -> dict[str, Any]:
    """Values with mean 0 and spread 1, rounded, within ±3: those of each batch to train on, and the
    companions of the marked image in each batch that is shown."""
    draws = np.random.default_rng(seed).standard_normal((TRAINED + SHOWN, MOST))
    rows = draws.clip(-3, 3).round(2).tolist()
    return {
        "marked": MARKED,
        "trained": rows[:TRAINED],
        "shown": [row[1:] for row in rows[TRAINED:]],
    }


def layer(data: dict[str, Any], at: Setting) -> BatchNorm:
    """The layer after its training, in its mode."""
    bn = BatchNorm(1, eps=at.eps, dtype=torch.float64, device="cpu")
    torch.nn.init.constant_(bn.gamma, at.gamma)
    torch.nn.init.constant_(bn.beta, at.beta)
    for step in range(at.trained):
        bn(_input(data["trained"][step % TRAINED][: at.m], at))
    return bn.train(at.training)


def batch(data: dict[str, Any], at: Setting, number: int) -> Tensor:
    """(m, 1): the marked image and its companions."""
    return _input([data["marked"], *data["shown"][number - 1][: at.m - 1]], at)


def _input(values: Sequence[float], at: Setting) -> Tensor:
    z = torch.tensor(values, dtype=torch.float64, device="cpu")
    return (at.mean + at.spread * z).view(-1, 1)


@torch.no_grad()
def playground(seed: int) -> Html:
    data, at = numbers(seed), Setting()
    bn, x = layer(data, at), batch(data, at, at.batch)
    averages = bn.running_mean.item(), bn.running_var.item()
    y = bn(x)
    elsewhere = [bn(batch(data, at, which))[0].item() for which in range(1, SHOWN + 1)]
    mean, var = x.mean().item(), x.var(correction=0).item()
    root = (var + at.eps) ** 0.5
    words = {
        "mean": mean,
        "var": var,
        "r_mean": averages[0],
        "r_var": averages[1],
        "x": x[0].item(),
        "root": root,
        "x_hat": (x[0].item() - mean) / root,
        "y": y[0].item(),
        "y_mean": y.mean().item(),
        "y_var": y.var(correction=0).item(),
    }
    said = {name: number(value) for name, value in words.items()} | {
        "m": f"{at.m}",
        "mode": "training",
        "trained": f"{at.trained}",
        "elsewhere": " · ".join(map(number, elsewhere)),
        "beyond": "0",
    }
    band = (mean - root, mean + root), (at.beta - at.gamma, at.beta + at.gamma)
    picture = f'{_lines()}<g class="touch-dots">{_band(band)}{_dots(x, y)}</g>'
    shown = touch.drawing(HEIGHT, LABEL.format(**said), picture) + _says(said)
    data |= {"label": LABEL, "momentum": bn.momentum, "reach": REACH, "upper": UPPER}
    data |= {"lower": LOWER, "dot": DOT, "ring": RING}
    return touch.figure("playground", _controls(at), shown, data, LABEL.format(**said))


def number(value: float) -> str:
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def _controls(at: Setting) -> str:
    modes = "".join(
        f'<label><input type="radio" name="mode" value="{mode}"{" checked" * (mode == "training")} '
        f'autocomplete="off"> {mode}</label>'
        for mode in ("training", "evaluation")
    )
    groups = {
        "The batch": touch.slider("m", "batch size m", 2, MOST, 1, at.m)
        + touch.slider("mean", "mean of x", -3, 3, 0.1, at.mean)
        + touch.slider("spread", "spread of x", 0, 2, 0.1, at.spread)
        + touch.slider("batch", "the other images: set", 1, SHOWN, 1, at.batch),
        "The layer": f'<div class="touch-modes" role="radiogroup" aria-label="mode">{modes}</div>'
        + touch.slider("gamma", "γ", -2, 2, 0.1, at.gamma)
        + touch.slider("beta", "β", -3, 3, 0.1, at.beta)
        + touch.slider("eps", "ε (log scale)", -5, 1, 1, -5)
        + touch.slider("trained", "training batches seen", 0, 4 * TRAINED, 1, at.trained),
    }
    return "".join(
        f"<fieldset><legend>{name}</legend>{inside}</fieldset>" for name, inside in groups.items()
    )


def place(value: float) -> float:
    """In percent of the width; what lies beyond an end of the line is drawn at the end."""
    return 50 + 48 * max(-1.0, min(1.0, value / REACH))


def _lines() -> str:
    parts = [touch.text(0, 12, "x, before"), touch.text(0, HEIGHT - 4, "y, after")]
    for height, side in ((UPPER, -1), (LOWER, 1)):
        parts.append(touch.line(place(-REACH), place(REACH), height, height, 'opacity="0.6"'))
        for tick in range(-9, 10, 3):
            end = height + 12 * side
            parts.append(touch.line(place(tick), place(tick), height, end, 'opacity="0.6"'))
            foot = end + (14 if side > 0 else -4)
            parts.append(touch.text(place(tick), foot, f"{tick}".replace("-", "−"), "middle"))
    return "".join(parts)


def _band(ends: Sequence[tuple[float, float]]) -> str:
    """On each line a bar."""
    return "".join(
        f'<rect x="{min(map(place, pair)):.2f}%" y="{height - 10}" height="20" '
        f'width="{abs(place(pair[1]) - place(pair[0])):.2f}%" fill="currentColor" '
        'opacity="0.15"></rect>'
        for pair, height in zip(ends, (UPPER, LOWER), strict=True)
    )


def _dots(x: Tensor, y: Tensor) -> str:
    """A line and two dots for each value; the marked image's, which is the first, on top."""
    pairs = list(zip(x.flatten().tolist(), y.flatten().tolist(), strict=True))[::-1]
    drawn = []
    for back, (before, after) in enumerate(pairs, start=1):
        marked = back == len(pairs)
        ends = f'x1="{place(before):.2f}%" x2="{place(after):.2f}%" y1="{UPPER}" y2="{LOWER}"'
        fade = 0.9 if marked else 0.2
        drawn.append(f'<line {ends} stroke="currentColor" opacity="{fade}"></line>')
        look = f'r="6" fill="{RING}" stroke="currentColor"' if marked else f'r="4" fill="{DOT}"'
        for value, height in ((before, UPPER), (after, LOWER)):
            drawn.append(f'<circle cx="{place(value):.2f}%" cy="{height}" {look}></circle>')
    return "".join(drawn)


def _says(said: dict[str, str]) -> str:
    """The numbers by name; of words that belong to one mode only, those of the other are hidden."""

    def n(name: str) -> str:
        return f'<b data-name="{name}">{escape(said[name])}</b>'

    def only(when: str, words: str) -> str:
        return f'<span data-when="{when}"{" hidden" * (when != "training")}>{words}</span>'

    r_mean, r_var = "r<sub>μ</sub>", "r<sub>σ²</sub>"
    centre = only("training", "μ") + only("evaluation", r_mean)
    square = only("training", "σ²") + only("evaluation", r_var)
    lines = {
        f"The marked image: x = {n('x')}, x̂ = (x − {centre}) / √({square} + ε) = {n('x_hat')}, "
        f"y = γ x̂ + β = {n('y')}.": "polite",
        f"The same image in batches 1 to {SHOWN}: y = {n('elsewhere')}. "
        + only("training", "Companions change it.")
        + only("evaluation", "Companions do not matter."): "off",
        f"This batch: mean μ = {n('mean')}, variance σ² = {n('var')}. Running averages after "
        f"{n('trained')} training batches: {r_mean} = {n('r_mean')}, {r_var} = {n('r_var')}. "
        f"√({square} + ε) = {n('root')}.": "off",
        f"The output: mean {n('y_mean')}, variance {n('y_var')}."
        + only("beyond", f" Beyond the ends of a line: {n('beyond')} values."): "off",
    }
    return "".join(f'<output aria-live="{live}">{line}</output>' for line, live in lines.items())
