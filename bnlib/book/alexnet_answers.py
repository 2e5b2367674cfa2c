"""Sentences of the AlexNet page whose numbers are computed from its runs."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bnlib.analysis.findings import Estimate, difference
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
from bnlib.analysis.speed import OWN, epochs, factors
from bnlib.book import plots
from bnlib.book.alexnet_curves import arms, normed
from bnlib.book.alexnet_sweeps import dropped
from bnlib.book.tables import percent
from bnlib.run import Runs

SOURCE_FACTOR = "seven"  # more than 20 epochs against 3
Experiments = Mapping[str, Runs]
HANG = {  # the source's conclusion, and what it hangs on
    "Batch norm converges several times faster": "**Where the clock stops, and the "
    "learning rate.** At a small rate the plain network loses its time on a plateau, which "
    "Xavier's start removes, too",
    "SGD and Adam make no difference": "**The rates.** At untuned rates either can win",
    "A better start does not help": "**Batch norm, and the learning rate.** With batch norm no "
    "start tried beats the default. Without it the start decides whether the network trains",
    "Dropout with batch norm is very bad": "**Place and evaluation.** Behind the convolutions it "
    "spoils the running averages most, and costs some accuracy besides",
    "Dropout alone ends better": "**Place and evaluation** again. Behind the linear layers it ends "
    "lower",
    "L2 brings nothing": "**Length.** Decay acts through the effective learning rate, and slowly: "
    "runs this short cannot test it",
    "The larger the batch, the better": "**Steps.** In the same number of epochs a larger batch "
    "makes fewer of them",
}


def all_runs(runs: Experiments) -> Runs:
    return Runs(run for some in runs.values() for run in some)


def tuned(main: Runs, how: str) -> tuple[Runs, Runs]:
    """Without norm and with batch norm, each at the rate that validation chooses."""
    plain, batch = (arm.where(lr=best(arm, "lr", how)) for arm in arms(main))
    return plain, batch


def gain(one: Runs, other: Runs, how: str, runs: Experiments) -> Estimate:
    """Points of test accuracy, one − other."""
    kind = kind_spread(all_runs(runs), one, other, accuracy, how)
    return difference(accuracy(one, how), accuracy(other, how), kind)


def points(found: Estimate) -> str:
    """Such as "3.1 points (2.2 to 4.0)"."""
    low, high = found.interval()
    interval = f" ({low:.1f} to {high:.1f})" if np.isfinite(low) else ""
    return f"{found.value:.1f} points{interval}".replace("-", "−")


def mean(arm: Runs, how: str) -> str:
    return f"{accuracy(arm, how).mean():.0f} %"


def many(arm: Runs, how: str = RUNNING) -> str:
    return f"{int(learned(arm, how).sum())} of {len(arm)}"


def span(found: Mapping[tuple[str, str], Estimate]) -> str:
    """From the smallest to the largest factor, such as "1.4 to 4 times"."""
    values = sorted(2**one.value for one in found.values())
    return f"{values[0]:.2g} to {values[-1]:.2g} times" if values else "no number of times"


def speed(runs: Experiments) -> str:
    """Both endpoints of the acceleration in one sentence."""
    plain, batch = tuned(runs["main"], PRECISE)
    found = factors(plain, batch, all_runs(runs))
    parts = []
    for how in EVALUATIONS:
        some = [(end, 2**one.value) for (end, under), one in found.items() if under == how]
        parts += [f"{how}: " + ", ".join(f"{x:.2g}× to {end}" for end, x in some)] * bool(some)
    late = f"{_arrive(plain)} and {_arrive(batch)} runs"
    return (
        f"**Not {SOURCE_FACTOR} times: {span(found)}**, depending on the endpoint and "
        f"the evaluation ({'; '.join(parts)}; each arm at its best learning rate, "
        f"n = {len(plain)} and {len(batch)}). To 70 %, without and with batch norm, {late} get "
        f"within {_length(plain)} epochs."
    )


def _arrive(arm: Runs) -> str:
    return f"{int(np.isfinite(epochs(arm, '70 %', PRECISE)).sum())} of {len(arm)}"


def _length(arm: Runs) -> int:
    return arm[0].recipe.epochs


def short_answer(runs: Experiments) -> str:
    """The box on top of the page."""
    main, drop = runs["main"], runs["dropout"]
    plain, batch = tuned(main, PRECISE)
    found = factors(plain, batch, all_runs(runs))
    own = [2**one.value for (end, _), one in found.items() if end == OWN]
    same = [2**one.value for (end, _), one in found.items() if end != OWN]
    high = main.where(lr=max(main.values("lr")))
    worst = dropped(normed(drop), max(drop.values("dropout")), "conv")
    lines = (
        f"**Faster, but not {SOURCE_FACTOR} times: {span(found)}**, {_between(same)} to the same "
        f"accuracy and {_between(own)} to 95 % of one's own best.",
        f"**Ahead at the end** by {ahead(runs)}. **At more rates**: at "
        f"{max(main.values('lr')):g}, {many(normed(high), PRECISE)} runs learn with it and "
        f"{many(high.where(norm='none'))} without.",
        "**Dropout is no enemy by itself.** Behind the convolutions the worst case keeps "
        f"{mean(worst, RUNNING)} by running averages and {mean(worst, PRECISE)} when the same "
        "weights are evaluated by precise statistics.",
        f"**Not to be said from here**: anything about weight decay, since the runs last "
        f"{_lasted(runs['decay'])} of its time constants; and anything about AlexNet at full "
        "width, or with momentum, a schedule or augmentation.",
    )
    return _box("The short answer", lines)


def ahead(runs: Experiments) -> str:
    """How much higher batch norm ends, each arm at its best rate, under both evaluations."""
    found = []
    for how in reversed(EVALUATIONS):
        plain, batch = tuned(runs["main"], how)
        gained = gain(batch, plain, how, runs)
        low, high = gained.interval()
        settled = "" if low > 0 or high < 0 else ", which is not settled,"
        found.append(f"{points(gained)}{settled} by {how}")
    return " and ".join(found)


def _box(title: str, lines: Sequence[str]) -> str:
    body = "\n".join(f"- {line}" for line in lines)
    return f":::{{admonition}} {title}\n:class: tip\n\n{body}\n:::"


def _between(values: Sequence[float]) -> str:
    if not values:
        return "no number"
    low, high = f"{min(values):.2g}", f"{max(values):.2g}"
    return f"{low}×" if low == high else f"{low} to {high}×"


def _lasted(decay: Runs) -> str:
    """How many time constants of the weight decay the runs of each strength last."""
    each = [time_constants(run) for run in decay if run.recipe.weight_decay]
    return " to ".join(dict.fromkeys(f"{x:.2g}" for x in (min(each), max(each))))


def untestable_decay(decay: Runs) -> str:
    """Why runs as short as these say nothing about weight decay."""
    strengths = [run for run in normed(decay).where(seed=0) if run.recipe.weight_decay]
    strengths.sort(key=lambda run: run.recipe.weight_decay)
    constants = (f"{run.summary['steps'] / time_constants(run):,.0f}" for run in strengths)
    lambdas = (f"{run.recipe.weight_decay:g}" for run in strengths)
    return (
        f"For λ = {', '.join(lambdas)} that is {', '.join(constants)} steps. **The runs have "
        f"{strengths[0].summary['steps']:,}**, which is {_lasted(decay)} time constants. A decay "
        "that has not reached its equilibrium has not been tried: whether it helps is untestable "
        "here, whatever the accuracies say."
    )


def tuned_optimisers(runs: Experiments) -> str:
    """The best of each against each other, and what an untuned rate costs."""
    said = []
    for how in EVALUATIONS:
        by_name = runs["optimizer"].by("optimizer").values()
        one, other = [some.where(lr=best(some, "lr", how)) for some in by_name][:2]
        apart = [
            np.ptp([accuracy(a, how).mean() for a in some.by("lr").values()]) for some in by_name
        ]
        said.append(
            f"by {how} {points(gain(one, other, how, runs))}, while the tried rates of either lie "
            f"{min(apart):.1f} and {max(apart):.1f} points apart"
        )
    return f"The best SGD minus the best Adam is, {'; '.join(said)}."


def ours_and_torchs(norms: Runs) -> str:
    """The two layers' accuracies, run by run."""
    each = (f"{plots.NAME[n]} {percent(arm)}" for n, arm in norms.by("norm").items() if n != "none")
    return f"Test accuracies in percent, seed by seed: {'; '.join(each)}."


