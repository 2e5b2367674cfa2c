"""Sentences of the LeNet page whose numbers are computed from its runs."""

from collections.abc import Mapping

import numpy as np

from bnlib.analysis.counts import shares
from bnlib.analysis.digits import among_the_two_hardest
from bnlib.analysis.early import blew_up
from bnlib.analysis.findings import difference, paired_difference
from bnlib.analysis.learning import PRECISE, RUNNING, accuracy, best, kind_spread, learned
from bnlib.analysis.rates import at_best
from bnlib.book import rates, warm_up
from bnlib.book.finals import Rows, by_norm, cell, digits
from bnlib.claims.lenet import padding_helps
from bnlib.claims.margins import MNIST
from bnlib.run import Runs, of_the_same_seeds

Experiments = Mapping[str, Runs]
NORMS = ("none", "batch")
NAMES = {"tanh": "tanh", "sigmoid": "the sigmoid", "relu": "ReLU"}


def gain(none: Runs, batch: Runs, runs: Experiments) -> str:
    """Such as "0.38 points (0.20 to 0.56)": how much lower the test error is with batch norm."""
    among = Runs(run for some in runs.values() for run in some)
    kind = kind_spread(among, batch, none, accuracy, RUNNING)
    found = difference(accuracy(batch, RUNNING), accuracy(none, RUNNING), kind)
    value, low, high = (digits(round(x, 3)) for x in (found.value, *found.interval()))
    interval = f" ({low} to {high})" if np.isfinite(found.interval()[0]) else ""
    return f"{value} points{interval}".replace("-", "−")


def short_answer(runs: Experiments) -> list[str]:
    main, sweep = runs["main"], runs["sweep"]
    none, batch = (main.where(norm=norm) for norm in NORMS)
    tuned = [at_best(norm, RUNNING, sweep, main, runs["best"]) for norm in NORMS]
    (low, high), (plain_low, plain_high) = (
        rates.span(sweep.where(norm=norm)) for norm in reversed(NORMS)
    )
    tried = sorted(sweep.values("lr"))
    return [
        f"**At the source's learning rate, {main[0].recipe.lr:g}, batch norm helps a little**: it "
        f"takes {gain(none, batch, runs)} off the test error ({_counts(none, batch)}). "
        f"{single(main)}",
        f"**With the best rate for each, perhaps a little**: {gain(*tuned, runs)}.",
        f"**Its clear gain is that the rate matters far less.** From {tried[0]:g} to {tried[-1]:g} "
        f"the mean test error stays between {digits(low)} and {digits(high)} % with batch norm; "
        f"without it it runs from {digits(plain_low)} to {digits(plain_high)} % (n = "
        f"{len(sweep.values('seed'))}).",
        f"**At {main[0].recipe.lr:g} {warm_up.head(runs)}.** {blow_ups(none)} without batch norm "
        f"blow up (their mean training loss in the first epoch is above half of guessing's), "
        f"{blow_ups(batch)} with it (Fisher p = {_fisher(none, batch):.2f}). "
        f"{warm_up.said(runs)}",
        "**What this does not show**: anything about data that are harder than MNIST.",
    ]


def near_the_best(sweep: Runs) -> str:
    """As the front page counts the rates that work."""
    return (
        f"Counted over all rates: at most {MNIST.margin:g} points of validation accuracy below the "
        f"plain network's best rate end {rates.near_the_best(sweep, MNIST)} runs, with batch norm "
        "(precise statistics) against without."
    )


def _counts(none: Runs, batch: Runs) -> str:
    if len(none) == len(batch):
        return f"n = {len(none)}"
    return f"n = {len(none)} without, {len(batch)} with"


def blow_ups(arm: Runs) -> str:
    return f"{blew_up(arm).sum()} of {len(arm)} runs"


def _fisher(none: Runs, batch: Runs) -> float:
    """Of as many runs blowing up, two-sided."""
    found = shares(blew_up(none), blew_up(batch))
    return min(1, 2 * min(found.p_above(0), found.p_below(0)))


