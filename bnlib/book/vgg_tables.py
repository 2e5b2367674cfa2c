"""The tables of the VGG chapter on training: starts, updates, learning rates, five networks."""

import numpy as np

from bnlib import models
from bnlib.analysis.counts import share
from bnlib.analysis.course import moved, rise
from bnlib.analysis.learning import PRECISE, RUNNING, accuracy, best, learned
from bnlib.book import plots
from bnlib.book.boxes import Shown, table
from bnlib.book.landscape_tables import STARTS
from bnlib.book.measured import about
from bnlib.catalogue import DATASETS, NETS
from bnlib.claims.arms import arms
from bnlib.claims.margins import three_digits
from bnlib.claims.vgg import ROUNDING, STILL
from bnlib.recipe import Recipe
from bnlib.run import Runs


def starts(start: Runs) -> Shown:
    """What the untrained network tells apart, and which runs learn, by start."""
    rows = {}
    for init, some in start.by("init").items():
        for name, arm in some.by("norm").items():
            logits = arm.array("logit_spread")[:, 0]
            row = {"spread of the logits": f"{np.exp(np.log(logits).mean()):.1g}"}
            for optimizer, title in (("sgd", "SGD"), ("adam", "Adam")):
                of_it = arm.where(optimizer=optimizer)
                if len(of_it):
                    row[f"{title}: % (precise)"] = about(accuracy(of_it, PRECISE))
            rows[f"{STARTS[init]}, {plots.NAME[name]}"] = row
    return table(rows, "Test accuracy after a short training, by start", start.scale)


def updates(some: Runs) -> Shown:
    """How many weight tensors of VGG-16 have moved at a learning rate, by data set and arm."""
    rows = {}
    for dataset, of_data in some.by("dataset").items():
        for name, arm in of_data.by("norm").items():
            distances = moved(arm)
            rows[f"{DATASETS[dataset].label}, {plots.NAME[name]}"] = {
                "below 10⁻⁴": _counted(distances < STILL),
                "below 2⁻²⁴": _counted(distances < ROUNDING),
                "median": f"{np.median(distances):.1g}",
                "farthest": f"{np.median(distances.max(axis=1)):.1g}",
            }
    said = "How far weight tensors moved, in their own first lengths; counts are tensors of a run"
    return table(rows, said, some.scale)


def _counted(small: np.ndarray) -> str:
    span = " to ".join(str(k) for k in sorted({small.sum(axis=1).min(), small.sum(axis=1).max()}))
    return f"{span} of {small.shape[1]}"


def sweep(some: Runs) -> Shown:
    """How many runs learn, at which rates, how many beat the best run without norm of their seed
    at any rate; and each arm at its best rate."""
    plain = some.where(norm="none")
    rows = {}
    for name, arm in some.by("norm").items():
        works = [lr for lr, at in sorted(arm.by("lr").items()) if learned(at, PRECISE).any()]
        chosen = best(arm, "lr", PRECISE)
        ahead = beats(arm, plain, PRECISE) & beats(arm, plain, RUNNING)
        rows[plots.NAME[name]] = {
            "runs that learn": share(learned(arm, PRECISE)).counted,
            "at rates": ", ".join(f"{lr:g}" for lr in works) or "–",
            "above the best without": "–" if name == "none" else share(ahead).counted,
            "% at its best rate": f"{about(accuracy(arm.where(lr=chosen), PRECISE))} ({chosen:g})",
        }
    return table(rows, "Which learning rates work from Xavier's start", some.scale)


def beats(arm: Runs, plain: Runs, how: str) -> np.ndarray:
    """Which runs end above the best run of ``plain`` with their seed, whatever its rate: (runs,)"""
    tops = {seed: accuracy(runs, how).max() for seed, runs in plain.by("seed").items()}
    return accuracy(arm, how) > [tops[run.recipe.seed] for run in arm]


def five(nets: dict[str, Runs], said: dict[str, str]) -> Shown:
    """Five networks, three ways to be good; networks with batch norm by running averages."""
    rows = {}
    for label, arm in nets.items():
        ece = 100 * arm.array("ece")[:, -1]
        rows[label] = {
            "S3": said.get(label, "–"),
            "accuracy (%)": about(accuracy(arm, RUNNING)),
            "test loss": about(arm.final("test_loss")),
            "its rise": about(rise(arm, RUNNING)),
            "ECE (%)": about(ece),
        }
    scale = next(iter(nets.values())).scale
    return table(rows, "S3's accuracy, read off its plot, and ours (running averages)", scale)


def vgg16(some: Runs) -> Shown:
    """Accuracy and mean training loss by data set and learning rate."""
    rows = {}
    for dataset, of_data in some.by("dataset").items():
        for lr, at_rate in of_data.by("lr").items():
            batch, none = arms(at_rate)
            losses = [arm.history("train_loss").mean() for arm in (none, batch)]
            rows[f"{DATASETS[dataset].label}, {lr:g}"] = {
                "% without": about(accuracy(none, RUNNING)),
                "% with BN": about(accuracy(batch, RUNNING)),
                "BN, precise": about(accuracy(batch, PRECISE)),
                "loss, none / BN": " / ".join(map(three_digits, losses)),
            }
    return table(rows, "Test accuracy, and the training loss averaged over the epochs", some.scale)


def networks(recipe: Recipe) -> Shown:
    """What each layer gives, and its parameters, at full width and without norm."""
    rows: dict[str, dict[str, str]] = {}
    for model in ("vgg16", "vgg_a", "vgg_a_light"):
        net = models.build(recipe.but(model=model, width=1.0, norm="none"))
        title = NETS[model].label
        for name, layer in net.named_children():
            if hasattr(layer, "weight"):
                count = sum(p.numel() for p in layer.parameters())
                rows.setdefault(name, {})[title] = f"{layer.weight.shape[0]}: {count:,}"
        rows.setdefault("all", {})[title] = f"{sum(p.numel() for p in net.parameters()):,}"
    rows["all"] = rows.pop("all")
    return table(
        rows, "Channels or units of each layer: its parameters; at full width, without norm"
    )
