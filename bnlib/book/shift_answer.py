"""What the chapter on internal covariate shift says in words, its numbers from the records: the
short answer, and the sentences beside its tables and figures."""

import numpy as np

from bnlib.analysis import layer_inputs, shift
from bnlib.analysis.counts import share
from bnlib.analysis.findings import difference, spread
from bnlib.analysis.landscape import OFF, ON, seeds_in
from bnlib.analysis.learning import PRECISE, RUNNING, Measure, accuracy, learned
from bnlib.book.boxes import Html, Shown, box
from bnlib.book.measured import times, two_digits
from bnlib.book.shift_tables import AT_LOSS, both_arms, ratio
from bnlib.book.tables import folded
from bnlib.claims.arms import arms, contrast
from bnlib.claims.card import Card, Cards
from bnlib.claims.margins import CIFAR, three_digits
from bnlib.claims.shift import LAYERS, SIMILAR, noise_on, training_accuracy
from bnlib.run import Runs

Pair = tuple[np.ndarray, np.ndarray]  # a number a run: of one arm, of the other
ALIKE = "as much"
HALF = 0.5  # of the shift left, in each measure: "hardly" reduced
SHOWN = 8  # parts of a claim; of more the picture is folded
NAMES = {layer: name.partition(" (")[0] for layer, name in LAYERS.items()}


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


def both(some: Runs, series: shift.Series, when: str) -> str:
    """The factors of layers 5 and 10."""
    return " and ".join(ratio(some, series, layer, when) for layer in LAYERS)


# Do the gradients shift less?


def factors(some: Runs, when: str) -> dict[tuple[str, str], tuple[float, float, float]]:
    """BN / none and its interval, by measure and layer, where there is a number."""
    pairs = {
        (what, layer): both_arms(some, series, layer, when)
        for what, series in shift.MEASURES.items()
        for layer in LAYERS
    }
    return {key: _factor(*pair) for key, pair in pairs.items() if len(pair[0])}


