"""The short answer of the chapter on internal covariate shift, its numbers from the records."""

import numpy as np

from bnlib.analysis import layer_inputs, shift
from bnlib.analysis.counts import share
from bnlib.analysis.landscape import OFF, ON
from bnlib.analysis.learning import PRECISE, accuracy, learned
from bnlib.book.boxes import Html, box
from bnlib.book.measured import times, two_digits
from bnlib.book.shift_tables import AT_LOSS, ratio
from bnlib.claims.arms import arms
from bnlib.claims.margins import three_digits
from bnlib.claims.shift import LAYERS
from bnlib.run import Runs


def short_answer(runs: dict[str, Runs]) -> Html:
    main, noise = runs["shift"], runs["noise"]
    some = main.where(lr=main.values("lr")[0])
    batch, none = arms(some)

    def both(series: shift.Series, when: str) -> str:
        return " and ".join(ratio(some, series, layer, when) for layer in LAYERS)

    after, before = (
        times(layer_inputs.typical(batch, place), layer_inputs.typical(none, "after"))
        for place in ("after", "before")
    )
    return box(
        "The short answer",
        "Hardly, if the shift is what the step of the layers before does to a layer’s gradient. "
        "Once the network without norm learns, the gradients of layers 5 and 10 move "
        f"{both(shift.distance, OFF)} as far with batch norm as without; relative to their length "
        f"{both(shift.relative, OFF)} as far. At equal loss the factors are "
        f"{both(shift.distance, AT_LOSS)}, and {both(shift.relative, AT_LOSS)}.",
        "While the plain network sits on its plateau batch norm has far more shift, "
        f"{both(shift.distance, ON)}: a network that goes nowhere shifts nothing.",
        "As a matter of distributions: in a step the inputs of the typical layer travel "
        f"{after} as far behind batch norm as without it, in front of it {before}, in units of "
        "their own spread.",
        f"Noise that makes the inputs travel {moved(noise)} as far in a step as without norm "
        f"leaves batch norm’s network {ahead(noise)} of the plain one in test accuracy. "
        f"{alone(noise)}",
        "Not shown here: what batch norm does help by (chapter 7 looks for it), and anything at "
        f"full width. Scale: {main.scale}.",
    )


def moved(noise: Runs) -> str:
    """Noisy batch norm / none: how far the inputs of the activations travel in a step."""
    return times(
        *(layer_inputs.typical(noise.where(norm=norm), "after") for norm in ("noisy", "none"))
    )


def ahead(noise: Runs, other: str = "none") -> str:
    """Test accuracy of noisy batch norm, noise off, against that of another network."""
    one, two = (accuracy(noise.where(norm=norm), PRECISE).mean() for norm in ("noisy", other))
    return f"{three_digits(abs(float(one - two)))} points {'ahead' if one > two else 'behind'}"


def alone(noise: Runs) -> str:
    """How many runs learn with the noise and without batch norm; nothing where there are none."""
    arm = noise.where(norm="noise")
    return f"With the noise alone {share(learned(arm, PRECISE)).counted} learn." if len(arm) else ""


def typical(main: Runs) -> str:
    """The relative distance of the typical look in layers 5 and 10, at each learning rate."""
    said = []
    for lr in main.values("lr"):
        batch, none = arms(main.where(lr=lr))
        without, with_bn = (
            two_digits(float(np.mean([np.median(shift.relative(a, layer)) for layer in LAYERS])))
            for a in (none, batch)
        )
        said.append(f"{without} without and {with_bn} with batch norm at learning rate {lr:g}")
    return ", ".join(said)
