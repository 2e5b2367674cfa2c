"""What the chapter on internal covariate shift says of the layers' inputs, its numbers from the
records: how far their distributions travel, and what noise behind batch norm does."""

import numpy as np

from bnlib.analysis import layer_inputs, shift
from bnlib.analysis.counts import share
from bnlib.analysis.learning import PRECISE, RUNNING, Measure, accuracy, learned
from bnlib.book.measured import times, two_digits
from bnlib.book.shift_factors import bare, listed
from bnlib.claims.arms import arms, contrast
from bnlib.claims.margins import CIFAR
from bnlib.claims.shift import LAYERS, noise_on, training_accuracy
from bnlib.run import Runs


def readings_said(some: Runs) -> str:
    """Both readings in numbers, and how much of the way is to and fro."""
    batch, none = arms(some)

    def travel(place: str, clock: str = layer_inputs.PER_STEP, own: bool = True) -> str:
        return times(
            layer_inputs.typical(batch, place, clock, own),
            layer_inputs.typical(none, "after", clock, own),
        )

    def more(arm: Runs) -> str:
        """In a look's distance against a step's, of the same runs."""
        look, step = (
            np.median(layer_inputs.typical(arm, "after", clock))
            for clock in (layer_inputs.PER_LOOK, layer_inputs.PER_STEP)
        )
        return f"{two_digits(float(look / step))}×"

    steps = none[0].recipe.probe_every
    return (
        f"**By the distributions** the inputs travel {travel('after')} as far in a step behind "
        "batch norm as without it, in units of their spread; as they are, "
        f"{travel('after', own=False)}. Behind batch norm some of that is so by construction, "
        "since mean and spread are fixed there but for γ and β; in front of it nothing is, and the "
        f"factors are {travel('before')} and {travel('before', own=False)}. **By the gradients**, "
        "in the same steps of the same networks, the factors of the relative distance are "
        f"{listed(_run_factors(some))}. The two readings need not agree: a layer’s gradient "
        "depends on its inputs, but also on the layers behind it and on the loss.\n\n"
        f"From one look to the next, {steps} steps later, the inputs get {more(none)} as far as in "
        f"a single step without batch norm, and {more(batch)} behind it. Steps in one direction "
        f"would lead {steps}× as far, a random walk about {two_digits(steps**0.5)}×; what leads "
        "less far goes to and fro."
    )


def readings_title(some: Runs) -> str:
    """What opens the table of both readings."""
    after = times(*(layer_inputs.typical(arm, "after") for arm in arms(some)))
    shifted = " and ".join(map(bare, _run_factors(some)))
    return f"In numbers: inputs {bare(after)}, gradients {shifted}"


def _run_factors(some: Runs) -> list[str]:
    return [
        times(*(shift.over_the_run(shift.relative(arm, layer)) for arm in arms(some)))
        for layer in LAYERS
    ]


def moved(noise: Runs) -> str:
    """Noisy batch norm / none: how far the inputs of the activations travel in a step."""
    return times(
        *(layer_inputs.typical(noise.where(norm=norm), "after") for norm in ("noisy", "none"))
    )


def ahead(
    runs: dict[str, Runs], other: str = "none", measure: Measure = accuracy, how: str = PRECISE
) -> str:
    """Noisy batch norm's accuracy minus that of another network, in points."""
    noise = runs["noise"]
    others = {name: some for name, some in runs.items() if name != "shift"}  # of another width
    calm, none = arms(noise)
    against = {"none": none, "batch": calm}[other]
    return CIFAR.show(contrast(noise.where(norm="noisy"), against, measure, how, others))


def alone(noise: Runs) -> str:
    """How many runs learn with the noise and without batch norm; nothing where there are none."""
    arm = noise.where(norm="noise")
    return f"With the noise alone {share(learned(arm, PRECISE)).counted} learn." if len(arm) else ""


def unsteady_said(runs: dict[str, Runs]) -> str:
    """Noisy batch norm: how unsteady, and how it ends."""
    noise = runs["noise"]
    learn = share(learned(noise.where(norm="noisy"), PRECISE)).counted
    return (
        f"**Unsteady inputs: {learn} learn.** With noisy batch norm the inputs travel "
        f"{moved(noise)} as far in a step as without norm. With the noise off, its test accuracy "
        f"ends at {ahead(runs)} against the plain network and {ahead(runs, 'batch')} against "
        "batch norm without noise; its training accuracy, which is taken with the noise on, at "
        f"{ahead(runs, 'batch', training_accuracy)} against the latter."
    )


def steadiness_title(noise: Runs) -> str:
    """What opens the table of the four networks' steadiness."""
    calm = times(*(layer_inputs.typical(arm, "after") for arm in arms(noise)))
    return (
        f"In numbers: inputs travel {bare(calm)} with batch norm, {bare(moved(noise))} with noise"
    )


def slower_title(slower: Runs) -> str:
    """What opens the table of the lower rate."""
    rates, arm = ", ".join(f"{lr:g}" for lr in slower.values("lr")), slower.where(norm="noise")
    learn = f": with noise alone {_learn(arm)} learn" if len(arm) else ""
    return f"At learning rate {rates}{learn}"


def at_test_time(runs: dict[str, Runs]) -> str:
    """What noisy batch norm is worth against the plain network, by four evaluations."""

    def by(measure: Measure, how: str) -> str:
        return ahead(runs, measure=measure, how=how)

    return (
        "**Noise at test time has to be named.** Against the plain network noisy batch norm ends "
        f"at {by(accuracy, PRECISE)} with the noise off and at {by(noise_on, PRECISE)} with it on, "
        "both by *precise* statistics, which are estimated again with the final weights. By the "
        f"*running averages* of training it is {by(accuracy, RUNNING)} with the noise off and "
        f"{by(noise_on, RUNNING)} with it on. These averages were taken under noise, which widens "
        "every distribution behind the first, and do not fit a network without it. A report that "
        "does not say which of the four it means can find any of these. (It is the same clash of "
        "training and evaluation as dropout’s in front of batch norm, "
        "{doc}`chapter 4 <04_alexnet>`.)"
    )


def noise_alone(noise: Runs, slower: Runs) -> str:
    """Noise without batch norm: how many runs learn at which rates, how wide its inputs are."""
    arm, none = (noise.where(norm=norm) for norm in ("noise", "none"))
    if not len(arm):
        return ""
    lost = sum(run.summary["diverged"] for run in arm)
    widths = [  # the standard deviations at the first look: (runs, layers)
        some.array("inputs_after_moments")[:, 0, :, 1] for some in (arm, none)
    ]
    first, last = (
        two_digits(float(np.median(widths[0][:, i]) / np.median(widths[1][:, i]))) for i in (0, -1)
    )
    again = slower.where(norm="noise")
    at = "".join(
        f" At learning rate {lr:g} instead of {arm[0].recipe.lr:g}, {_learn(some)} learn."
        for lr, some in again.by("lr").items()
    )
    return (
        f"**Noise alone**: {_learn(arm)} learn, and {lost} diverge."
        f"{at} That says less than it seems. The noise of each layer widens what the next one "
        "gets, and nothing normalises it away: at the first look the values behind the first layer "
        f"spread {first} times as far as without noise, behind the last hidden one {last} times. "
        "So the network may be lost by its scale, and not for lack of steady inputs."
    )


def _learn(arm: Runs) -> str:
    return share(learned(arm, PRECISE)).counted
