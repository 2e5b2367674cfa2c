"""The step without arguments: the bits of a plain loop, no trace of a warm-up, nothing read."""

import copy
import math

import pytest
import torch
from made_up import without_time
from small_runs import BATCH, KINDS, STEPS, little
from torch.utils._python_dispatch import TorchDispatchMode
from training import bits, keeping_models

from bnlib import models
from bnlib.data import as_input
from bnlib.data.augment import augmented, draws
from bnlib.recipe import Recipe
from bnlib.seeds import stream
from bnlib.training import captured, evaluate, precise
from bnlib.training import train as loop
from bnlib.training.optim import Schedule, make_optimizer
from bnlib.training.step import Step, criterion_of
from bnlib.training.together import together, train


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    monkeypatch.setattr(loop, "load", lambda *where: little(*where[:3]))


def plain(recipe: Recipe) -> tuple[dict[str, list[float]], torch.nn.Module]:
    """The same run as anyone would write it: a loop over batches, everything read at once."""
    torch.set_num_threads(1)
    found = little(recipe.dataset, recipe.image_size)
    model = models.build(recipe).to(memory_format=torch.channels_last)
    lr = torch.tensor(recipe.lr)
    optimizer, criterion = make_optimizer(recipe, model.parameters(), lr), criterion_of(recipe)
    schedule, history = Schedule(recipe, STEPS), {}
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(found.train), generator=stream(recipe.seed, "order", epoch))
        total, rates = torch.zeros(()), schedule.epoch(epoch)
        for number in range(STEPS):
            index = order[number * BATCH : (number + 1) * BATCH]
            lr.fill_(rates[number].item())
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16"):
                logits = model(as_input(found.train.images[index]))
            loss = criterion(logits.float(), found.train.labels[index])
            loss.backward()
            optimizer.step()
            total += loss.item()
        row = {"train_loss": total.item() / STEPS}
        nets = {"": copy.deepcopy(model)}
        if precise.averaging(model):
            nets["_precise"] = precise.precise(model, found.train)
        for how, net in nets.items():
            result = evaluate.evaluate(net, found.val, criterion)
            row[f"val_loss{how}"] = result.loss.item()
        schedule.saw(row["val_loss"])
        for name, value in row.items():
            history.setdefault(name, []).append(value)
    return history, model


@pytest.mark.parametrize("recipe", KINDS, ids=str)
def test_the_bits_of_a_plain_loop(recipe):
    expected, net = plain(recipe)
    with keeping_models() as built:
        run = train(recipe)
    for column, values in expected.items():  # what is no number is recorded as None
        finite = [value if math.isfinite(value) else None for value in values]
        assert run.history[column] == finite, column
    assert bits(built[0]) == bits(net)


SOME = [r for r in KINDS if r.model in ("lenet", "mlp") or r.dropout] + [
    Recipe(dataset="digits", norm=norm, optimizer=name, batch_size=BATCH, epochs=2, lr=0.01)
    for norm in ("none", "batch")
    for name in ("sgd", "adam", "adagrad", "adadelta")
]
CROPPED = Recipe(
    dataset="shapes", norm="batch", augment="crop_flip", batch_size=BATCH, epochs=2, lr=0.01
)
SOME.append(CROPPED)


def test_taking_turns_changes_no_bit(monkeypatch):
    monkeypatch.setattr(loop, "TURN", 1)
    with keeping_models() as built:
        alone = {recipe: without_time(train(recipe)) for recipe in SOME}
    separate = [bits(model) for model in built]
    with keeping_models() as built:
        runs = list(together(SOME, "cpu", 3))
    assert sorted(bits(model) for model in built) == sorted(separate)
    assert {run.recipe for run in runs} == set(SOME)
    assert {run.recipe: without_time(run) for run in runs} == alone


def test_another_precision_waits_until_the_others_have_ended(monkeypatch):
    monkeypatch.setattr(loop, "TURN", 1)
    seen = []
    evaluate_ = loop.Evaluation.__call__

    def spy(self):
        seen.append(torch.get_float32_matmul_precision())
        evaluate_(self)

    monkeypatch.setattr(loop.Evaluation, "__call__", spy)
    base = SOME[0].but(epochs=1)
    recipes = [base, base.but(seed=1), base.but(precision="tf32"), base.but(seed=2)]
    assert len(list(together(recipes, "cpu", 4))) == 4
    assert seen == ["highest", "highest", "high", "highest"]


