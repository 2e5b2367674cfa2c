"""Sentences of the controlled study's page whose numbers are computed from its runs."""

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from IPython.display import Markdown

from bnlib.analysis.counts import shares
from bnlib.analysis.findings import Finding
from bnlib.analysis.learning import (
    EVALUATIONS,
    PRECISE,
    RUNNING,
    Measure,
    accuracy,
    best,
    learned,
    roughness,
    time_constants,
)
from bnlib.analysis.matched import accuracy_at, common_loss, time_to_shared
from bnlib.book.says import box
from bnlib.book.study_duels import Duel, duels
from bnlib.claims.arms import NotTested, Untestable, arms, contrast, pace
from bnlib.claims.card import Cards
from bnlib.claims.extremes import flat, long_enough
from bnlib.claims.judge import FAILS, HOLDS, IN_PART, OPEN
from bnlib.claims.margins import CIFAR, RATIO, UNITS
from bnlib.claims.regularising import parts_of
from bnlib.run import Runs

Experiments = Mapping[str, Runs]
NO_SMALLEST = "Batches of 2, and group norm beside them, are not recorded: the recipes are there."
NEAR = 64  # images: the batch of the runs whose speed is put into time


def if_asked(sentence: Callable[[Experiments], str]) -> Callable[[Experiments], str]:
    """The sentence, or, of runs that it cannot be said of, what it needs."""

    @functools.wraps(sentence)
    def said(runs: Experiments) -> str:
        try:
            return sentence(runs)
        except (Untestable, NotTested) as missing:
            return f"Of these runs it cannot be said. {missing}"

    return said


def points(one: Runs, other: Runs, runs: Experiments, how: str = RUNNING) -> str:
    """Test accuracy, one − other, such as "+3.1 points (2.2 to 4.0)"."""
    return CIFAR.show(contrast(one, other, accuracy, how, runs))


def level(arm: Runs, how: str = RUNNING) -> str:
    """Mean test accuracy; a run that diverged guesses."""
    return f"{accuracy(arm, how).mean():.1f} %"


def short_answer(runs: Experiments, judged: Cards) -> Markdown:
    batch, none = arms(runs["cnn"])
    found = duels(runs)
    rescues = [duel.name.replace("MLP, ", "an MLP's ") for duel in found if duel.rescue]
    saved = (
        "**Rescues.** No plain run learns, and every run with batch norm does, with "
        f"{_and(rescues)}."
        if rescues
        else "**No rescue.** There is no duel that only batch norm's runs learn in."
    )
    lines = [
        f"**{_won(found)}**, on CIFAR-10 by {points(batch, none, runs)}. {_standing(judged)}",
        saved,
        f"**What the wild start costs is mostly its learning rate.** {undone(runs)}",
        f"**With and without γ and β.** {bare(runs)}",
    ]
    if runs["cnn"].scale.indicative:
        lines.append(
            "**What this does not show**: who wins after a hundred epochs at full width. These "
            "networks are narrow and train for a few epochs, so every verdict is *indicative*."
        )
    return box("The short answer", lines)


def _won(found: Sequence[Duel]) -> str:
    """How many duels are decided, by their intervals."""
    ends = [duel.finding.interval() for duel in found]
    ahead, behind = sum(low > 0 for low, _ in ends), sum(high < 0 for _, high in ends)
    return (
        f"Ahead in {ahead} of the {len(found)} duels that we ran, behind in {behind}, undecided in "
        f"{len(found) - ahead - behind}"
    )


def _standing(judged: Cards) -> str:
    """How the claims stand, in words."""
    words = Counter(card.word for card in judged.judged)
    named = {
        HOLDS: ("holds", "hold"),
        IN_PART: ("holds in part", "hold in part"),
        FAILS: ("does not hold", "do not hold"),
        OPEN: ("is open", "are open"),
    }
    said = [
        f"{words[word]} {one if words[word] == 1 else many}"
        for word, (one, many) in named.items()
        if words[word]
    ]
    rest = sum(words.values()) - sum(words[word] for word in named)
    said += [f"{rest} cannot be asked here"] * bool(rest)
    return f"Of {sum(words.values())} claims, {_and(said)}."


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def rescues(runs: Experiments) -> str:
    """How many runs of the three duels learn, and how many diverge."""
    names = {"sigmoid": "With sigmoids", "fast": "at the rate 0.1", "normal": "from N(0, 1)"}
    said = []
    for name, where in names.items():
        batch, none = arms(runs[name])
        learn = [int(learned(arm, RUNNING).sum()) for arm in (none, batch)]
        lost = sum(run.summary["diverged"] for run in none)
        counts = f"{learn[0]} of {len(none)} plain runs learn, {learn[1]} of {len(batch)} with BN"
        said.append(f"{where} {counts}" + f" ({lost} plain ones diverge)" * bool(lost))
    return f"{'; '.join(said)}."


