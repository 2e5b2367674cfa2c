"""What a person runs first on a new card: is it right, does it repeat itself, how fast is it?

    python -m benchmarks.first_minutes [--device cuda] [--seconds 540] [--out FILE]

Prints tables and writes them, with the versions and the device, to one JSON file. Needs no data
set. On a CPU it runs, too, with fewer steps, so that the script itself can be tested there.
"""

import argparse
import contextlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

from bnlib import models
from bnlib.data import as_input, load
from bnlib.errors import BookError
from bnlib.paths import HOUSE, write_whole
from bnlib.recipe import Recipe
from bnlib.records.provenance import code_version, device_name, provenance
from bnlib.training.captured import Captured
from bnlib.training.process import settings
from bnlib.training.step import Step, criterion_of
from bnlib.training.together import train

IMAGES = {"digits": 54_000, "shapes": 45_000}  # of an epoch of the data set that each stands for
NETS = [
    Recipe(dataset="digits", model="mlp", activation="sigmoid", lr=0.01),
    Recipe(dataset="digits", model="lenet", lr=0.01),
    *(
        Recipe(dataset="shapes", model=model, activation="relu", init="he", lr=0.01)
        for model in ("alexnet", "vgg_a", "vgg16", "resnet18")
    ),
]
NORMS = ("none", "batch", "torch")
PRECISIONS = ("fp32", "tf32", "bf16")
TOGETHER = (2, 4, 8)
REPEATS = 5

Row = dict[str, str | float | None]


class Clock:
    """Sections stop adding rows when their share of the time is used up, and say so."""

    def __init__(self, seconds: float):
        self.end, self.left_out = time.monotonic() + seconds, 0

    def rows(self, section: str, share: float, jobs: list[Callable[[], Row]]) -> list[Row]:
        end = time.monotonic() + share * max(0.0, self.end - time.monotonic())
        found: list[Row] = []
        print(f"\n{section}", flush=True)
        for job in jobs:
            if time.monotonic() > end:
                self.left_out += 1
                continue
            row = job()
            found.append(row)
            print("  " + "  ".join(f"{name} {_shown(v)}" for name, v in row.items()), flush=True)
        return found


def _shown(value: str | float | None) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def correctness(recipe: Recipe, device: str) -> Row:
    """The largest difference of loss and gradients from the CPU's, in float64, relative."""
    found = []
    for where in ("cpu", device):
        model = models.build(recipe).to(where).double()
        split = load(recipe.dataset, recipe.image_size, where).train
        logits = model(as_input(split.images[:16].double()))
        loss = criterion_of(recipe)(logits, split.labels[:16])
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        found.append([x.cpu() for x in (loss.detach(), *gradients)])
    worst = max(
        float((mine - its).norm() / its.norm().clamp_min(1e-30))
        for its, mine in zip(*found, strict=True)
        if float(its.norm()) > 1e-12
    )
    return {"net": recipe.model, "norm": recipe.norm, "error": worst, "right": str(worst < 1e-8)}


def repeats(recipe: Recipe, device: str) -> Row:
    """Whether a run gives the same history twice, and how its step is made."""
    first, second = (train(recipe.but(epochs=1), device) for _ in range(2))
    same = all(
        first.history[column] == second.history[column]
        for column in first.history
        if column != "seconds"
    )
    how = first.provenance["step"]
    return {"net": recipe.model, "norm": recipe.norm, "same": str(same), "step": how}


def begun(recipe: Recipe, device: str, memory: torch.memory_format) -> Step:
    data = load(recipe.dataset, recipe.image_size, device)
    model = models.build(recipe).to(device, memory_format=memory)
    steps = len(data.train) // recipe.batch_size
    step = Step(recipe, model, data, steps)
    order = torch.randperm(len(data.train))[: steps * recipe.batch_size]
    step.begin(order.view(steps, -1), torch.full((steps,), recipe.lr))
    return step


def seconds(calls: list[Callable[[], None]], device: str, steps: int) -> float:
    """Of one round of ``calls``, each on a stream of its own: the median of some repeats."""
    on_card = device.startswith("cuda")
    streams = [torch.cuda.Stream() if on_card else None for _ in calls]

    def rounds(count: int) -> float:
        if on_card:
            torch.cuda.synchronize()
        clock = time.perf_counter()
        for _ in range(count):
            for call, stream in zip(calls, streams, strict=True):
                with torch.cuda.stream(stream) if stream else contextlib.nullcontext():
                    call()
        if on_card:
            torch.cuda.synchronize()
        return (time.perf_counter() - clock) / count

    rounds(2)
    return statistics.median(rounds(steps) for _ in range(REPEATS))