def single(main: Runs) -> str:
    """In how many seeds one run of each arm shows the gain in whole percents."""
    arms = of_the_same_seeds(*(main.where(norm=norm) for norm in NORMS))
    percents = [accuracy(arm, RUNNING) for arm in arms]
    cut, rounded = (
        int((np.diff([shorten(each) for each in percents], axis=0) > 0).sum())
        for shorten in (np.floor, np.round)
    )
    return (
        f"Printed in whole percents it shows in {cut} of {len(percents[0])} pairs of single runs "
        f"if decimals are cut off, in {rounded} if they are rounded."
    )


def printed_alike(main: Runs, percent: int) -> str:
    """In how many seeds both arms print the source's number, shortened in either way."""
    arms = of_the_same_seeds(*(main.where(norm=norm) for norm in NORMS))
    printed = [100 * arm.array("acc_as_reported")[:, -1] for arm in arms]
    cut, rounded = (
        int(np.all([shorten(each) == percent for each in printed], axis=0).sum())
        for shorten in (np.floor, np.round)
    )
    return (
        f"With both mistakes, run by run, both arms print {percent} % in {cut} of "
        f"{len(printed[0])} seeds if decimals are cut off, in {rounded} if they are rounded."
    )


def averages_cost(batch: Runs) -> str:
    """What the running averages cost at the end, evaluating each network twice."""
    found = paired_difference(accuracy(batch, PRECISE), accuracy(batch, RUNNING))
    value, low, high = (digits(round(x, 3)) for x in (found.value, *found.interval()))
    return (
        f"At the end of training the running averages still cost {value} points ({low} to "
        f"{high}; each network evaluated twice, n = {len(batch)})."
    ).replace("-", "−")


def beside_torch(main: Runs) -> str:
    """How far apart ours and PyTorch's end, trained from the same start on the same batches."""
    ours, theirs = of_the_same_seeds(*(main.where(norm=norm) for norm in ("batch", "torch")))
    apart = paired_difference(accuracy(ours, RUNNING), accuracy(theirs, RUNNING))
    more = " (What separates them in the table is the seeds that ours alone has.)"
    return (
        f"Seed by seed, where both are trained (n = {len(ours)}), our batch norm ends at "
        f"{MNIST.show(apart)} of accuracy against PyTorch's: the same formulas, rounded in another "
        "order." + more * (len(main.where(norm="batch")) > len(ours))
    )


def early(main: Runs) -> str:
    """What the runs that blow up early have to do with the gain, seed by seed."""
    none, batch = (main.where(norm=norm) for norm in NORMS)
    wild = blew_up(none)
    if not wild.any() or wild.all():
        return "The seeds without norm do not fall into two groups."
    errors = 100 - accuracy(none, RUNNING)
    losses, first = none.history("train_loss")[:, 0], 100 * none.history("test_acc")[:, 0]
    seeds = ", ".join(str(none[place].recipe.seed) for place in np.flatnonzero(wild))
    guessing = np.log(len(none[0].summary["class_acc"]))
    calm = difference(accuracy(batch, RUNNING), accuracy(none, RUNNING)[~wild])
    low, high = calm.interval()
    return (
        f"In {wild.sum()} of {len(none)} seeds ({seeds}) the plain network blows up early: its "
        f"training loss, averaged over the first epoch, is {digits(losses[wild].min())} to "
        f"{digits(losses[wild].max())}. Guessing has {digits(guessing)}, the other seeds at most "
        f"{digits(losses[~wild].max())}. It recovers within the epoch: after it each of the "
        f"{len(none)} seeds reads at least {digits(first.min())} % of the test images correctly. "
        f"But these seeds stay behind: they end at {digits(errors[wild].min())} to "
        f"{digits(errors[wild].max())} % error, the others at {digits(errors[~wild].min())} to "
        f"{digits(errors[~wild].max())} %. Against the others alone batch norm gains "
        f"{digits(calm.value)} points ({digits(low)} to {digits(high)}). "
        f"With batch norm {blow_ups(batch)} blow up. The groups were found in the runs "
        "that they explain: this is a hint and no test."
    )


