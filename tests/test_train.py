"""The training loop against a plain one, and its promises: same bits, nothing left changed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up import SMALL, without_time
from torch import nn
from torch.nn import functional as F
from training import bits, trained

from bnlib import data, models
from bnlib.recipe import Recipe
from bnlib.seeds import seed_of, stream
from bnlib.training.step import Step
from bnlib.training.together import train

NORMS = ("none", "batch", "torch")
LENET = SMALL.but(model="lenet", epochs=1)
DROPPED = SMALL.but(model="alexnet", activation="relu", width=1 / 32, dropout=0.5, epochs=1)


def plain_images(split: data.Split) -> torch.Tensor:
    return split.images.permute(0, 3, 1, 2).contiguous()


def plain_training(recipe: Recipe) -> tuple[dict[str, list[float]], nn.Module]:
    """SGD by hand on nn.BatchNorm, ordinary NCHW tensors, nothing of bnlib's loop."""
    found = data.load(recipe.dataset, recipe.image_size)
    x, y = plain_images(found.train), found.train.labels
    model = models.build(recipe.but(norm="none" if recipe.norm == "none" else "torch"))
    velocity = [torch.zeros_like(p) for p in model.parameters()]
    history = {name: [] for name in ("train_loss", "train_acc", "val_loss", "test_loss")}
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(y), generator=stream(recipe.seed, "order", epoch))
        losses, right = [], 0
        model.train()
        for start in range(0, len(y) - recipe.batch_size + 1, recipe.batch_size):
            index = order[start : start + recipe.batch_size]
            logits = model(x[index])
            loss = F.cross_entropy(logits, y[index])
            grads = torch.autograd.grad(loss, list(model.parameters()))
            with torch.no_grad():
                for p, g, v in zip(model.parameters(), grads, velocity, strict=True):
                    v.mul_(recipe.momentum).add_(g + recipe.weight_decay * p)
                    p -= recipe.lr * v
            losses.append(loss.item())
            right += (logits.argmax(1) == y[index]).float().mean().item()
        history["train_loss"].append(np.mean(losses))
        history["train_acc"].append(right / len(losses))
        model.eval()
        with torch.no_grad():
            for part, split in (("val", found.val), ("test", found.test)):
                loss = F.cross_entropy(model(plain_images(split)), split.labels)
                history[f"{part}_loss"].append(loss.item())
    return history, model


@pytest.mark.parametrize(
    "recipe",
    [SMALL.but(norm=norm, momentum=0.5, weight_decay=1e-2, seed=3) for norm in NORMS]
    + [LENET.but(norm="batch", lr=0.3), SMALL.but(dataset="digits", image_size=28, batch_size=100)],
    ids=str,
)
def test_equals_a_plain_training_loop(recipe):
    expected, net = plain_training(recipe)
    run, model = trained(recipe)
    for column, values in expected.items():
        assert run.history[column] == pytest.approx(values, rel=1e-5, abs=1e-6), column
    for name, tensor in net.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "recipe", [LENET.but(norm="batch"), SMALL.but(norm="torch"), DROPPED], ids=str
)
def test_the_same_bits_every_time_and_in_another_process(recipe, tmp_path):
    run, model = trained(recipe)
    torch.rand(3)  # the state of the process does not matter
    again, same = trained(recipe)
    assert bits(model) == bits(same)
    assert without_time(run) == without_time(again)
    answer = tmp_path / "answer.json"
    here = Path(__file__).parent
    command = [sys.executable, here / "training.py", json.dumps(recipe.changed()), answer]
    subprocess.run(command, check=True, cwd=here.parent)
    found = json.loads(answer.read_text())
    assert found["bits"] == bits(model)
    assert found["history"] == {k: v for k, v in run.history.items() if k != "seconds"}
    assert trained(recipe.but(seed=1))[0].history["train_loss"] != run.history["train_loss"]


def test_streams_never_change():
    assert seed_of(0, "order", 0) == 3955691223199900983
    assert stream(3, "init", 1).initial_seed() == seed_of(3, "init", 1)


def orders(recipe: Recipe, monkeypatch) -> torch.Tensor:
    """The index of every batch: (epochs, steps, B)."""
    seen = []
    begin = Step.begin
    spy = lambda step, order, *more: seen.append(order.clone()) or begin(step, order, *more)  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(Step, "begin", spy)
        train(recipe)
    return torch.stack(seen)


def test_arms_see_the_same_order_and_no_image_twice(monkeypatch):
    recipe = SMALL.but(batch_size=100, seed=2)
    none, batch = orders(recipe, monkeypatch), orders(recipe.but(norm="batch", lr=1), monkeypatch)
    assert torch.equal(none, batch)
    assert none.shape == (2, 13, 100)  # 1,348 images: the last 48 of an epoch are left out
    for epoch in none:
        assert len(epoch.unique()) == 1300
    assert not torch.equal(none[0], none[1])
    assert not torch.equal(none, orders(recipe.but(seed=3), monkeypatch))


def test_a_run_that_diverges_is_a_result():
    run = train(SMALL.but(activation="relu", loss="mse", lr=1e20, epochs=5))
    assert run.summary["diverged"]
    assert run.summary["epochs"] == 1
    assert {len(row) for row in run.history.values()} == {1}
    assert run.history["train_loss"] == run.history["test_loss"] == [None]
    assert "diverged" in repr(run)
    assert not train(SMALL).summary["diverged"]