def what_it_hangs_on(runs: Experiments, sizes: Callable[[str, int], str]) -> dict[str, dict]:
    """The page's main table: what the source concluded, what was found, what it hangs on.
    ``sizes`` gives the size of a part of a claim, as its card shows it."""
    plain, batch = tuned(runs["main"], PRECISE)
    drop, most = runs["dropout"], max(runs["dropout"].values("dropout"))
    without, with_bn = arms(drop)
    fc = dropped(with_bn, most, "fc")
    conv, alone = dropped(with_bn, most, "conv"), dropped(without, most, "conv")
    he = runs["init"].where(norm="none", init="he")
    measured = (
        f"{span(factors(plain, batch, all_runs(runs)))}, not {SOURCE_FACTOR}",
        f"SGD − Adam: {sizes('S0.2', 0)}",
        f"with BN, Xavier's: {sizes('S0.3', 0)}; without, He's learns in {many(he)} runs",
        f"at p = {most:g}: behind the linear layers "
        f"{points(gain(fc, dropped(with_bn, 0.0, 'fc'), RUNNING, runs))}; behind the convolutions "
        f"{mean(conv, RUNNING)}, precise {mean(conv, PRECISE)}, of "
        f"{mean(dropped(with_bn, 0.0, 'fc'), RUNNING)}",
        f"alone − with BN, behind the linear layers: {sizes('S0.4b', 2)}; behind the convolutions "
        f"{mean(alone, RUNNING)} against {mean(conv, RUNNING)}, precise {mean(conv, PRECISE)}",
        f"runs of {_lasted(runs['decay'])} time constants",
        f"at a fixed rate, with BN: {sizes('S0.6', 0)}; without: {sizes('S0.6', 1)}",
    )
    return {
        said: {"measured here": size, "what it hangs on": f"{why}."}
        for (said, why), size in zip(HANG.items(), measured, strict=True)
    }


def size_of(judged: Sequence) -> Callable[[str, int], str]:
    """The size of a claim's part among judged ``cards``."""
    by_id = {card.claim.id: card for card in judged}

    def size(name: str, place: int) -> str:
        answers = by_id[name].answers
        return answers[place].size if place < len(answers) else "not tested"

    return size
