"""What the chapter on internal covariate shift answers, its numbers from the records."""

import numpy as np

from bnlib.analysis import layer_inputs, shift
from bnlib.analysis.landscape import OFF, ON
from bnlib.book.boxes import Html, Shown, box
from bnlib.book.measured import times, two_digits
from bnlib.book.shift_factors import both, least, level
from bnlib.book.shift_inputs import ahead, alone, moved
from bnlib.book.shift_tables import AT_LOSS
from bnlib.book.tables import folded
from bnlib.claims.arms import arms
from bnlib.claims.shift import SIMILAR
from bnlib.run import Runs

HALF = 0.5  # of the shift left, in each measure: "hardly" reduced


def short_answer(runs: dict[str, Runs]) -> Html:
    main, noise = runs["shift"], runs["noise"]
    some = main.where(lr=main.values("lr")[0])
    batch, none = arms(some)
    after, before = (
        times(layer_inputs.typical(batch, place), layer_inputs.typical(none, "after"))
        for place in ("after", "before")
    )
    return box(
        "The short answer",
        f"{left(some)} The shift is here what the step of the layers before does to a layer’s "
        "gradient. Once the network without norm has left its first plateau, the "
        f"gradients of layers 5 and 10 move {both(some, shift.distance, OFF)} as far with batch "
        f"norm as without; relative to their length {both(some, shift.relative, OFF)} as far. At "
        f"equal loss the factors are {both(some, shift.distance, AT_LOSS)}, and "
        f"{both(some, shift.relative, AT_LOSS)}.",
        f"On that plateau they move {both(some, shift.distance, ON)} as far with batch norm: a "
        "network that goes nowhere shifts nothing.",
        "By the distributions: in a step the inputs of the typical layer travel "
        f"{after} as far behind batch norm as without it, in front of it {before}, in units of "
        "their own spread.",
        f"With noise that makes the inputs travel {moved(noise)} as far in a step as without norm, "
        f"batch norm’s network ends at {ahead(runs)} of test accuracy against the plain one, once "
        f"the noise is off. {alone(noise)}",
        "Not shown here: what batch norm does help by (chapter 7 looks for it), and anything at "
        f"full width. Scale: {main.scale}.",
    )


def left(some: Runs) -> str:
    """Whether batch norm reduces the gradients' shift, and how much of it is left."""
    found = least(some)
    if not np.isfinite(found):
        return "These runs give no number for the gradients."
    if found >= 1:
        return "No, by the gradients: none of the shift is gone with batch norm."
    word = "No" if found >= SIMILAR else "Hardly" if found >= HALF else "In part"
    return (
        f"{word}, by the gradients: with batch norm at least {two_digits(found)} of the shift is "
        "left."
    )


def explained(runs: dict[str, Runs]) -> str:
    """What the shift describes, and what would have to be seen if it were the reason."""
    main = runs["shift"]
    some = main.where(lr=main.values("lr")[0])
    batch, none = arms(some)
    after = times(*(layer_inputs.typical(arm, "after") for arm in (batch, none)))
    without, with_bn = (two_digits(level(arm)) for arm in (none, batch))
    lines = (
        "**What it describes.** One step of the layers before changes a gradient by "
        f"{without} of its length without and by {with_bn} with batch norm (layers 5 and 10, "
        "median look): layers learn from gradients that are out of date by the time they are used. "
        f"And the distributions do travel, {after} as far behind batch norm as without it.",
        "**Is it the reason for batch norm’s success?** Then little of the gradients’ shift should "
        f"be left with batch norm, and by each measure {two_digits(least(some))} of it or more is. "
        "And where the inputs are made to jump on purpose the gain should be lost: with noise, the "
        f"network ends at {ahead(runs)} against the plain one.",
        "**It depends on where a network is.** A network that stands still shifts nothing, one "
        "that diverges any amount; neither says anything about batch norm. A single number for a "
        "whole training mixes them in.",
        "**What else it could be.** Batch norm removes the plateau "
        "({doc}`chapter 7 <07_vgg_landscape>`, {doc}`chapter 4 <04_alexnet>`); it widens the range "
        "of learning rates ({doc}`chapter 3 <03_lenet>`); and along the gradient the loss stays "
        "predictable over longer steps (chapter 7).",
    )
    return "\n".join(f"- {line}" for line in lines)


def opened_by(title: str, shown: Shown) -> Shown:
    """A table behind a line that says its result and opens it."""
    return Shown(folded(title, shown).data, f"{title}\n{shown.plain}")
