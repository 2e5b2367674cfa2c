"""The one training loop.

The step is written so that a CUDA graph can wrap it without changing it: batches land in fixed
buffers, the learning rate is a tensor, losses and counts add up on the device, and nothing is
read from the device inside an epoch. On a CPU a run uses one thread: its bits depend on the
number, and two runs side by side are faster than one run on two threads.
"""

import contextlib
import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bnlib import data as datasets
from bnlib import models
from bnlib.data import as_input
from bnlib.errors import BookError
from bnlib.measure import PROBES, Watched
from bnlib.recipe import PROTOCOL, Recipe
from bnlib.records.provenance import code_version, device_name, provenance
from bnlib.run import Run
from bnlib.seeds import seed_of, stream
from bnlib.training.evaluate import Criterion, averaging, evaluate, precise
from bnlib.training.optim import Schedule, make_optimizer

THREADS = 1  # on a CPU; part of the protocol


def criterion_of(recipe: Recipe) -> Criterion:
    """The mean loss of logits (B, K) and labels (B,); over the K outputs too if one-hot."""
    if recipe.loss == "ce":
        return F.cross_entropy
    of_one_hot = {
        "mse": F.mse_loss,
        "smooth_l1": F.smooth_l1_loss,
        "bce": F.binary_cross_entropy_with_logits,
    }[recipe.loss]
    return lambda logits, labels: of_one_hot(logits, F.one_hot(labels, logits.shape[1]).to(logits))


class Step:
    """One training step on fixed buffers, and the epoch's sums on the device."""

    def __init__(self, recipe: Recipe, model: nn.Module, train: datasets.Split):
        device = train.labels.device
        self.train, self.model, self.criterion = train, model, criterion_of(recipe)
        self.images = train.images.new_empty(recipe.batch_size, *train.images.shape[1:])
        self.labels = train.labels.new_empty(recipe.batch_size)
        self.lr = torch.tensor(recipe.lr, device=device)
        self.optimizer = make_optimizer(recipe, model.parameters(), self.lr)
        self.loss = torch.zeros((), device=device)  # sum over the epoch's batches
        self.right = torch.zeros((), dtype=torch.long, device=device)
        self.bf16 = recipe.precision == "bf16"

    def __call__(self) -> None:
        self.optimizer.zero_grad()
        with torch.autocast(self.labels.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.model(as_input(self.images))
        logits = logits.float()
        loss = self.criterion(logits, self.labels)
        loss.backward()
        self.optimizer.step()
        self.loss += loss.detach()
        self.right += (logits.argmax(1) == self.labels).sum()

    def epoch(self, order: Tensor, lrs: Tensor, before_step) -> tuple[float, float]:
        """Every row of ``order`` (steps, B) once; the mean loss and the accuracy on the way."""
        self.loss.zero_()
        self.right.zero_()
        for step, index in enumerate(order):
            self.train.gather(index, self.images, self.labels)
            before_step(step)
            self.lr.copy_(lrs[step])
            self()
        return float(self.loss) / len(order), float(self.right) / order.numel()


def train(recipe: Recipe, device: str = "cpu", code: dict[str, Any] | None = None) -> Run:
    """Train ``recipe`` on ``device`` and give its Run; a run that diverges is a result too."""
    started = time.perf_counter()
    with settings(recipe, device):
        data = datasets.load(recipe.dataset, recipe.image_size, device)
        model = models.build(recipe).to(device, memory_format=torch.channels_last)
        step = Step(recipe, model, data.train)
        steps = len(data.train) // recipe.batch_size
        if steps == 0:
            raise BookError(
                f"batch_size {recipe.batch_size} is above the {len(data.train)} training images "
                f"of {recipe.dataset!r}"
            )
        schedule = Schedule(recipe, steps)
        total = steps * recipe.epochs
        watched = Watched(recipe, model, data, step.criterion, total, step.images, step.labels)
        probes = [PROBES[name](watched) for name in recipe.probes]
        history: dict[str, list[float | None]] = {}
        for epoch in range(recipe.epochs):
            order = torch.randperm(len(data.train), generator=stream(recipe.seed, "order", epoch))
            order = order[: steps * recipe.batch_size].view(steps, -1).to(device)
            lrs = schedule.epoch(epoch).to(device)
            clock = time.perf_counter()

            def before_step(number: int, first: int = epoch * steps) -> None:
                for probe in probes:
                    probe.step(first + number)

            loss, acc = step.epoch(order, lrs, before_step)
            row = {"lr": float(lrs[0]), "train_loss": loss, "train_acc": acc}
            row["seconds"] = time.perf_counter() - clock
            row |= _evaluations(model, data, step.criterion)
            for column, value in row.items():
                history.setdefault(column, []).append(value if math.isfinite(value) else None)
            for probe in probes:
                probe.epoch(epoch + 1)
            schedule.saw(row["val_loss"])
            if not math.isfinite(loss) or schedule.stop:
                break
        arrays = {key: value for probe in probes for key, value in probe.result().items()}
        summary = _summary(model, data, step.criterion, history, steps)
    found = {
        "device": device_name(device),
        "device_kind": device,
        "threads": THREADS if device == "cpu" else None,
        "seconds": time.perf_counter() - started,
        "data": data.checksum,
        "protocol": PROTOCOL,
    }
    return Run(recipe, history, summary, provenance(**(code or code_version()), **found), arrays)


def _evaluations(model: nn.Module, data: datasets.Data, criterion: Criterion) -> dict[str, float]:
    """Loss and accuracy on the validation and the test part; twice where averages are kept."""
    nets = {"": model}
    if averaging(model):
        nets["_precise"] = precise(model, data.train)
    row = {}
    for how, net in nets.items():
        for part in ("val", "test"):
            result = evaluate(net, getattr(data, part), criterion)
            row[f"{part}_loss{how}"] = float(result.loss)
            row[f"{part}_acc{how}"] = float(result.correct.float().mean())
    return row


def _summary(
    model: nn.Module,
    data: datasets.Data,
    criterion: Criterion,
    history: dict[str, list[float | None]],
    steps: int,
) -> dict[str, Any]:
    """The last epoch's figures, the epoch that validation would choose, accuracy per class."""
    accs = history["val_acc"]
    best = max(range(len(accs)), key=lambda epoch: accs[epoch])
    correct = evaluate(model, data.test, criterion).correct.cpu()
    labels, classes = data.test.labels.cpu(), len(data.classes)
    right, seen = torch.bincount(labels[correct], minlength=classes), torch.bincount(labels)
    return {column: values[-1] for column, values in history.items() if column != "seconds"} | {
        "diverged": None in (history["train_loss"][-1], history["val_loss"][-1]),
        "best_epoch": best + 1,
        "best_test_acc": history["test_acc"][best],
        "epochs": len(accs),
        "steps": steps * len(accs),
        "parameters": sum(p.numel() for p in model.parameters()),
        "class_acc": (right.double() / seen).tolist(),
    }


@contextlib.contextmanager
def settings(recipe: Recipe, device: str) -> Iterator[None]:
    """Threads, precision and the noise stream of a run, put back afterwards."""
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark
    if device == "cpu":
        torch.set_num_threads(THREADS)
    torch.set_float32_matmul_precision("high" if recipe.precision == "tf32" else "highest")
    cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = recipe.precision == "tf32", True, False
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count()) if device == "cuda" else []):
            torch.manual_seed(seed_of(recipe.seed, "noise"))
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = before