@if_asked
def undone(runs: Experiments) -> str:
    """What is left of the wild start's cost when its rates are undone."""
    he, wild = (arms(runs[name])[0] for name in ("cnn", "normal"))
    scaled = runs["rescaled"].where(layer_rates="start")
    return (
        f"With batch norm weights from N(0, 1) cost {points(wild, he, runs)} against He's start; "
        "with each layer's learning rate multiplied by how much longer its weights are, squared, "
        f"{points(scaled, he, runs)}."
    )


@if_asked
def bare(runs: Experiments) -> str:
    """Batch norm without γ and β against batch norm."""
    said = []
    for name, where in (("sigmoid", "With sigmoids"), ("fast", "At the learning rate 0.1")):
        some = runs[name]
        without, whole = some.where(norm="bare"), arms(some)[0]
        learn = f"{int(learned(without, PRECISE).sum())} of {len(without)} runs learn"
        gains = " and ".join(
            f"{points(whole, without, runs, how)} by {how}" for how in reversed(EVALUATIONS)
        )
        said.append(f"{where} {learn} without them; γ and β add {gains}.")
    return " ".join(said)


@if_asked
def fluctuations(runs: Experiments) -> str:
    """How much the validation accuracy scatters with sigmoids and with ReLUs, with batch norm."""

    long_enough(arms(runs[name])[0] for name in ("sigmoid", "cnn"))

    def scatter(name: str, how: str) -> str:
        return f"{2 ** roughness(arms(runs[name])[0], how).mean():.1f}"

    found = {how: [scatter(name, how) for name in ("sigmoid", "cnn")] for how in (RUNNING, PRECISE)}
    sigmoid, relu = found[RUNNING]
    again, _ = found[PRECISE]
    return (
        f"With sigmoids and batch norm the validation accuracy scatters by {sigmoid} points around "
        f"its trend, with ReLUs by {relu}. Under {PRECISE} it is {again}: what fluctuates is "
        "mostly the evaluation."
        if float(again) < 0.5 * float(sigmoid)
        else f"With sigmoids and batch norm the validation accuracy scatters by {sigmoid} points "
        f"around its trend, with ReLUs by {relu}; under {PRECISE} by {again}."
    )


@if_asked
def clipped(runs: Experiments) -> str:
    """How the plain network fares at ten times the rate with its gradients cut."""
    cut, fast = runs["clipped"], arms(runs["fast"])[1]
    found = shares(learned(cut, RUNNING), learned(fast, RUNNING))
    return (
        f"At 0.1 with its gradients cut to length {cut[0].recipe.clip:g} the plain network learns "
        f"in {found.counted.replace(' runs', ' runs without the cut')}. Against the same network "
        f"at 0.01 that is {points(cut, arms(runs['cnn'])[1], runs)} of test accuracy."
    )


@if_asked
def flat_units(runs: Experiments) -> str:
    """Shares of saturated outputs and dead units at the end, mean over the layers."""

    def both(name: str, what: str) -> str:
        batch, none = (100 * np.nanmean(flat(what)(arm)) for arm in arms(runs[name]))
        return f"{none:.1f} % without batch norm and {batch:.1f} % with it"

    said = (
        f"Saturated outputs of the sigmoids: {both('sigmoid', 'saturated')}. Dead ReLUs: "
        f"{both('cnn', 'dead')} at the rate 0.01, {both('fast', 'dead')} at 0.1."
    )
    plain = arms(runs["sigmoid"])[1]
    stuck = not learned(plain, RUNNING).any()
    if stuck and flat("saturated")(plain).max() < UNITS.margin:
        said += (
            " So it is not saturation that stops the plain network with sigmoids: hardly any of "
            "its units is in a flat end. Its gradients vanish ({numref}`fig-study-gradients`)."
        )
    return said


@if_asked
def speed(runs: Experiments) -> str:
    """Epochs to the same accuracy, and the same in time, by the timing of a step."""
    batch, none = arms(runs["cnn"])

    def epochs(arm: Runs, how: str) -> np.ndarray:
        return time_to_shared(arm, (batch, none), how)

    times = [epochs(arm, PRECISE) for arm in (none, batch)]
    if not np.isfinite(np.concatenate(times)).all():
        return (
            f"Each plain run beside each with batch norm: the plain one takes more epochs in "
            f"{(times[0][:, None] > times[1]).sum()} of {len(none) * len(batch)} pairs, fewer in "
            f"{(times[0][:, None] < times[1]).sum()}, to the same validation accuracy (the lower "
            "of the two means at the end; precise statistics)."
        )
    ratio = contrast(none, batch, epochs, PRECISE, runs)
    said = (
        f"To the same validation accuracy the plain network takes {RATIO.show(ratio)} as many "
        "epochs (precise statistics)."
    )
    if len(runs["timing"]):
        near = min(runs["timing"], key=lambda run: abs(run.recipe.recipe.batch_size - NEAR))
        step = {n: 2 ** pace(Runs([near]), n, "none").value for n in ("torch", "batch")}
        left = {name: 2**ratio.value / cost for name, cost in step.items()}
        said += (
            f" In time that leaves {left['torch']:.2g}× with PyTorch's layer and "
            f"{left['batch']:.2g}× with ours, by the step times of {{numref}}`tab-study-time`."
        )
    return said


