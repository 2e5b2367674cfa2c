"""Sentences of the AlexNet page whose numbers are computed from its runs."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bnlib.analysis.course import effective_rate
from bnlib.analysis.findings import Estimate, difference, paired_difference
from bnlib.analysis.landscape import PLATEAU
from bnlib.analysis.learning import (
    EVALUATIONS,
    PRECISE,
    RUNNING,
    accuracy,
    best,
    kind_spread,
    learned,
    time_constants,
)
from bnlib.book import alexnet_speed as speed
from bnlib.book import plots
from bnlib.book.alexnet_curves import arms, longest, normed
from bnlib.book.alexnet_sweeps import PLACES, RULES, dropped
from bnlib.book.alexnet_tables import named
from bnlib.book.tables import percent
from bnlib.claims.regularisers import SETTLED
from bnlib.run import Runs

Experiments = Mapping[str, Runs]
HANG = {  # the source's conclusion, and what it hangs on
    "Batch norm converges several times faster": "**Where the clock stops, and the "
    "learning rate.** At 0.01 the plain network loses its time on a plateau, which He's start "
    "removes; at 0.1, where the plateau is short, Xavier's does",
    "SGD and Adam make no difference": "**The rates.** At untuned rates either can win",
    "A better start does not help": "**Batch norm, and the learning rate.** With batch norm no "
    "start tried beats the default. Without it the start decides whether the network trains",
    "Dropout with batch norm is very bad": "**Place and evaluation.** Behind the convolutions it "
    "spoils the running averages most, and costs {besides} besides",
    "Dropout alone ends better": "**Place and evaluation** again. Behind the linear layers it ends "
    "lower",
    "L2 brings nothing": "**Time.** Decay acts through the effective learning rate, and slowly: in "
    "short runs it has not reached its equilibrium",
    "The larger the batch, the better": "**Steps.** In the same number of epochs a larger batch "
    "makes fewer of them",
}


def all_runs(runs: Experiments) -> Runs:
    """Every run of the page, for the spreads of its kinds."""
    return Runs(run for some in runs.values() for run in some)


def gain(one: Runs, other: Runs, how: str, runs: Experiments) -> Estimate:
    """Points of test accuracy, one − other."""
    kind = kind_spread(all_runs(runs), one, other, accuracy, how)
    return difference(accuracy(one, how), accuracy(other, how), kind)


def points(found: Estimate) -> str:
    """Such as "3.1 points (2.2 to 4.0)"."""
    low, high = found.interval()
    interval = f" ({low:.1f} to {high:.1f})" if np.isfinite(low) else ""
    value = round(found.value, 1) + 0.0  # no −0.0
    return f"{value:.1f} points{interval}".replace("-", "−")


def mean(arm: Runs, how: str) -> str:
    return f"{accuracy(arm, how).mean():.0f} %"


def many(arm: Runs, how: str = RUNNING) -> str:
    return f"{int(learned(arm, how).sum())} of {len(arm)}"


def short_answer(runs: Experiments) -> str:
    """The box on top of the page."""
    main = runs["main"]
    rate = max(main.values("lr"))
    high = main.where(lr=rate)
    lines = (
        "**Faster; how much depends on the endpoint and the rate.** "
        f"{speed.short(main, all_runs(runs))}",
        f"**Ahead at the end** by {ahead(runs)}. **At more rates**: at {rate:g}, "
        f"{many(normed(high), PRECISE)} runs learn with it and {many(high.where(norm='none'))} "
        "without.",
        dropped_behind_convolutions(runs["dropout"]),
        "**What this does not show**: anything about AlexNet at full width, or with momentum, a "
        "schedule or augmentation.",
    )
    return _box("The short answer", lines)


def dropped_behind_convolutions(drop: Runs) -> str:
    """What the evaluation takes of the accuracy, at the highest rate."""
    batch, most = normed(drop), max(drop.values("dropout"))
    worst, without = dropped(batch, most, "conv"), dropped(batch, 0.0, "conv")
    return (
        "**Most of dropout's cost behind the convolutions comes from the evaluation**: at p = "
        f"{most:g} the accuracy is {mean(worst, RUNNING)} by {RUNNING}, {mean(worst, PRECISE)} by "
        f"{PRECISE}, {mean(without, PRECISE)} without dropout."
    )


def dropout(runs: Experiments) -> str:
    """What the highest rate of dropout costs in both places."""
    drop, most = runs["dropout"], max(runs["dropout"].values("dropout"))
    none, batch = arms(drop)

    def costs(arm: Runs, place: str, how: str) -> str:
        return points(gain(dropped(arm, most, place), dropped(arm, 0.0, place), how, runs))

    by = [f"{costs(batch, place, how)} by {how}" for place in PLACES for how in EVALUATIONS]
    return (
        f"At p = {most:g}, with batch norm: behind the linear layers {by[0]} and {by[1]}; behind "
        f"the convolutions {by[2]} and {by[3]}, where the plain network changes by "
        f"{costs(none, 'conv', RUNNING)}."
    )


def ahead(runs: Experiments) -> str:
    """How much higher batch norm ends, each arm at its best rate, under both evaluations."""
    found = []
    for how in reversed(EVALUATIONS):
        plain, batch = speed.tuned(runs["main"], how)
        gained = gain(batch, plain, how, runs)
        low, high = gained.interval()
        settled = "" if low > 0 or high < 0 else ", which is not settled,"
        found.append(f"{points(gained)}{settled} by {how}")
    return " and ".join(found)


def _box(title: str, lines: Sequence[str]) -> str:
    body = "\n".join(f"- {line}" for line in lines)
    return f":::{{admonition}} {title}\n:class: tip\n\n{body}\n:::"


def _lasted(arms: Sequence[Runs]) -> str:
    """How many time constants of the weight decay the runs of each strength last."""
    return " and ".join(f"{min(map(time_constants, arm)):.2g}" for arm in arms)


def weight_decay(runs: Experiments) -> str:
    """What each strength gains where the runs are long enough for it, and where they are not."""
    lasting, short = _by_length(runs["decay"])
    said = []
    if lasting:
        by_how = {how: _gained(runs, how) for how in EVALUATIONS}
        changes = ", ".join(
            f"at λ = {strength:g} by "
            + " and ".join(f"{sizes[strength]} by {how}" for how, sizes in by_how.items())
            for strength in by_how[RUNNING]
        )
        steps = lasting[0][0].summary["steps"]
        said.append(
            f"Runs of {steps:,} steps last {_lasted(lasting)} time constants. Against runs as long "
            f"without weight decay the test accuracy changes {changes}."
        )
    if short:
        constants = (f"{a[0].summary['steps'] / time_constants(a[0]):,.0f}" for a in short)
        lambdas = (f"{arm[0].recipe.weight_decay:g}" for arm in short)
        said.append(
            f"For λ = {' and '.join(lambdas)} a time constant is {' and '.join(constants)} steps. "
            f"**The runs have {short[0][0].summary['steps']:,}**, which is {_lasted(short)} time "
            "constants: whether such a decay helps is untestable here, whatever the accuracies say."
        )
    return " ".join(said)


def effective_rates(decay: Runs) -> str:
    """What each strength makes of the effective learning rate by the end of the longest runs."""
    ends = []
    for strength, arm in sorted(longest(decay).by("weight_decay").items()):
        rate = effective_rate(arm)
        ends.append(f"{(rate[:, -1] / rate[:, 0]).mean():.2g} (λ = {strength:g})")
    return (
        f"By the end the effective learning rate is {', '.join(ends)} times that of the start "
        "({numref}`fig-alexnet-decay`): here a decay is a choice of the learning rate."
    )


def _decayed(runs: Experiments) -> str:
    """A cell of the main table."""
    if gained := _gained(runs):
        each = "; ".join(f"λ = {strength:g}: {size}" for strength, size in gained.items())
        return f"with BN, in long runs, {each}"
    return f"runs of {_lasted(_by_length(runs['decay'])[1])} time constants"


def _by_length(decay: Runs) -> tuple[list[Runs], list[Runs]]:
    """Of each strength the longest runs with batch norm: where they settle, and where not."""
    lasting, short = [], []
    for strength, arm in sorted(normed(decay).by("weight_decay").items()):
        if strength:
            long = arm.where(epochs=max(arm.values("epochs")))
            (lasting if min(map(time_constants, long)) >= SETTLED else short).append(long)
    return lasting, short


def _gained(runs: Experiments, how: str = RUNNING) -> dict[float, str]:
    """By strength, where the runs are long enough: points over none in runs as long."""
    batch, found = normed(runs["decay"]), {}
    for arm in _by_length(runs["decay"])[0]:
        recipe = arm[0].recipe
        control = batch.where(weight_decay=0.0, epochs=recipe.epochs)
        found[recipe.weight_decay] = points(gain(arm, control, how, runs))
    return found


def tuned_optimisers(runs: Experiments) -> str:
    """The best of the first two against each other, and what an untuned rate costs."""
    by_name = runs["optimizer"].by("optimizer").items()
    pair = {named(name): some for name, some in list(by_name)[:2]}
    said = []
    for how in EVALUATIONS:
        one, other = (some.where(lr=best(some, "lr", how)) for some in pair.values())
        means = {
            name: [accuracy(arm, how).mean() for arm in some.by("lr").values()]
            for name, some in pair.items()
        }
        apart = " and ".join(f"{np.ptp(some):.1f} points for {n}" for n, some in means.items())
        said.append(
            f"by {how} {points(gain(one, other, how, runs))}, while between best and worst rate "
            f"lie {apart}"
        )
    return f"The {' minus the '.join(f'best {name}' for name in pair)} is, {'; '.join(said)}."


def on_the_plateau(runs: Experiments) -> str:
    """For how many epochs the largest batch keeps the plain network there, under both rules."""
    said = []
    for experiment, rule in RULES.items():
        some = runs[experiment].where(norm="none")
        loss = some.where(batch_size=max(some.values("batch_size"))).history("train_loss")
        said.append(f"{(loss.mean(axis=0) > PLATEAU).sum()} ({rule})")
    return (
        "Without batch norm the largest batch makes so few steps that its mean training loss is "
        f"above {PLATEAU:g} for {' and '.join(said)} of {loss.shape[1]} epochs."
    )


def ours_and_torchs(norms: Runs) -> str:
    """The two layers' accuracies, run by run, and what separates the pairs: each has the same
    start and the same batches."""
    ours, theirs = (norms.where(norm=norm) for norm in ("batch", "torch"))
    each = (f"{plots.NAME[arm[0].recipe.norm]} {percent(arm)}" for arm in (ours, theirs))
    apart = paired_difference(accuracy(theirs, RUNNING), accuracy(ours, RUNNING))
    return (
        f"Test accuracies in percent, seed by seed: {'; '.join(each)}. PyTorch's − ours: "
        f"{points(apart)}."
    )


def what_it_hangs_on(runs: Experiments, sizes: Callable[[str, int], str]) -> dict[str, dict]:
    """The page's main table: what the source concluded, what was found, what it hangs on.
    ``sizes`` gives the size of a part of a claim, as its card shows it."""
    drop, most = runs["dropout"], max(runs["dropout"].values("dropout"))
    without, with_bn = arms(drop)
    fc, whole = dropped(with_bn, most, "fc"), dropped(with_bn, 0.0, "fc")
    conv, alone = dropped(with_bn, most, "conv"), dropped(without, most, "conv")
    he = runs["init"].where(norm="none", init="he")
    measured = (
        speed.cell(runs["main"], all_runs(runs)),
        f"SGD − Adam: {sizes('S0.2', 0)}",
        f"with BN, Xavier's: {sizes('S0.3', 0)}; without, He's learns in {many(he)} runs",
        f"at p = {most:g}: behind the linear layers "
        f"{points(gain(fc, whole, RUNNING, runs))}; behind the convolutions "
        f"{mean(conv, RUNNING)} instead of {mean(whole, RUNNING)} by {RUNNING}, "
        f"{mean(conv, PRECISE)} instead of {mean(whole, PRECISE)} by {PRECISE}",
        f"alone − with BN, behind the linear layers: {sizes('S0.4b', 2)}; behind the convolutions "
        f"{mean(alone, RUNNING)} alone, with BN {mean(conv, RUNNING)} by {RUNNING} and "
        f"{mean(conv, PRECISE)} by {PRECISE}",
        _decayed(runs),
        f"at a fixed rate, with BN: {sizes('S0.6', 0)}; without: {sizes('S0.6', 1)}",
    )
    conv_costs = gain(conv, dropped(with_bn, 0.0, "conv"), PRECISE, runs)
    besides = f"{-conv_costs.value:.0f} points"
    return {
        said: {"measured here": size, "what it hangs on": f"{why.format(besides=besides)}."}
        for (said, why), size in zip(HANG.items(), measured, strict=True)
    }


def size_of(judged: Sequence) -> Callable[[str, int], str]:
    """The size of a claim's part among judged ``cards``."""
    by_id = {card.claim.id: card for card in judged}

    def size(name: str, place: int) -> str:
        answers = by_id[name].answers
        return answers[place].size if place < len(answers) else "not tested"

    return size
