"""What a sample of the probe `landscape` costs, against its forward and backward passes alone.

    python -m benchmarks.bench_landscape

Ratios of medians, measured in one run with interleaved arms on real images. A sample needs the
gradient at 1 + 3·8 points. Aim: at most 1.2. AlexNet at quarter width, batches of 128.
"""

import statistics
import time
from collections.abc import Callable

import torch

from bnlib import data, models
from bnlib.data import as_input
from bnlib.measure import Watched
from bnlib.measure.landscape import POINTS, Landscape
from bnlib.recipe import Recipe
from bnlib.training.process import settings
from bnlib.training.step import Step

RECIPE = Recipe(
    dataset="shapes", model="alexnet", width=0.25, activation="relu", probes=("landscape",)
)
PASSES = 1 + 3 * POINTS
REPEATS = 5


def arms(recipe: Recipe, device: str) -> dict[str, Callable[[], None]]:
    """A sample, and as many passes of the same network over the same batch."""
    images = data.load(recipe.dataset, recipe.image_size, device)
    model = models.build(recipe).to(device, memory_format=torch.channels_last)
    step = Step(recipe, model, images, 1)
    step.begin(torch.arange(recipe.batch_size)[None], torch.full((1,), recipe.lr))
    watched = Watched(recipe, model, images, step.criterion, 1, step.images, step.labels)
    probe = Landscape(watched)

    def bare() -> None:
        for _ in range(PASSES):
            model.zero_grad()
            step.criterion(model(as_input(step.images)), step.labels).backward()

    def sample() -> None:
        with probe.prepared():
            probe.sample()

    return {"bare": bare, "sample": sample}


def compare(recipe: Recipe, device: str) -> float:
    def now() -> float:
        if device == "cpu":
            return time.process_time()  # what other processes take does not count
        torch.cuda.synchronize()
        return time.perf_counter()

    taken: dict[str, list[float]] = {"bare": [], "sample": []}
    with settings(recipe.precision, device):
        both = arms(recipe, device)
        for repeat in range(-1, REPEATS):  # the first one warms the caches
            for name, arm in both.items():
                start = now()
                arm()
                if repeat >= 0:
                    taken[name].append(now() - start)
    bare, sample = (statistics.median(times) for times in taken.values())
    ratios = sorted(s / b for s, b in zip(taken["sample"], taken["bare"], strict=True))
    print(
        f"  norm {recipe.norm:6} {PASSES} passes {bare:6.3f} s, a sample {sample:6.3f} s: "
        f"{sample / bare:.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]"
    )
    return sample / bare


def main() -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"landscape on {device}: ratio of medians [extremes] of {REPEATS} interleaved repeats")
    for norm in ("none", "batch", "torch"):
        compare(RECIPE.but(norm=norm), device)


if __name__ == "__main__":
    main()
