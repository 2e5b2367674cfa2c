"""Tables of the controlled study's page."""

from collections.abc import Mapping

import numpy as np

from bnlib.analysis.learning import RUNNING, accuracy, best, time_constants
from bnlib.book import plots
from bnlib.book.study_duels import READ
from bnlib.book.tables import both, percent
from bnlib.catalogue import DATASETS
from bnlib.claims.arms import arms
from bnlib.claims.card import Cards
from bnlib.claims.controlled import SETS
from bnlib.claims.margins import three_digits
from bnlib.run import Runs, joined
from bnlib.scale import Scale

Rows = dict[str, dict[str, str]]
ARMS = {  # of the deep CNN on CIFAR-10
    "baseline": "cnn",
    "sigmoids": "sigmoid",
    "rate 0.1": "fast",
    "N(0, 1)": "normal",
    "ELU": "elu",
    "dropout 0.5": "dropout",
}
Experiments = Mapping[str, Runs]
DUELS = {  # the source's duels: its score, the experiment, the claim
    "baseline": ("batch norm 1 : 0", "cnn", "S1.8"),
    "sigmoids": ("2 : 0", "sigmoid", "S1.9"),
    "learning rate 0.1": ("3 : 0", "fast", "S1.10"),
    "weights from N(0, 1)": ("4 : 0", "normal", "S1.12"),
    "weight decay (ours: MLP)": ("5 : 0", "decay", "S1.13"),
    "dropout 0.5": ("a draw", "dropout", "S1.14"),
    "batch sizes (ours: MLP)": ("6 : 0", "sizes", "S1.15"),
    "time": ("6 : 1", "timing", "S1.16"),
}
BEST_KNOWN = {"mnist": 99.8, "svhn": 98.3, "cifar10": 96.5, "cifar100": 75.7}  # as S1 says, 2016
OVERHEAD = {32: 19.7, 64: 19.0, 128: 16.4, 256: 15.5, 512: 15.3, 1024: 15.2}  # S1's Table B.4, %
START = {"same": "N(0, 1), He's last layer", "start": "the same, rates undone"}


def scale(runs: Experiments, *names: str) -> Scale:
    """That of several experiments in one table."""
    return joined(*(runs[name] for name in names)).scale


def scoreboard(runs: Experiments, judged: Cards) -> Rows:
    """A row a duel: S1's running score, the accuracies, what our runs say of the claim."""
    labels = {card.claim.id: card.standing for card in judged.judged}
    rows = {}
    for name, (score, experiment, claim) in DUELS.items():
        read = READ.get("cifar10" if experiment == "cnn" else experiment)
        rows[name] = {
            "S1's score": score,
            "S1: BN / none (%)": " / ".join(f"{x:g}" for x in read) if read else "–",
            "ours: BN / none (%)": _pair(runs, experiment),
            f"verdict on {claim[:2]}": f"{claim} {labels[claim]}",
        }
    return rows


def _pair(runs: Experiments, experiment: str) -> str:
    """Mean test accuracies with running averages, CIFAR-10."""
    some = runs[experiment]
    if experiment == "decay" and len(some):
        some = some.where(weight_decay=max(some.values("weight_decay")))
    if not len(some) or experiment in ("sizes", "timing"):
        return "–"
    means = (np.nan_to_num(accuracy(arm, RUNNING)).mean() for arm in arms(some))
    return " / ".join(f"{mean:.1f}" for mean in means)


def data_sets(runs: Experiments) -> Rows:
    """A row a data set: its size, the best that S1 knew, and both arms."""
    rows = {}
    for name in SETS:
        some = runs["cnn" if name == "cifar10" else name]
        known = DATASETS[name]
        batch, none = map(percent, arms(some)) if len(some) else ("not recorded", "not recorded")
        rows[known.label] = {
            "images": f"{known.size} × {known.size}, {'grey' if known.channels == 1 else 'colour'}",
            "classes": str(known.classes),
            "best in 2016 (%)": f"{BEST_KNOWN[name]:g}",
            "no norm (%)": none,
            "batch norm (%)": batch,
        }
    return rows