@if_asked
def by_rate(runs: Experiments) -> str:
    """Where the plain MLP fails and the one with batch norm does not, and each at its best rate."""
    rates = runs["rates"]
    pair = dict(zip(("with batch norm", "without"), arms(rates), strict=True))
    learn = {
        name: [lr for lr, some in sorted(arm.by("lr").items()) if learned(some, RUNNING).all()]
        for name, arm in pair.items()
    }
    most = [f"{max(some, default=0):g} {name}" for name, some in learn.items()]
    ends = [
        f"{level(arm.where(lr=best(arm, 'lr', RUNNING)))} {name}, at {best(arm, 'lr', RUNNING):g}"
        for name, arm in pair.items()
    ]
    return (
        f"The largest rate of the grid at which every run of the MLP learns is {most[0]} and "
        f"{most[1]}. At the rates that validation chooses it ends at {ends[0]}, and {ends[1]}."
    )


@if_asked
def at_the_same_loss(runs: Experiments) -> str:
    """Test accuracy at equal training loss: batch norm, its ghosts, the deep CNN."""
    ghost = runs["ghost"]
    batch, none = arms(ghost)
    whole = batch.where(ghost=0)
    parts = {f"over parts of {size}": batch.where(ghost=size) for size in parts_of(ghost)}

    def gain(one: Runs, other: Runs, among: Sequence[Runs]) -> Finding:
        loss = common_loss(among)
        measure: Measure = lambda arm, how: accuracy_at(arm, loss, how)  # noqa: E731
        return contrast(one, other, measure, PRECISE, runs)

    every = [none, whole, *parts.values()]
    said = [f"batch norm against none {CIFAR.show(gain(whole, none, every))} for the MLP"]
    cnn, plain = arms(runs["cnn"])
    said.append(f"{CIFAR.show(gain(cnn, plain, (cnn, plain)))} for the deep CNN")
    said += [
        f"{name} against the whole batch {CIFAR.show(gain(arm, whole, every))}"
        for name, arm in parts.items()
    ]
    return f"Test accuracy at the same training loss: {_and(said)}."


@if_asked
def decayed(runs: Experiments) -> str:
    """How long the runs are in time constants of the weight decay, and what it gains."""
    decay = runs["decay"]
    run = next(run for run in decay if run.recipe.weight_decay)
    with_it, without = (
        arms(decay.where(weight_decay=strength)) for strength in (run.recipe.weight_decay, 0.0)
    )
    gains = [points(one, other, runs) for one, other in zip(with_it, without, strict=True)]
    return (
        f"The runs have {run.summary['steps']:,} steps, {time_constants(run):.2g} time constants "
        f"of the decay λ = {run.recipe.weight_decay:g} at this rate and momentum. It changes the "
        f"MLP's test accuracy by {gains[0]} with batch norm and by {gains[1]} without (n = "
        f"{min(map(len, with_it))}; {RUNNING})."
    )


@if_asked
def dropped(runs: Experiments) -> str:
    """What the two evaluations make of dropout in front of batch norm."""
    batch, none = arms(runs["dropout"])
    running, precise, plain = (
        f"{accuracy(arm, how).mean():.0f} %"
        for arm, how in ((batch, RUNNING), (batch, PRECISE), (none, RUNNING))
    )
    spoils = accuracy(batch, PRECISE).mean() > accuracy(batch, RUNNING).mean() + CIFAR.margin
    return (
        f"With dropout the plain network ends at {plain}; the one with batch norm at {running} by "
        f"{RUNNING} and at {precise} by {PRECISE}."
        + " They are the same weights: dropout in front of batch norm spoils the averages, as in "
        "{doc}`chapter 4 <04_alexnet>`." * bool(spoils)
    )


@if_asked
def after(runs: Experiments) -> str:
    """Norm behind the activation against in front of it, for the MLP."""
    behind = runs["after"]
    before = arms(runs["rates"].where(lr=behind[0].recipe.lr))[0]
    return (
        "Behind the activation instead of in front of it, batch norm changes the MLP's test "
        f"accuracy by {points(behind, before, runs)}."
    )


@if_asked
def group(runs: Experiments) -> str:
    """Batch norm against group norm on the smallest batches."""
    small, said = runs["smallest"], []
    for size in sorted(small.values("batch_size")):
        some = small.where(batch_size=size)
        (batch, none), other = arms(some), some.where(norm="group")
        precise = level(batch, PRECISE)
        said.append(
            f"With {size} images a batch the MLP ends at {level(none)} without a norm, at "
            f"{level(batch)} with batch norm ({precise} with precise statistics) and at "
            f"{level(other)} with group norm, which is {points(other, batch, runs)} against "
            "batch norm."
        )
    return " ".join(said) or NO_SMALLEST