class Warmed(captured.Captured):
    """On a CPU, too: called a few times before it is used, all of it taken back."""

    def __init__(self, function, device, changed, noise=()):
        super().__init__(function, device, changed, noise)
        captured.warm_up(function, changed, list(noise))


@pytest.mark.parametrize("recipe", SOME, ids=str)
def test_a_warm_up_leaves_no_trace(recipe, monkeypatch):
    cold = without_time(train(recipe))
    monkeypatch.setattr(loop, "Captured", Warmed)
    with keeping_models() as built:
        warm = without_time(train(recipe))
    assert warm == cold
    with keeping_models() as again:
        train(recipe)
    assert bits(again[0]) == bits(built[0])


READS = {"aten._local_scalar_dense.default", "aten.item.default", "aten.is_nonzero.default"}


def _constant(value):
    if isinstance(value, torch.Tensor):
        return tuple(value.shape)
    return value._cdata if isinstance(value, torch.Generator) else value  # wrapped anew each time


class Watch(TorchDispatchMode):
    """The operations, each with its arguments that are no tensors."""

    def __init__(self):
        super().__init__()
        self.seen: list[tuple] = []

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        constants = torch.utils._pytree.tree_map(_constant, (args, kwargs or {}))
        if op.namespace == "aten":
            self.seen.append((str(op), repr(constants)))
        return op(*args, **(kwargs or {}))

    @property
    def reads(self) -> list[str]:
        return [op for op, _ in self.seen if op in READS]


def begun(recipe: Recipe) -> Step:
    found = little(recipe.dataset, recipe.image_size)
    step = Step(recipe, models.build(recipe), found, STEPS)
    order = torch.randperm(len(found.train), generator=stream(0, "a test"))[: BATCH * STEPS]
    step.begin(order.view(STEPS, BATCH), torch.linspace(0.1, 0.2, STEPS))
    return step


@pytest.mark.parametrize("recipe", KINDS, ids=str)
def test_steps_read_nothing_and_are_all_the_same(recipe):
    step = begun(recipe)
    step.whole()  # the first one makes the optimiser's state
    logs = []
    for _ in range(2):
        with Watch() as watch:
            step.whole()
        assert watch.reads == []
        logs.append(watch.seen)
    assert logs[0] == logs[1]
    assert len(logs[0]) > 10


def test_an_evaluation_reads_nothing_and_is_always_the_same():
    for recipe in SOME:
        found = little(recipe.dataset, recipe.image_size)
        evaluation = evaluate.Evaluation(models.build(recipe), found, criterion_of(recipe))
        logs = []
        for _ in range(2):
            with Watch() as watch:
                evaluation()
            assert watch.reads == []
            logs.append(watch.seen)
        assert logs[0] == logs[1]
        assert set(evaluation.read()) == set(evaluation.columns)


def test_the_pictures_of_a_step_are_moved_by_their_own_draws():
    found = little(CROPPED.dataset, CROPPED.image_size)
    step = begun(CROPPED)
    for epoch in (0, 3):
        order = step.order.clone()
        step.begin(order, step.rates.clone(), epoch)
        shifts, flips = draws(CROPPED.seed, epoch, STEPS, BATCH)
        for number in range(STEPS):
            plain = found.train.images[order[number]]
            moved = augmented(
                plain, shifts[number], flips[number], found.background, torch.empty_like(plain)
            )
            assert torch.equal(step.images, moved)
            assert not torch.equal(step.images, plain)
            step.whole()


def test_every_row_is_loaded_in_its_turn():
    step = begun(SOME[0])
    found = little(SOME[0].dataset, SOME[0].image_size)
    for number in range(2 * STEPS):
        row = number % STEPS
        assert torch.equal(step.images, found.train.images[step.order[row]])
        assert torch.equal(step.labels, found.train.labels[step.order[row]])
        assert step.lr == step.rates[row]
        step.whole()