def settings(runs: Experiments) -> Rows:
    """Every arm of the deep CNN on CIFAR-10, under both evaluations."""
    rows = {}
    for name, experiment in ARMS.items():
        for norm, arm in runs[experiment].by("norm").items():
            rows[f"{name}, {plots.NAME[norm]}"] = both(arm)
    rows["rate 0.1, no norm, clipped"] = both(runs["clipped"])
    for rates, arm in runs["rescaled"].by("layer_rates").items():
        rows[f"{START[rates]}, batch norm"] = both(arm)
    return rows


def regularisers(runs: Experiments) -> Rows:
    """Weight decay for the MLP, dropout for the deep CNN."""
    rows = {}
    for strength, some in runs["decay"].by("weight_decay").items():
        batch, none = arms(some)
        name = f"MLP, L2 {strength:g}" if strength else "MLP, no L2"
        rows[name] = {"no norm": percent(none), "batch norm": percent(batch)}
    for name, some in (("no dropout", runs["cnn"]), ("dropout 0.5", runs["dropout"])):
        batch, none = arms(some)
        rows[f"deep CNN, {name}"] = {"no norm": percent(none), "batch norm": percent(batch)}
    return rows


def overhead(timings: Runs) -> Rows:
    """A row a batch size: milliseconds a step without norm, and how many times as long it takes
    with either batch norm."""
    rows = {}
    for run in sorted(timings, key=lambda run: run.recipe.recipe.batch_size):
        size, seconds = run.recipe.recipe.batch_size, run.history
        rows[f"{size}"] = {
            "no norm (ms)": three_digits(1000 * float(np.median(seconds["none"]))),
            "PyTorch's BN": _times(seconds, "torch"),
            "our BN": _times(seconds, "batch"),
            "S1: an epoch": f"{1 + OVERHEAD[size] / 100:.2f}×" if size in OVERHEAD else "–",
        }
    return rows


def _times(seconds: Mapping[str, list[float]], norm: str) -> str:
    ratios = np.divide(seconds[norm], seconds["none"])
    return f"{np.median(ratios):.2f}× ({ratios.min():.2f}–{ratios.max():.2f})"


def schedules(runs: Experiments) -> Rows:
    """A row a schedule, then the rates of the grid around the best one."""
    rows = {}
    for name, some in runs["schedules"].by("schedule").items():
        batch, none = arms(some)
        rows[name] = {"no norm": percent(none), "batch norm": percent(batch)}
    for lr in sorted(runs["rates"].values("lr")):
        batch, none = arms(runs["rates"].where(lr=lr))
        chosen = [
            norm
            for arm, norm in zip(arms(runs["rates"]), ("BN", "no norm"), strict=True)
            if best(arm, "lr", RUNNING) == lr
        ]
        star = f" (chosen: {', '.join(chosen)})" * bool(chosen)
        rows[f"rate {lr:g}{star}"] = {"no norm": percent(none), "batch norm": percent(batch)}
    return rows


def contradictions(runs: Experiments) -> Rows:
    """The questions that both sources ask, their answers, and what may separate them."""
    constants = time_constants(max(runs["decay"], key=lambda run: run.recipe.weight_decay))
    said = {
        "Does weight decay help batch norm?": (
            "no",
            "yes",
            "Perhaps **time**: decay acts through the effective learning rate, over thousands of "
            "steps. Only the longest of {doc}`chapter 4's runs <04_alexnet>` last three time "
            "constants or more; those of {numref}`tab-study-regularisers`, of an MLP, "
            f"{constants:.2g}",
        ),
        "Does dropout go with it?": (
            "very badly",
            "“not dropout”, and “use dropout!”",
            "**Open.** Neither text says where the dropout stands. In front of batch norm it "
            "disturbs the running averages ({numref}`fig-alexnet-shift`)",
        ),
        "Is a larger batch better?": (
            "yes",
            "no, smaller",
            "**Epochs or steps.** In the same epochs a larger batch makes fewer steps; "
            "{numref}`fig-alexnet-batch` and {numref}`fig-study-sizes` show both rules for the "
            "rate",
        ),
        "How much faster is it?": (
            "more than 20 epochs against 3",
            "slightly",
            "**The start, in part.** A scaled start takes the plain network off its plateau "
            "({numref}`tab-alexnet-start`), and batch norm stays faster from there "
            "({numref}`tab-alexnet-speed`). Network, momentum and endpoint differ too",
        ),
    }
    heads = ("S0", "S1", "what may separate them")
    return {question: dict(zip(heads, cells, strict=True)) for question, cells in said.items()}
