"""The figures, tables and sentences on Ioffe & Szegedy's MNIST experiment."""

import itertools
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from bnlib.analysis.drift import EARLY, drift, drift_between
from bnlib.analysis.findings import Finding, difference
from bnlib.analysis.learning import RUNNING, accuracy, kind_spread
from bnlib.book import plots
from bnlib.book.finals import Rows, both
from bnlib.book.measured import times
from bnlib.claims.arms import Untestable
from bnlib.claims.margins import RATIO
from bnlib.claims.motivation import ratio
from bnlib.run import Runs

ARMS = ("none", "batch")
PLACES, PHASES = ("after", "before"), ("early", "late")
FIRST, SETTLED = 500, 1000  # training steps: the plain band is narrow; it is so no longer


def short_answer(runs: Mapping[str, Runs]) -> list[str]:
    mnist = runs["mnist"]
    lrs = sorted(mnist.values("lr"))
    gains = ", ".join(f"{_gain(mnist, lr)} at learning rate {lr:g}" for lr in lrs)
    after, early, late = (
        _factors(runs, *looked) for looked in (("after",), ("before", "early"), ("before", "late"))
    )
    return [
        "**Batch norm was invented against a moving target**: every layer learns on inputs that "
        "the layers before it keep changing. Depth turns small changes and small factors into "
        "large ones, which the miniatures below let you compute.",
        "**In the experiment that opened the case it does train better**: it adds "
        f"{gains} (test accuracy, n = {len(mnist.where(norm='batch', lr=lrs[0]))}).",
        "**Do the inputs drift less with it?** Behind batch norm yes, by construction: "
        f"{after} of the drift without. Before it, where nothing is fixed, early in training "
        f"({early}), mostly because the plain network's band starts narrow, and not later "
        f"({late}).",
        "**What this does not show**: that it trains better *because* the inputs drift less. Two "
        "things that happen together need not cause each other.",
    ]


def before_early(mnist: Runs) -> str:
    """What the early drift in front of batch norm rests on, by training steps."""
    lrs = sorted(mnist.values("lr"))
    end = EARLY * mnist[0].summary["steps"]
    if any(run.summary["diverged"] for run in mnist):
        return "*Early*: of runs that diverge no drift is measured."
    if end <= SETTLED:
        return "*Early*: these runs are too short to part the first steps from what follows."
    shares, ratios, unshown = [], [], []
    for lr in lrs:
        batch, none = (mnist.where(norm=norm, lr=lr) for norm in reversed(ARMS))
        first, whole = (_drifted(none, "after", 0, last) for last in (FIRST, end))
        shares.append(f"{100 * (first / whole).mean():.0f}")
        pair = _drifted(batch, "before", SETTLED, end), _drifted(none, "after", SETTLED, end)
        ratios.append(times(*pair))
        _, high = difference(*map(np.log2, pair)).interval()
        unshown += [f"{lr:g}"] * (not high < -RATIO.margin)
    rates = " and ".join(f"{lr:g}" for lr in lrs)
    least = f"{2**-RATIO.margin:g}×"
    so = (
        f" So at {' and '.join(unshown)} a calming of the layers before, to less than {least}, is "
        "not shown."
    )
    return (
        f"*Early* the ratio is {_factors({'mnist': mnist}, 'before', 'early')} (rates {rates}), "
        f"but {' and '.join(shares)} % of the plain network's drift there is made in the first "
        f"{FIRST:,} steps, when its band is narrow and a small step moves it by many widths. From "
        f"step {SETTLED:,} to the end of that tenth the ratio is {' and '.join(ratios)}."
        + so
        * bool(unshown)
    )


def _drifted(arm: Runs, place: str, first: float, last: float) -> np.ndarray:
    """The median drift over the units of each run: (runs,)."""
    return np.array([np.median(drift_between(run, place, first, last)) for run in arm])


def _gain(mnist: Runs, lr: float) -> str:
    batch, none = (mnist.where(norm=norm, lr=lr) for norm in reversed(ARMS))
    kind = kind_spread(mnist, batch, none, accuracy, RUNNING)
    found = difference(accuracy(batch, RUNNING), accuracy(none, RUNNING), kind)
    low, high = found.interval()
    interval = f" ({low:.2f} to {high:.2f})" if np.isfinite(low) else ""
    return f"{found.value:.2f} points{interval}".replace("-", "−")


def _factors(runs: Mapping[str, Runs], place: str, phase: str = "") -> str:
    """Drift with batch norm over drift without, from the smallest rate to the largest."""
    each = []
    for lr in sorted(runs["mnist"].values("lr")):
        found = _ratio(runs, lr, place, phase)
        each.append(f"{2**found.value:.2f}×" if found else "no number, since runs diverge,")
    return " and ".join(dict.fromkeys(each))


