"""Seconds of a training step under several norms or models: in turn, synchronised, warmed up.

Only ratios taken in one such measurement are ever quoted.
"""

import time
from typing import Any

import numpy as np
import torch

from bnlib import data as datasets
from bnlib import models
from bnlib.errors import BookError
from bnlib.recipe import PROTOCOL, Recipe, Timing
from bnlib.records.provenance import code_version, device_name, provenance
from bnlib.run import Run
from bnlib.seeds import stream
from bnlib.training.process import THREADS, settings
from bnlib.training.step import Step

WARM_UP = 10  # steps of each arm before the clock starts; fewer where a repeat has fewer


def check(timing: Timing) -> None:
    """Say so before anything is trained if this machine cannot time what ``timing`` asks for."""
    if timing.device == "cuda" and not torch.cuda.is_available():
        raise BookError(
            "a timing of this profile is made on device 'cuda', which this machine does not have: "
            "choose profile 'laptop', or record on a machine with an NVIDIA GPU"
        )


def measure(timing: Timing, code: dict[str, Any] | None = None) -> Run:
    """The times of ``timing``'s steps; its arms train on real batches of its data set."""
    started = time.perf_counter()
    recipe = timing.recipe
    data = datasets.load(recipe.dataset, recipe.image_size, timing.device, recipe.standardise)
    size, count = timing.recipe.batch_size, len(data.train)
    order = torch.randperm(count, generator=stream(timing.recipe.seed, "order", 0))
    batches = order[: count // size * size].view(-1, size)

    def arm(recipe: Recipe) -> Step:
        model = models.build(recipe).to(timing.device, memory_format=torch.channels_last)
        step = Step(recipe, model, data, len(batches))
        step.begin(batches, torch.full((len(batches),), recipe.lr))
        return step

    def seconds(step: Step, steps: int) -> float:
        synchronise()
        clock = time.perf_counter()
        for _ in range(steps):
            step.whole()
        synchronise()
        return (time.perf_counter() - clock) / steps

    def synchronise() -> None:
        if timing.device == "cuda":
            torch.cuda.synchronize()

    with settings(timing.recipe.precision, timing.device):
        arms = [arm(recipe) for recipe in timing.arms().values()]
        for step in arms:
            seconds(step, min(WARM_UP, timing.steps))
        table = np.array(
            [[seconds(step, timing.steps) for step in arms] for _ in range(timing.repeats)]
        )
    found = {
        "device": device_name(timing.device),
        "device_kind": timing.device,
        "threads": THREADS if timing.device == "cpu" else None,
        "seconds": time.perf_counter() - started,
        "data": data.checksum,
        "protocol": PROTOCOL,
    }
    names = timing.arms()
    medians = dict(zip(names, np.median(table, axis=0).tolist(), strict=True))
    history = {name: column.tolist() for name, column in zip(names, table.T, strict=True)}
    summary = {"diverged": False, "seconds_per_step": medians}
    return Run(timing, history, summary, provenance(**(code or code_version()), **found))
