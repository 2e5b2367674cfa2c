"""Scale: how large the runs of an experiment are, in one line for a caption, a table or a card."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Self

from bnlib.catalogue import DATASETS, NETS
from bnlib.recipe import DeepLinear, Recipe, Timing

if TYPE_CHECKING:
    from bnlib.run import Run


MARKUP = r"[^\w .,:;()/@+-]"  # what a device's name in a record has no use for


@dataclass(frozen=True)
class Scale:
    """What the runs of an experiment have in common, or the different values that they have."""

    profile: str | None = None
    nets: tuple[tuple[str, float], ...] = ()  # model and width
    linear: tuple[str, ...] = ()  # deep linear networks, in words
    epochs: tuple[int, ...] = ()  # none of a timing
    data: tuple[str, ...] = ()
    n: tuple[int, ...] = ()  # seeds of each arm; of a timing, its repeats
    devices: tuple[str, ...] = ()  # "one CPU thread", or the accelerator as its record names it

    @classmethod
    def of(cls, runs: Sequence["Run"], profile: str | None) -> Self:
        """That of runs which their study made as part of ``profile``."""
        trained = [run.recipe for run in runs if isinstance(run.recipe, Recipe)]
        linear = [run.recipe for run in runs if isinstance(run.recipe, DeepLinear)]
        timed = [run.recipe for run in runs if isinstance(run.recipe, Timing)]
        nets = trained + [arm for timing in timed for arm in timing.arms().values()]
        seeds = Counter(recipe.but(seed=0) for recipe in trained + linear).values()
        return cls(
            profile if runs else None,
            tuple(dict.fromkeys((net.model, net.width) for net in nets)),
            tuple(dict.fromkeys(_linear(recipe) for recipe in linear)),
            tuple(sorted({recipe.epochs for recipe in trained})),
            tuple(dict.fromkeys(net.dataset for net in nets)),
            tuple(sorted({*seeds, *(timing.repeats for timing in timed)})),
            tuple(sorted({_device(run) for run in runs})),
        )

    @property
    def recorded(self) -> bool:
        return bool(self.devices)

    @property
    def indicative(self) -> bool:
        """Whether it lies below the source's scale: what is measured there is a hint only."""
        return self.profile != "paper"

    @property
    def images(self) -> tuple[int, ...]:
        """In the training part of each data set."""
        return tuple(DATASETS[name].images for name in self.data)

    def __str__(self) -> str:
        if not self.recorded:
            return "not recorded"
        words = [self.profile] if self.profile else []
        words += [_nets(self.nets)] * bool(self.nets) + [*self.linear]
        if self.epochs:
            words.append(f"{_span(self.epochs)} epoch" + "s" * (self.epochs != (1,)))
        words += [f"{DATASETS[name].label}, {DATASETS[name].images:,} images" for name in self.data]
        words.append(f"n = {_span(self.n)}" + " repeats" * (not (self.epochs or self.linear)))
        return " · ".join([*words, " and ".join(self.devices)])


def _nets(nets: Sequence[tuple[str, float]]) -> str:
    """Names, those of one width together."""
    by_width: dict[str, list[str]] = {}
    for model, width in nets:
        by_width.setdefault(_width(width) if NETS[model].scales else "", []).append(
            NETS[model].label
        )
    return ", ".join(" and ".join(names) + how for how, names in by_width.items())


def _linear(recipe: DeepLinear) -> str:
    size = f"{recipe.layers} layers of {recipe.width} × {recipe.width}"
    return f"deep linear network, {size} · {recipe.steps:,} steps, {recipe.samples:,} samples"


def _width(width: float) -> str:
    if width == 1:
        return " at full width"
    return f" at {Fraction(width).limit_denominator(64)} width"


def _span(values: Sequence[int]) -> str:
    low, high = values[0], values[-1]
    return f"{low}" if low == high else f"{low} to {high}"


def _device(run: "Run") -> str:
    kind, threads = run.provenance["device_kind"], run.provenance.get("threads") or 1
    if kind != "cpu":
        return re.sub(MARKUP, "?", run.provenance["device"])
    return "one CPU thread" if threads == 1 else f"{threads} CPU threads"
