"""The one training loop: a run as a generator, which ``together`` drives."""

import collections
import math
import time
from collections.abc import Callable, Generator
from typing import Any

import torch
from torch import nn

from bnlib import models
from bnlib.data import Data, load
from bnlib.errors import BookError
from bnlib.measure import PROBES, Probe, Watched
from bnlib.recipe import PROTOCOL, Recipe
from bnlib.records.provenance import code_version, device_name, provenance
from bnlib.run import Run
from bnlib.seeds import stream
from bnlib.training.captured import Captured
from bnlib.training.evaluate import Evaluation
from bnlib.training.memory import enough_memory
from bnlib.training.optim import Schedule
from bnlib.training.process import THREADS
from bnlib.training.step import Step

TURN = 20  # steps that a run takes before another has its turn


def training(
    recipe: Recipe, device: str, code: dict[str, Any] | None = None
) -> Generator[None, None, Run]:
    """The loop itself. It stops now and then, so that others can have a turn, and returns the Run.

    Whoever drives it has put the process's ``settings``."""
    with enough_memory(recipe, device):
        return (yield from _training(recipe, device, code))


def _training(
    recipe: Recipe, device: str, code: dict[str, Any] | None
) -> Generator[None, None, Run]:
    started = time.perf_counter()
    data = load(recipe.dataset, recipe.image_size, device, recipe.standardise)
    card = data.train.labels.device
    steps = _steps(recipe, data)
    model = models.build(recipe).to(device, memory_format=torch.channels_last)
    step = Step(recipe, model, data, steps)
    evaluation = Evaluation(model, data, step.criterion)
    schedule, total = Schedule(recipe, steps), steps * recipe.epochs
    watched = Watched(recipe, model, data, step.criterion, total, step.images, step.labels)
    probes = [kind(watched) for name in recipe.probes for kind in PROBES[name]]
    samples = [_sample(probe, card) for probe in probes]
    whole = Captured(step.whole, card, step.changed, models.noise_of(model))
    evaluate = Captured(evaluation, card, evaluation.changed)
    history: dict[str, list[float | None]] = collections.defaultdict(list)
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(data.train), generator=stream(recipe.seed, "order", epoch))
        rates = schedule.epoch(epoch)
        step.begin(order[: steps * recipe.batch_size].view(steps, -1), rates, epoch)
        clock = time.perf_counter()
        for number in range(steps):
            for probe, sample in zip(probes, samples, strict=True):
                at = epoch * steps + number
                if probe.due(at):
                    with probe.prepared():
                        sample()
                probe.keep(at)
            whole()
            if number % TURN == TURN - 1:
                yield
        loss, acc = step.sums()
        row = {"lr": float(rates[0]), "train_loss": loss, "train_acc": acc}
        row["seconds"] = time.perf_counter() - clock
        evaluate()
        yield
        row |= evaluation.read()
        for column, value in row.items():
            history[column].append(value if math.isfinite(value) else None)
        for probe in probes:
            probe.epoch(epoch + 1)
        schedule.saw(row["val_loss"])
        if not math.isfinite(loss) or schedule.stop:
            break
    arrays = {key: value for probe in probes for key, value in probe.result().items()}
    found = {
        "device": device_name(device),
        "device_kind": card.type,
        "threads": THREADS if device == "cpu" else None,
        "step": whole.mode,
        "seconds": time.perf_counter() - started,
        "data": data.checksum,
        "protocol": PROTOCOL,
    }
    summary = _summary(model, data, evaluation, dict(history), steps)
    made = provenance(**(code or code_version()), **found)
    return Run(recipe, dict(history), summary, made, arrays)


def _sample(probe: Probe, card: torch.device) -> Callable[[], None]:
    if not probe.captures:
        return probe.sample
    with probe.prepared():
        return Captured(probe.sample, card, probe.changed, probe.noise())


def _steps(recipe: Recipe, data: Data) -> int:
    steps = len(data.train) // recipe.batch_size
    if steps == 0:
        raise BookError(
            f"batch_size {recipe.batch_size} is above the {len(data.train)} training images "
            f"of {recipe.dataset!r}"
        )
    return steps


def _summary(
    model: nn.Module,
    data: Data,
    evaluation: Evaluation,
    history: dict[str, list[float | None]],
    steps: int,
) -> dict[str, Any]:
    """The last epoch's figures, and the accuracy per class."""
    correct, labels = evaluation.correct.cpu(), data.test.labels.cpu()
    seen = torch.bincount(labels, minlength=len(data.classes))
    right = torch.bincount(labels[correct], minlength=len(data.classes))
    return {column: values[-1] for column, values in history.items() if column != "seconds"} | {
        "diverged": None in (history["train_loss"][-1], history["val_loss"][-1]),
        "epochs": len(history["train_loss"]),
        "steps": steps * len(history["train_loss"]),
        "parameters": sum(p.numel() for p in model.parameters()),
        "class_acc": (right.double() / seen).tolist(),
    }
