"""Seconds of a work on a named card, from rates that are assumed, or on this CPU, from rates that
are measured at the start."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import nnls
from tqdm import tqdm

from bnlib.errors import BookError
from bnlib.price import passes
from bnlib.price.trace import Pass, Work
from bnlib.recipe import Recipe
from bnlib.records.provenance import device_name
from bnlib.training.process import settings

SECONDS = 8.0  # of the benchmark on a CPU; with building and tracing its nets about ten
BENCHMARK = (  # steps of nets small and large, with many operations and with few
    Recipe(),
    Recipe(norm="batch"),
    Recipe(model="mlp", norm="batch", batch_size=60),
    Recipe(dataset="cifar10", model="alexnet", width=0.125),
    Recipe(dataset="cifar10", model="alexnet", width=0.25, norm="batch"),
    Recipe(dataset="cifar10", model="vgg_a", width=0.125, norm="batch"),
    Recipe(dataset="cifar10", model="vgg_a", width=0.25),
)
EVALUATED = 1000  # images of a batch that BENCHMARK's first and last net also evaluate


class Card(Protocol):
    kind: str  # as a record's provenance calls it
    says: str  # what its seconds rest on

    def seconds(self, work: Work, runs: int = 1) -> dict[str, float]:
        """By the way of running, such as with and without a graph."""


@dataclass(frozen=True)
class Gpu:
    """A kernel takes as long as its FLOP or its bytes need, whichever is more, and never less than
    ``kernel``. Eager, the host launches one every ``launch`` seconds: a pass takes what is longer,
    the launching or the kernels."""

    name: str
    peak: dict[str, float]  # FLOP/s by precision, as the maker says
    rate: dict[str, float]  # what a net of this book is assumed to reach
    bandwidth: float  # bytes/s, assumed as well
    launch: float = 6e-6
    kernel: float = 1.8e-6
    start: float = 0.5  # seconds of a run before its first step: weights drawn, graph captured
    kind: str = "cuda"

    @property
    def says(self) -> str:
        rates = ", ".join(
            f"{name} {rate / 1e12:.0f} of {self.peak[name] / 1e12:.0f}"
            for name, rate in self.rate.items()
        )
        return (
            f"{self.name}, one run at a time; assumed, not measured: {rates} TFLOP/s (reached of "
            f"peak), {self.bandwidth / 1e12:.1f} TB/s, {self.launch * 1e6:.0f} µs a launch (eager) "
            f"or {self.kernel * 1e6:.1f} µs a kernel (graph), {self.start:g} s to start a run"
        )

    def seconds(self, work: Work, runs: int = 1) -> dict[str, float]:
        found = {"eager": self.start * runs, "graph": self.start * runs}
        for one, times in work.items():
            device = sum(
                max(
                    kernel.launches * self.kernel,
                    kernel.flop / self.rate[kernel.precision],
                    kernel.bytes / self.bandwidth,
                )
                for kernel in one.kernels
            )
            found["eager"] += times * max(device, one.launches * self.launch)
            found["graph"] += times * device
        return found


@dataclass(frozen=True)
class Cpu:
    """One thread: so many seconds an operation, a FLOP, a FLOP of a narrow convolution and a byte,
    whatever the precision."""

    costs: tuple[float, float, float, float]
    error: float  # the largest factor by which they miss a pass of the benchmark
    kind: str = "cpu"

    @property
    def says(self) -> str:
        operation, flop, narrow, byte = self.costs
        return (
            f"{device_name('cpu')}, one run at a time on one thread, calibrated by about "
            f"ten seconds of training steps just now: {operation * 1e6:.1f} µs an operation, "
            f"{_inverse(flop) / 1e9:.0f} GFLOP/s ({_inverse(narrow) / 1e9:.0f} in convolutions of "
            f"few channels), {_inverse(byte) / 1e9:.1f} GB/s; these give the steps' own times "
            f"within a factor {self.error:.2f}"
        )

    def seconds(self, work: Work, runs: int = 1) -> dict[str, float]:
        return {"estimate": sum(float(_counts(one) @ self.costs) * n for one, n in work.items())}


H100 = Gpu(
    "NVIDIA H100 SXM",
    peak={"fp32": 67e12, "tf32": 495e12, "bf16": 989e12},
    rate={"fp32": 30e12, "tf32": 120e12, "bf16": 200e12},
    bandwidth=2.5e12,
)


def card(name: str) -> Card:
    known: dict[str, Callable[[], Card]] = {"h100": lambda: H100, "cpu": calibrated}
    if name not in known:
        raise BookError(f"no card {name!r} has a price: choose {' or '.join(known)}")
    return known[name]()


def calibrated() -> Cpu:
    """This CPU, by the median times of ``BENCHMARK``'s passes on random batches."""
    made = [(passes.step(recipe), recipe, passes.make_step) for recipe in BENCHMARK]
    for recipe in (BENCHMARK[0], BENCHMARK[-1]):
        evaluate = passes.evaluation(recipe, EVALUATED)
        made.append((evaluate, recipe, lambda r: passes.make_evaluation(r, EVALUATED)))
    counts, times = [], []
    for traced, recipe, make in tqdm(made, "timing training steps", leave=False):
        with settings(recipe.precision, "cpu"):
            counts.append(_counts(traced))
            times.append(_median_seconds(make(recipe), SECONDS / len(made)))
    shares = np.array(counts) / np.array(times)[:, None]  # an error counts by its share of a time
    scale = shares.max(axis=0)
    costs = nnls(shares / scale, np.ones(len(times)))[0] / scale
    off = np.abs(np.log(shares @ costs))
    return Cpu(tuple(costs), float(np.exp(off.max())))


def _counts(one: Pass) -> np.ndarray:
    narrow = sum(kernel.flop for kernel in one.kernels if kernel.narrow)
    return np.array([one.launches, one.flop - narrow, narrow, one.bytes], float)


def _inverse(seconds: float) -> float:
    return 1 / seconds if seconds else float("inf")


def _median_seconds(function: Callable[[], None], budget: float) -> float:
    """Of the process in one call, so that what else the machine does counts less; three calls, or
    as many as a budget of seconds lets in."""
    function()
    end, times = time.perf_counter() + budget, []
    while len(times) < 3 or time.perf_counter() < end:
        clock = time.process_time()
        function()
        times.append(time.process_time() - clock)
    return statistics.median(times)
