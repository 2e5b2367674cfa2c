"""Tables of the AlexNet page: rows of what an arm reaches, and how fast."""

from collections.abc import Mapping

import numpy as np

from bnlib.analysis.course import effective_rate
from bnlib.analysis.learning import PRECISE, best
from bnlib.analysis.speed import OWN, epochs
from bnlib.book import plots
from bnlib.book.alexnet_curves import STARTS, arms, name_of, normed
from bnlib.book.alexnet_speed import SAME
from bnlib.book.alexnet_sweeps import PLACES, RULES, dropped
from bnlib.book.tables import both, percent
from bnlib.run import Runs

Rows = dict[str, dict[str, str]]
NETWORKS = {"lenet": "LeNet", "alexnet": "AlexNet", "resnet18": "ResNet-18"}


def took(arm: Runs, endpoint: str) -> str:
    """Median epochs to an endpoint by precise statistics and their range; where some runs never
    get there, how many do."""
    times = epochs(arm, endpoint, PRECISE)
    count = int(np.isfinite(times).sum())
    if count < len(times):
        return f"{count} of {len(times)} get there"
    return f"{np.median(times):.1f} ({times.min():.1f}–{times.max():.1f})"


def speeds(main: Runs, starts: Runs, original: Runs) -> Rows:
    """A row for each rate and arm, then for the plain network's other starts, then for images of
    the original's size, where they are recorded."""
    plain, batch = arms(main)
    shown = [arm.where(lr=lr) for lr in sorted(main.values("lr")) for arm in (plain, batch)]
    rows = {name_of(arm): arm for arm in [*shown, *starts.by("init").values()]}
    rows |= {f"{name_of(arm)}, 224 × 224": arm for arm in original.by("norm").values()}
    return {
        name: {
            **both(arm),
            f"epochs to {SAME}": took(arm, SAME),
            f"to {OWN}": took(arm, OWN),
        }
        for name, arm in rows.items()
    }


def named(optimizer: str) -> str:
    return {"sgd": "SGD"}.get(optimizer, optimizer.capitalize())


def optimisers(tuned: Runs) -> Rows:
    """Each optimiser at its rates; the one that validation chooses by precise is named."""
    rows = {}
    for name, some in tuned.by("optimizer").items():
        label = named(name)
        for lr, arm in some.by("lr").items():
            chosen = " (chosen)" * (lr == best(some, "lr", PRECISE))
            rows[f"{label}, {lr:g}{chosen}"] = both(arm)
    return rows


def inits(inits: Runs, small_rate: Runs) -> Rows:
    """A row for each start: without norm at both rates, and with batch norm its effective rate."""
    plain, batch = arms(inits)
    one = effective_rate(batch.where(init="default"))[:, 0].mean()
    rows = {}
    for init, arm in batch.by("init").items():
        slow = small_rate.where(init=init)
        rows[STARTS[init]] = {
            f"no norm, {plain[0].recipe.lr:g}": percent(plain.where(init=init)),
            f"no norm, {small_rate[0].recipe.lr:g}": percent(slow) if len(slow) else "–",
            "BN, running": percent(arm),
            "BN, effective rate": f"{effective_rate(arm)[:, 0].mean() / one:.2g}×",
        }
    return rows


def dropouts(drop: Runs) -> Rows:
    rows = {}
    for place, where in PLACES.items():
        for p in sorted(drop.values("dropout")):
            if p or place == "fc":
                name = f"{where}, {p:g}" if p else "none"
                rows[name] = _three(*arms(dropped(drop, p, place)))
    return rows


def decays(decay: Runs) -> Rows:
    rows = {}
    for length, some in sorted(decay.by("epochs").items()):
        none = some.where(norm="none")
        for strength, arm in sorted(normed(some).by("weight_decay").items()):
            name = f"λ = {strength:g}, {length} epochs"
            rows[name] = _three(none.where(weight_decay=strength), arm)
    return rows


def batches(runs: Mapping[str, Runs]) -> Rows:
    return {
        f"{rule}, B = {size}": _three(*arms(some))
        for experiment, rule in RULES.items()
        for size, some in sorted(runs[experiment].by("batch_size").items())
    }


def _three(none: Runs, batch: Runs) -> dict[str, str]:
    running, precise = both(batch).values()
    plain = percent(none) if len(none) else "–"
    return {"no norm": plain, "BN, running": running, "BN, precise": precise}


def networks(short: Runs, lenet: Runs, clock: Runs) -> Rows:
    """Both arms of the three networks: parameters, accuracy where trained, multiply-adds of an
    image and time of a step at full width."""
    from bnlib.price import passes  # needs torch, only to look at shapes

    trained = {"lenet": lenet, "alexnet": short}
    times = clock[0].history
    rows = {}
    for model, label in NETWORKS.items():
        norms, timed = clock[0].recipe.norms, clock[0].recipe.arms()
        count = passes.evaluation(timed[f"{model} {norms[0]}"], 1).flop / 2e6  # two operations each
        for norm in norms:
            step = np.median(np.divide(times[f"{model} {norm}"], times["alexnet none"]))
            arm = trained[model].where(norm=norm) if model in trained else Runs([])
            rows[f"{label}, {plots.NAME[norm]}"] = {
                "parameters": f"{arm[0].summary['parameters'] / 1e6:.2g} M" if len(arm) else "–",
                "test accuracy (%)": percent(arm) if len(arm) else "–",
                "multiply-adds": f"{count:.3g} M",
                "time of a step": f"{step:.2g}×",
            }
    return rows
