"""What the chapter on internal covariate shift answers, its numbers from the records."""

from bnlib.analysis import layer_inputs, shift
from bnlib.analysis.landscape import OFF, ON
from bnlib.book.boxes import Html, Shown, box
from bnlib.book.measured import times, two_digits
from bnlib.book.shift_factors import both, every_factor, level, ranges, turned
from bnlib.book.shift_inputs import ahead, alone, moved
from bnlib.book.tables import folded
from bnlib.claims.arms import arms
from bnlib.claims.shift import noise_on, training_accuracy
from bnlib.run import Runs

WORDS = {  # by whether some interval lies below 1, and some above
    (True, True): "In part",
    (True, False): "Yes",
    (False, True): "No",
    (False, False): "Not measurably",
}


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
        f"{left(main)} The shift is here what the step of the layers before does to a layer’s "
        f"gradient. At learning rate {some[0].recipe.lr:g}, off that plateau, the gradients of "
        f"layers 5 and 10 move {both(some, shift.distance, OFF)} as far with batch norm as "
        f"without; relative to their length {both(some, shift.relative, OFF)} as far. The step of "
        f"the others turns a gradient by more than 90° {turned(some)}.",
        f"On that plateau they move {both(some, shift.distance, ON)} as far with batch norm: a "
        "network that goes nowhere shifts nothing.",
        "By the distributions: in a step the inputs of the typical layer travel "
        f"{after} as far behind batch norm as without it, in front of it {before}, in units of "
        "their own spread.",
        f"With noise that makes the inputs travel {moved(noise)} as far in a step as without norm, "
        "the training accuracy with batch norm is still "
        f"{ahead(runs, measure=training_accuracy)} above the plain network’s; the test accuracy is "
        f"{ahead(runs)} with the noise off and {ahead(runs, measure=noise_on)} with it on (precise "
        f"statistics). {alone(noise)}",
        "Not shown here: whether a shift that is reduced in part is the reason for what batch norm "
        f"gains, and anything at full width. Scale: {main.scale}.",
    )


def left(main: Runs) -> str:
    """Whether batch norm reduces the gradients' shift, as the intervals say, and how much of it is
    left by all measures, rates and phases off the plateau."""
    found = every_factor(main)
    if not found:
        return "These runs give no number for the gradients."
    less = any(high < 1 for some in found.values() for _, _, high in some)
    more = any(low > 1 for some in found.values() for _, low, _ in some)
    return f"{WORDS[less, more]}, by the gradients: {ranges(found)}."


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
        "**Is it the reason for batch norm’s success?** These runs do not settle that. "
        f"{left(main)} "
        "A shift that is reduced in part can be the reason, or be no part of it. Where the inputs "
        "are made to jump on purpose, the training accuracy, with the noise on, ends at "
        f"{ahead(runs, measure=training_accuracy)} against the plain network and "
        f"{ahead(runs, 'batch', training_accuracy)} against batch norm without noise.",
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