def _factor(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    with np.errstate(divide="ignore", invalid="ignore"):  # what is 0 has no number here
        pair = np.log2(one), np.log2(other)
    found = difference(*pair, spread(pair))
    value, low, high = (float(2**x) for x in (found.value, *found.interval()))
    return value, low, high


def least(some: Runs) -> float:
    """The smallest of the factors, once the network without norm has left its plateau."""
    found = [value for when in (OFF, AT_LOSS) for value, *_ in factors(some, when).values()]
    return min(found, default=float("nan"))


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
            said.append(f"{side}{' shift' * (not said)}{told} by {_and(where)}")
    return "; ".join(said) or "no number from these runs"


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def shifts_said(some: Runs) -> str:
    """What stands in the table of the shifts, phase by phase."""
    off = "**Off the plateau** these runs have no number."
    if np.isfinite(least(some)):
        off = (
            f"**Off the plateau** there is with batch norm {told_apart(some, OFF)}. If batch norm "
            "worked by *removing* the shift, little of it should be left where it learns faster. "
            f"By each of these measures {two_digits(least(some))} of it or more is left, while "
            f"{faster(some)}."
        )
    if not seeds_in(ON, arms(some)[1], shift.LOSSES):
        return f"{off}\n\nThese runs have no plateau to split off."

    def on(series: shift.Series, layer: str) -> str:
        pair = both_arms(some, series, layer, ON)
        return times(*reversed(pair))

    last = list(LAYERS)[-1]
    return off + (
        f"\n\n**On the plateau** there is with batch norm {told_apart(some, ON)}. There the plain "
        f"network’s gradients have {on(_length, last)} the length of batch norm’s ({NAMES[last]}), "
        f"and the weights before that layer move {on(_movement, last)} as far in a step, relative "
        "to their own length: what does not move shifts nothing. *Per movement*, the last two "
        "rows, batch norm’s "
        f"factors are {both(some, shift.per_movement, ON)}. So a single number for a whole run "
        "would mix the two phases, by how long the plain network learns nothing."
    )


def _length(arm: Runs, layer: str) -> np.ndarray:
    return shift.of_layer(arm, "norm", layer)


def _movement(arm: Runs, layer: str) -> np.ndarray:
    return shift.of_layer(arm, "change", layer)


def faster(some: Runs) -> str:
    """The epoch in which batch norm passes the plain network's last training accuracy."""
    batch, none = (100 * arm.history("train_acc").mean(axis=0) for arm in arms(some))
    passed = np.flatnonzero(batch >= none[-1])
    when = f"in epoch {passed[0] + 1} of {len(batch)}" if len(passed) else "in no epoch"
    return (
        f"its training accuracy passes {three_digits(float(none[-1]))} %, the plain network’s in "
        f"the last epoch, {when}"
    )


def reached_said(some: Runs) -> str:
    """At equal loss, and how often the gradient turns round."""
    turned = {
        NAMES[layer]: [100 * np.mean(shift.angle(arm, layer) > 90) for arm in reversed(arms(some))]
        for layer in LAYERS
    }
    shares = "; ".join(
        f"in {name} at {plain:.0f} % of the looks without and {normed:.0f} % with batch norm"
        for name, (plain, normed) in turned.items()
    )
    return (
        f"At equal loss there is with batch norm {told_apart(some, AT_LOSS)} (last column but one "
        "of the table above). "
        "At the dotted line the layers before have changed the gradient by its own length. The "
        "angle can exceed 90°: then they have gone too far, and the layer’s own step would now "
        f"lead uphill. That is so {shares}."
    )


# A ruler at its end


def typical(main: Runs, what: str = "relative distance", unit: str = "") -> str:
    """A measure at the typical look in layers 5 and 10, at each learning rate."""
    said = []
    for lr in main.values("lr"):
        without, with_bn = (
            two_digits(level(arm, what)) + unit for arm in reversed(arms(main.where(lr=lr)))
        )
        said.append(f"{without} without and {with_bn} with batch norm at learning rate {lr:g}")
    return ", ".join(said)


def levels_title(*several: Runs) -> str:
    """What opens the table of the measures themselves."""
    found = [
        level(a) for runs in several for lr in runs.values("lr") for a in arms(runs.where(lr=lr))
    ]
    least, most = two_digits(min(found)), two_digits(max(found))
    return f"By learning rate: relative distances of {least} to {most}"


def level(arm: Runs, what: str = "relative distance") -> float:
    """Mean over layers 5 and 10 of the median look."""
    return float(np.mean([np.median(shift.MEASURES[what](arm, layer)) for layer in LAYERS]))


def layer_by_layer(main: Runs) -> str:
    """The range of the factors of the relative distance, over layers and learning rates."""
    found = [
        _factor(*pair)[0]
        for lr in main.values("lr")
        for layer in shift.names(main)
        for when in (OFF, AT_LOSS)
        if len((pair := both_arms(main.where(lr=lr), shift.relative, layer, when))[0])
    ]
    if not found:
        return "no number"
    return f"{two_digits(min(found))}× to {two_digits(max(found))}×"


# Without activations


def linear_said(deep: Runs) -> str:
    """What the deep linear network shows at each of its rates."""
    first, *others = sorted(deep.values("lr"))
    said = [
        f"**At learning rate {first:g}** {_settled(deep.where(lr=first))}. The angle of the median "
        f"seed is {_turned(deep.where(lr=first))}."
    ]
    for lr in others:
        some = deep.where(lr=lr)
        last = shift.names(some)[-1]
        back = [100 * np.mean(shift.angle(arm, last) > 90) for arm in reversed(arms(some))]
        said.append(
            f"**At learning rate {lr:g}** {_settled(some)}. The loss comes down in steps and "
            "stands still in between, and each seed has its own staircase. Where it stands still "
            "the gradients are nearly 0, and so is the distance between them; where a network "
            f"overshoots they turn back, in {last} by more than 90° at {back[0]:.0f} % of the "
            f"looks without and {back[1]:.0f} % with batch norm. The median of a run is one or the "
            "other: it tells who had come to rest, not who shifts."
        )
    return "\n\n".join(said)


def _settled(some: Runs) -> str:
    """In how many of the measures an interval leaves 1 out, and on which side."""
    more, less, count = [], [], 0
    for layer in shift.names(some):
        for what, series in shift.MEASURES.items():
            one, other = (shift.over_the_run(series(arm, layer)) for arm in arms(some))
            _, low, high = _factor(one, other)
            more += [f"{what}, {layer}"] * (low > 1)
            less += [f"{what}, {layer}"] * (high < 1)
            count += 1

    def named(some: list[str]) -> str:
        return f": {'; '.join(some)}" * (0 < len(some) <= 2)

    return (
        f"the intervals of {len(more)} of {count} factors lie above 1 (more shift with batch "
        f"norm{named(more)}), those of {len(less)} below 1 (less{named(less)})"
    )


def linear_title(deep: Runs) -> str:
    """What opens the table: where the losses end."""
    said = []
    for lr in deep.values("lr"):
        losses = (arm.array(shift.LOSSES) for arm in arms(deep.where(lr=lr)))
        said.append(f"{_bare(times(*(some[:, -1] / some[:, 0] for some in losses)))} at {lr:g}")
    return f"In numbers: the loss ends {', '.join(said)}"


def _bare(factor: str) -> str:
    """Without its interval."""
    return factor.partition(" (")[0]


def _turned(some: Runs) -> str:
    said = []
    for layer in shift.names(some):
        without, with_bn = (
            two_digits(float(np.median(shift.over_the_run(shift.angle(arm, layer)))))
            for arm in reversed(arms(some))
        )
        said.append(f"{without}° without and {with_bn}° with batch norm in {layer}")
    return ", ".join(said)


# The distributions


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
        f"{_and(_run_factors(some))}. The two readings need not agree: a layer’s gradient depends "
        "on its inputs, but also on the layers behind it and on the loss.\n\n"
        f"From one look to the next, {steps} steps later, the inputs get {more(none)} as far as in "
        f"a single step without batch norm, and {more(batch)} behind it. Steps in one direction "
        f"would lead {steps}× as far, a random walk about {two_digits(steps**0.5)}×; what leads "
        "less far goes to and fro."
    )


def readings_title(some: Runs) -> str:
    """What opens the table of both readings."""
    after = times(*(layer_inputs.typical(arm, "after") for arm in arms(some)))
    shifted = " and ".join(map(_bare, _run_factors(some)))
    return f"In numbers: inputs {_bare(after)}, gradients {shifted}"


def _run_factors(some: Runs) -> list[str]:
    return [
        times(*(shift.over_the_run(shift.relative(arm, layer)) for arm in arms(some)))
        for layer in LAYERS
    ]


# Unsteady on purpose


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
        f"In numbers: inputs travel {_bare(calm)} with batch norm, {_bare(moved(noise))} with noise"
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


# Verdicts


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


def briefly(judged: Cards) -> Html:
    """The cards, with the pictures of those of many parts folded."""
    shown = (
        card.html(short=len(card.answers) > SHOWN) if isinstance(card, Card) else card._repr_html_()
        for card in judged
    )
    return Html("".join(shown), repr(judged))


def opened_by(title: str, shown: Shown) -> Shown:
    """A table behind a line that says its result and opens it."""
    return Shown(folded(title, shown).data, f"{title}\n{shown.plain}")
