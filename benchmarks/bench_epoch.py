"""bnlib's epoch of LeNet on MNIST against the plain way: torchvision, transforms, DataLoader.

    python -m benchmarks.bench_epoch

Ratios of medians, measured in one run with interleaved arms on real MNIST. Both train the same
LeNet with nn.BatchNorm by the same SGD on batches of 128. The plain way decodes, pads and
standardises every image in 2 worker processes and uses all cores; a run of bnlib uses one thread
by protocol, so two of them fit side by side on two cores. Aim: at least 2.5 on 2 cores.
"""

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch.nn import functional as F

from bnlib import data, models
from bnlib.errors import BookError
from bnlib.paths import RAW
from bnlib.recipe import Recipe
from bnlib.training.process import THREADS
from bnlib.training.step import Step

RECIPE = Recipe(norm="torch", lr=0.1)  # LeNet on MNIST, batches of 128
STEPS = 100  # of one repeat
REPEATS = 7
ENOUGH = 60  # seconds: after them no repeat starts, once there are three
LOADERS = 2  # worker processes of the DataLoader


def ours(pipe) -> None:
    """In a process of its own: trains ``STEPS`` steps whenever it is told to; says how long."""
    torch.set_num_threads(THREADS)
    mnist = data.load(RECIPE.dataset)
    train = mnist.train
    model = models.build(RECIPE).to(memory_format=torch.channels_last)
    step = Step(RECIPE, model, mnist, STEPS)
    lrs = torch.full((STEPS,), RECIPE.lr)
    pipe.send(len(train) // RECIPE.batch_size)
    while pipe.recv():
        start = time.perf_counter()
        order = torch.randperm(len(train))[: STEPS * RECIPE.batch_size]  # a whole epoch's draw
        step.begin(order.view(STEPS, -1), lrs)
        for _ in range(STEPS):
            step.whole()
        step.sums()
        pipe.send((time.perf_counter() - start) / STEPS)


def plain() -> Callable[[], tuple[float, float]]:
    """The plain way; calling it gives the seconds to the first batch and those of a step."""
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    mnist = data.load(RECIPE.dataset)
    transform = transforms.Compose(
        [
            transforms.Pad(2),
            transforms.ToTensor(),
            transforms.Normalize(mnist.mean.tolist(), mnist.std.tolist()),
        ]
    )
    images = datasets.MNIST(RAW, train=True, transform=transform)
    loader = DataLoader(images, RECIPE.batch_size, shuffle=True, num_workers=LOADERS)
    model = models.build(RECIPE)
    sgd = torch.optim.SGD(model.parameters(), RECIPE.lr)

    def seconds() -> tuple[float, float]:
        clock = time.perf_counter()
        batches = iter(loader)  # starts the workers, as every epoch does
        x, y = next(batches)
        first = time.perf_counter() - clock
        clock = time.perf_counter()
        total = 0.0
        for _ in range(STEPS):
            sgd.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            sgd.step()
            total += loss.item()
            x, y = next(batches)
        return first, (time.perf_counter() - clock) / STEPS

    return seconds


def measure() -> tuple[dict[str, list[float]], list[float], int]:
    """Seconds a step of each arm, the DataLoader's start-ups, and the steps of an epoch."""
    torch.set_num_threads(os.cpu_count() or 1)
    context = multiprocessing.get_context("spawn")
    pairs = [context.Pipe() for _ in range(2)]
    runs = [context.Process(target=ours, args=(theirs,), daemon=True) for _, theirs in pairs]
    pipes = [mine for mine, _ in pairs]
    for run in runs:
        run.start()

    def together(some) -> list[float]:
        for pipe in some:
            pipe.send(True)
        return [pipe.recv() for pipe in some]

    baseline = plain()
    (steps, _) = (pipe.recv() for pipe in pipes)
    together(pipes), baseline()  # warm the caches
    times: dict[str, list[float]] = {"plain": [], "one": [], "two": []}
    firsts = []
    started = time.monotonic()
    for repeat in range(REPEATS):
        if repeat >= 3 and time.monotonic() - started > ENOUGH:
            break
        first, step = baseline()
        firsts.append(first)
        times["plain"].append(step + first / steps)  # the start-up shared out over an epoch
        times["one"] += together(pipes[:1])
        times["two"].append(max(together(pipes)) / 2)  # two runs in that time
    for pipe in pipes:
        pipe.send(False)
    for run in runs:
        run.join()
    return times, firsts, steps


NAMES = {
    "plain": f"plain way, all cores, DataLoader with {LOADERS} workers",
    "one": "bnlib, one run on one thread",
    "two": "bnlib, two runs side by side, per run",
}


def main() -> dict[str, float]:
    times, firsts, steps = measure()
    base = statistics.median(times["plain"])
    print(
        f"LeNet on MNIST, {os.cpu_count()} cores: {len(firsts)} interleaved repeats of {STEPS} "
        f"steps; an epoch is {steps} steps"
    )
    print("seconds an epoch, and how many times faster than the plain way: median [extremes]")
    faster = {}
    for arm, taken in times.items():
        middle = statistics.median(taken)
        faster[arm] = base / middle
        extremes = f"[{base / max(taken):.2f}, {base / min(taken):.2f}]"
        print(f"  {NAMES[arm]:50} {steps * middle:6.1f} s  {faster[arm]:5.2f} {extremes}")
    share = statistics.median(firsts) / (base * steps)
    print(f"  the DataLoader's start-up is in the plain way's epoch: {share:.1%} of it")
    return faster


if __name__ == "__main__":
    try:
        main()
    except BookError as error:
        sys.exit(f"bench_epoch: {error}")