def evaluations(main: Runs) -> Rows:
    """The test error in percent by the steps of the source's evaluation; last, what is printed."""
    rows: Rows = {}
    for name, arm in by_norm(Runs(run for n in NORMS for run in main.where(norm=n))).items():
        printed = 100 * arm.array("acc_as_reported")[:, -1]
        column = {
            "evaluated properly": cell(100 - accuracy(arm, RUNNING)),
            "mistake 1: test-batch statistics": cell(
                100 - 100 * arm.array("acc_test_batches")[:, -1]
            ),
            "mistakes 1 and 2": cell(100 - printed),
            "accuracy as printed, rounded": f"{printed.mean():.0f} %",
            "accuracy as printed, cut off": f"{int(printed.mean())} %",
        }
        for row, text in column.items():
            rows.setdefault(row, {})[name] = text
    return rows


def activations(runs: Runs) -> Rows:
    return {
        f"{activation}, {lr:g}": {
            name: cell(100 - accuracy(arm, RUNNING)) for name, arm in by_norm(pair).items()
        }
        for activation, some in runs.by("activation").items()
        for lr, pair in some.by("lr").items()
    }


def activations_said(runs: Runs) -> str:
    """Which activations fail at which rate without norm, and where all end with it."""
    lost = []
    for activation, some in runs.where(norm="none").by("activation").items():
        for lr, arm in some.by("lr").items():
            if fail := int((~learned(arm, RUNNING)).sum()):
                lost.append(f"with {NAMES[activation]} {fail} of {len(arm)} runs fail at {lr:g}")
    batch = runs.where(norm="batch")
    means = [
        100 - accuracy(arm, RUNNING).mean()
        for some in batch.by("activation").values()
        for arm in some.by("lr").values()
    ]
    tried = " and ".join(f"{lr:g}" for lr in sorted(runs.values("lr")))
    return (
        f"Without norm, of the rates {tried}: {', '.join(lost) or 'no run is lost'}. With batch "
        f"norm all {len(means)} settings end at {digits(min(means))} to {digits(max(means))} % "
        "error in the mean."
    )


def sizes(padded: Runs, bare: Runs) -> Rows:
    """Test error and parameters for both sizes of the input."""
    rows: Rows = {}
    for norm in NORMS:
        for some in (padded, bare):
            arm = some.where(norm=norm)
            pixels = arm[0].recipe.image_size
            (name,) = by_norm(arm)
            rows[f"{name}, {pixels} × {pixels}"] = {
                "test error (%)": cell(100 - accuracy(arm, RUNNING)),
                "parameters": f"{arm[0].summary['parameters']:,}",
            }
    return rows


def sizes_said(runs: Experiments) -> str:
    """What the larger input changes, and whether that counts: the parts of the claim on it."""
    said = (
        f"{', '.join(answer.part.at.values())} by {answer.size}, {answer.label}"
        for answer in padding_helps.card(runs).answers
    )
    return f"From 28 × 28 to 32 × 32 the test accuracy changes {'; '.join(said)}."


def hardest(none: Runs, named: tuple[int, int]) -> str:
    """How often each of the two named digits, and both, are the two hardest."""
    counts = [among_the_two_hardest(none, digit) for digit in named]
    both = int(np.logical_and(*counts).sum())
    one, other = (int(count.sum()) for count in counts)
    return (
        f"Without norm the digit {named[0]} is among the two hardest in {one} of {len(none)} runs, "
        f"the digit {named[1]} in {other}, both in {both}."
    )


def best_rates(sweep: Runs) -> str:
    """The rates that validation chooses."""
    chosen = {name: best(arm, "lr", RUNNING) for name, arm in by_norm(sweep).items()}
    return ", ".join(f"{lr:g} for {name}" for name, lr in chosen.items())
