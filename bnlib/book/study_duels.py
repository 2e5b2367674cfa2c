"""The controlled study's duels: batch norm against none in each setting, ours and the source's."""

from collections.abc import Mapping
from dataclasses import dataclass

from bnlib.analysis.findings import Finding
from bnlib.analysis.learning import RUNNING, accuracy, learned
from bnlib.catalogue import DATASETS
from bnlib.claims.arms import arms, contrast
from bnlib.claims.controlled import SETS
from bnlib.run import Runs

# Test accuracies read off the source's plots, to about 0.7 points: batch norm, none
READ = {
    "mnist": (99.54, 99.51),
    "svhn": (94.8, 94.35),
    "cifar10": (85.0, 83.4),
    "cifar100": (56.9, 48.8),
    "sigmoid": (78.0, 10.0),
    "fast": (87.0, 10.0),
    "normal": (63.0, 10.0),
    "dropout": (88.0, 88.0),
}
OTHERS = {
    "sigmoid": "sigmoids",
    "fast": "learning rate 0.1",
    "normal": "weights from N(0, 1)",
    "dropout": "dropout 0.5",
}


@dataclass(frozen=True)
class Duel:
    name: str
    batch: Runs
    none: Runs
    finding: Finding  # points of test accuracy, batch norm − none, with running averages
    read: float | None  # the same, off the source's plots

    @property
    def stuck(self) -> bool:
        """Whether no run of the plain network learns."""
        return not learned(self.none, RUNNING).any()

    @property
    def rescue(self) -> bool:
        """Whether in addition every run with batch norm does."""
        return self.stuck and bool(learned(self.batch, RUNNING).all())


def duels(runs: Mapping[str, Runs]) -> list[Duel]:
    """Those that are recorded: the data sets, then what is changed on CIFAR-10."""
    found = []
    for name in (*SETS, *OTHERS):
        some = runs["cnn" if name == "cifar10" else name]
        if len(some):
            title = DATASETS[name].label if name in SETS else OTHERS[name]
            found.append(_duel(title, some, runs, READ[name]))
    decay = runs["decay"]
    if strongest := max(decay.values("weight_decay"), default=0.0):
        found.append(_duel("MLP, L2", decay.where(weight_decay=strongest), runs))
    sizes = every_size(runs)
    for size in sorted(sizes.values("batch_size")):
        some = sizes.where(batch_size=size)
        found.append(_duel(f"MLP, batches of {size}", some, runs))
    return found


def every_size(runs: Mapping[str, Runs]) -> Runs:
    """The MLP at the fixed rate: the sweep and, where they are recorded, the smallest batches."""
    found = {run.recipe: run for name in ("sizes", "smallest") for run in runs[name]}
    return Runs(found.values(), runs["sizes"].profile)


def _duel(
    name: str, some: Runs, runs: Mapping[str, Runs], read: tuple[float, float] | None = None
) -> Duel:
    batch, none = arms(some)
    finding = contrast(batch, none, accuracy, RUNNING, runs)
    return Duel(name, batch, none, finding, round(read[0] - read[1], 2) if read else None)