def captured(step: Step, device: str) -> Captured:
    return Captured(step.whole, torch.device(device), step.changed, models.noise_of(step.model))


def epochs(recipe: Recipe, device: str, steps: int) -> Row:
    """Seconds of an epoch of training (without evaluation): eager, as a graph, k runs together."""
    memory = torch.channels_last
    per_epoch = IMAGES[recipe.dataset] // recipe.batch_size
    with settings(recipe.precision, device):
        row: Row = {"net": recipe.model, "norm": recipe.norm}
        eager = seconds([begun(recipe, device, memory).whole], device, steps)
        row["eager s"] = per_epoch * eager
        if device.startswith("cuda"):
            most = max(TOGETHER)
            graphs = [captured(begun(recipe, device, memory), device) for _ in range(most)]
            row["step"] = graphs[0].mode
            for k in (1, *TOGETHER):
                row[f"{k} graph s"] = per_epoch * seconds(list(graphs[:k]), device, steps) / k
    return row


def cost_of_norm(recipe: Recipe, device: str, memory: torch.memory_format, steps: int) -> Row:
    """A step's time with batch norm, ours and PyTorch's, over one's without."""
    with settings(recipe.precision, device):
        times = {
            norm: seconds(
                [captured(begun(recipe.but(norm=norm), device, memory), device)], device, steps
            )
            for norm in NORMS
        }
    row: Row = {"net": recipe.model, "precision": recipe.precision}
    row["format"] = "channels_last" if memory == torch.channels_last else "contiguous"
    row["none ms"] = 1000 * times["none"]
    return row | {f"{norm}/none": times[norm] / times["none"] for norm in NORMS[1:]}


def sections(device: str, steps: int, clock: Clock) -> Iterator[tuple[str, list[Row]]]:
    small = [net.but(width=1 / 8) if net.model not in ("mlp", "lenet") else net for net in NETS]
    pairs = [net.but(norm=norm) for net in small for norm in NORMS]
    yield "correct", clock.rows(
        "Loss and gradients against the CPU's, float64", 0.2,
        [partial(correctness, recipe, device) for recipe in pairs],
    )  # fmt: skip
    yield "repeats", clock.rows(
        "The same recipe twice: the same bits?", 0.2,
        [partial(repeats, recipe, device) for recipe in pairs],
    )  # fmt: skip
    yield "epochs", clock.rows(
        "Seconds an epoch, batches of 128, per run", 0.6,
        [
            partial(epochs, net.but(norm=norm, precision=precision), device, steps)
            for precision in ("fp32", "tf32")
            for net in (NETS if device.startswith("cuda") else small)
            for norm in ("none", "batch")
        ],
    )  # fmt: skip
    yield "cost", clock.rows(
        "What batch norm adds to a step", 1.0,
        [
            partial(cost_of_norm, net.but(precision=precision), device, memory, steps)
            for net in (NETS if device.startswith("cuda") else small)[1::2]
            for precision in PRECISIONS
            for memory in (torch.channels_last, torch.contiguous_format)
        ],
    )  # fmt: skip


def main(words: list[str] | None = None) -> dict[str, list[Row]]:
    there = "cuda" if torch.cuda.is_available() else "cpu"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default=there, help=f"default here: {there}")
    parser.add_argument("--seconds", type=float, default=540, help="no row starts after them")
    parser.add_argument("--out", type=Path, default=HOUSE / "_build" / "first_minutes.json")
    given = parser.parse_args(words)
    if given.device.startswith("cuda") and there != "cuda":
        raise BookError("this machine has no GPU that torch can use: choose --device cpu")
    steps = 30 if given.device.startswith("cuda") else 1
    clock = Clock(given.seconds)
    print(f"{device_name(given.device)}, torch {torch.__version__}, {given.seconds:g} s at most")
    found = dict(sections(given.device, steps, clock))
    if clock.left_out:
        print(f"\n{clock.left_out} rows left out: the time was used up")
    made = provenance(**code_version(), device=device_name(given.device))
    content = {"provenance": made, "left_out": clock.left_out, **found}
    write_whole(given.out, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
    print(f"written: {given.out}")
    return found


if __name__ == "__main__":
    try:
        main()
    except BookError as error:
        sys.exit(f"first_minutes: {error}")