def _ratio(
    runs: Mapping[str, Runs], lr: float, place: str, phase: str, own: bool = True
) -> Finding | None:
    """Drift with BN / without as the claims measure it; None where runs diverge."""
    try:
        return ratio(runs, lr, place, phase, own)
    except Untestable:
        return None


def quantiles(mnist: Runs) -> Figure:
    """The input of the unit whose drift is the median of its layer: 15, 50 and 85 %."""
    lrs = sorted(mnist.values("lr"))
    fig, axes = plt.subplots(len(lrs), 2, sharex=True, sharey="row", squeeze=False)
    fig.set_size_inches(plots.TEXT_WIDTH, 2.3 * len(lrs))
    plots.scale(mnist)
    for row, lr in zip(axes, lrs, strict=True):
        for ax, norm in zip(row, ARMS, strict=True):
            _band(ax, mnist.where(lr=lr, norm=norm, seed=0)[0])
            ax.set_title(f"{plots.NAME[norm]}, learning rate {lr:g}", fontsize=10)
        row[0].set_ylabel("input of the sigmoid")
    for ax in axes[-1]:
        ax.set_xlabel("training step [thousands]")
    plt.close(fig)
    return fig


def _band(ax, run) -> None:
    total = drift(run, "after")
    unit = np.argsort(total)[len(total) // 2]
    low, middle, high = run.arrays["unit_after"][:, :, unit].astype(float).T
    steps, colour = run.arrays["steps"] / 1000, plots.COLOUR[run.recipe.norm]
    ax.fill_between(steps, low, high, color=colour, alpha=0.15)
    for line, width in ((low, 1), (high, 1), (middle, 2)):
        ax.plot(steps, line, color=colour, linewidth=width)


def errors(mnist: Runs) -> Figure:
    """Test error over training, by running averages, thin lines for the seeds."""
    lrs = sorted(mnist.values("lr"))
    fig, axes = plt.subplots(1, len(lrs), sharey=True, squeeze=False)
    plots.scale(mnist)
    for ax, lr in zip(axes[0], lrs, strict=True):
        for norm in ARMS:
            some = mnist.where(lr=lr, norm=norm)
            curves = 100 - 100 * some.history("test_acc")
            per_epoch = some[0].summary["steps"] / some[0].summary["epochs"]
            steps = per_epoch * np.arange(1, curves.shape[1] + 1) / 1000
            plots.seeds(ax, steps, curves, **plots.look(norm))
        ax.set(xlabel="training step [thousands]", yscale="log")
        ax.set_title(f"learning rate {lr:g}", fontsize=10)
        ax.yaxis.set_major_locator(plt.FixedLocator([2, 3, 5, 10, 20, 50]))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(plt.NullFormatter())
    axes[0, 0].set_ylabel("test error (%, log scale)")
    axes[0, 0].legend(loc="upper right")
    plt.close(fig)
    return fig


def finals(mnist: Runs) -> Rows:
    """The test error of each arm at each rate, under both evaluations."""
    arms = {
        f"{plots.NAME[norm]}, {lr:g}": mnist.where(norm=norm, lr=lr)
        for lr in sorted(mnist.values("lr"))
        for norm in ARMS
    }
    return both(arms)


def drifts(runs: Mapping[str, Runs]) -> Figure:
    """Drift with batch norm as a multiple of the drift without, in both units."""
    fig, axes = plt.subplots(1, 2, sharey=True, sharex=True)
    fig.set_size_inches(plots.TEXT_WIDTH, 3.4)
    plots.scale(runs["mnist"])
    rows = list(itertools.product(sorted(runs["mnist"].values("lr")), PLACES, PHASES))
    titles = "in its own widths (judged)", "as they are"
    for ax, own, title in zip(axes, (True, False), titles, strict=True):
        ax.axvspan(2**-RATIO.margin, 2**RATIO.margin, color="#777777", alpha=0.15, linewidth=0)
        ax.axvline(1, color="#777777", linewidth=0.8)
        for row, (lr, place, phase) in enumerate(rows):
            found = _ratio(runs, lr, place, phase, own)
            if not found:
                continue
            colour = plots.CYCLE[0 if place == "after" else 3]
            ax.plot(np.exp2(found.interval()), (-row, -row), color=colour)
            ax.plot(2**found.value, -row, "o", color=colour, markersize=4)
        ax.set_title(title, fontsize=10)
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_locator(plt.LogLocator(base=4))  # names of every doubling would overlap
        ax.xaxis.set_major_formatter("{x:g}×")
    names = [f"{place} BN, {phase}, rate {lr:g}" for lr, place, phase in rows]
    axes[0].set_yticks([-row for row in range(len(rows))], names)
    fig.supxlabel("drift with BN / drift without BN (log scale)", fontsize=10)
    plt.close(fig)
    return fig
