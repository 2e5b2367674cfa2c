"""Optimisers against torch's plain ones, schedules against closed forms."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bnlib.recipe import Recipe
from bnlib.training.optim import FACTOR, PATIENCE, STOP, Schedule, make_optimizer

REFERENCE = {
    "sgd": lambda p, r: torch.optim.SGD(
        p, r.lr, momentum=r.momentum, nesterov=r.nesterov, weight_decay=r.weight_decay,
        foreach=False, fused=False,
    ),
    "adam": lambda p, r: torch.optim.Adam(
        p, r.lr, weight_decay=r.weight_decay, foreach=False, fused=False
    ),
    "adagrad": lambda p, r: torch.optim.Adagrad(
        p, r.lr, weight_decay=r.weight_decay, foreach=False
    ),
    "adadelta": lambda p, r: torch.optim.Adadelta(
        p, r.lr, weight_decay=r.weight_decay, foreach=False
    ),
}  # fmt: skip
CASES = [
    Recipe(optimizer=name, weight_decay=decay)
    for name in ("sgd", "adam", "adagrad", "adadelta")
    for decay in (0.0, 5e-2)
] + [
    Recipe(momentum=0.9),
    Recipe(momentum=0.9, weight_decay=1e-2),
    Recipe(momentum=0.8, nesterov=True, weight_decay=1e-2),
]


@pytest.mark.parametrize("recipe", CASES, ids=str)
def test_steps_are_torchs_and_follow_the_lr_tensor(recipe):
    """In float64 down a convex loss: what the order of a sum rounds away dies out, step by step.
    (A loss with hills would let momentum throw two equal optimisers into different valleys.)"""
    start = [torch.randn(4, 5).double(), torch.randn(7).double()]
    ours, theirs = ([nn.Parameter(t.clone()) for t in start] for _ in range(2))
    lr = torch.tensor(recipe.lr)
    optimizer = make_optimizer(recipe, ours, lr)
    reference = REFERENCE[recipe.optimizer](theirs, recipe)
    assert reference.defaults.get("eps") == optimizer.defaults.get("eps")
    for rate in torch.rand(25).add(0.1).mul(recipe.lr).tolist():
        lr.fill_(rate)  # as the training step does
        reference.param_groups[0]["lr"] = lr.item()
        for params, stepper in ((ours, optimizer), (theirs, reference)):
            stepper.zero_grad()
            sum((1 + p.square()).sqrt().sum() for p in params).backward()
            stepper.step()
    for mine, other, before in zip(ours, theirs, start, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)
        assert (mine - before).abs().max() > 1e-4  # it did move


def test_one_step_by_hand():
    w, g, rate, decay = torch.randn(6), torch.randn(6), 0.3, 0.1
    p = nn.Parameter(w.clone())
    p.grad = g.clone()
    make_optimizer(Recipe(weight_decay=decay), [p], torch.tensor(rate)).step()
    torch.testing.assert_close(p.detach(), w - rate * (g + decay * w))


def rates(steps: int, **fields) -> torch.Tensor:
    schedule = Schedule(Recipe(**fields), steps)
    return torch.cat([schedule.epoch(epoch) for epoch in range(fields["epochs"])])


def test_constant():
    assert rates(4, epochs=3, lr=0.7).tolist() == [torch.tensor(0.7).item()] * 12


def test_cosine_falls_from_lr_to_zero():
    found = rates(7, epochs=5, lr=0.4, schedule="cosine").double()
    expected = [0.4 * math.cos(math.pi * (k + 0.5) / 70) ** 2 for k in range(35)]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.double), rtol=1e-6, atol=0)
    assert found[0] > 0.399
    assert 0 < found[-1] < 4e-4


def test_onecycle_climbs_30_percent_and_falls_70():
    found = rates(100, epochs=10, lr=0.5, schedule="onecycle").double()
    middle = torch.arange(1000).double() + 0.5  # the middle of each step
    expected = torch.where(middle < 300, middle / 300, (1000 - middle) / 700) * 0.5
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-9)
    assert found.argmax() in (299, 300)


def test_warmup_climbs_for_one_epoch_and_stays():
    found = rates(4, epochs=3, lr=0.8, schedule="warmup").tolist()
    assert found == pytest.approx([0.1, 0.3, 0.5, 0.7] + 8 * [0.8])


def test_plateau_halves_after_five_epochs_and_stops_after_twenty():
    schedule = Schedule(Recipe(schedule="plateau", lr=0.8, epochs=100), 3)
    assert (PATIENCE, FACTOR, STOP) == (5, 0.5, 20)
    schedule.saw(1.0)
    for epoch in range(1, 21):
        assert not schedule.stop
        schedule.saw(1.0)  # no better: equal counts as waiting
        halved = 0.8 * 0.5 ** (epoch // 5)
        assert schedule.epoch(epoch).tolist() == pytest.approx([halved] * 3)
    assert schedule.stop


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_plateau_is_torchs_and_stops_once_the_best_is_20_old(losses):
    schedule = Schedule(Recipe(schedule="plateau", lr=0.5, epochs=100), 1)
    theirs = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.5)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        theirs, factor=0.5, patience=4, threshold=0, eps=0
    )
    for epoch, loss in enumerate(losses):
        schedule.saw(loss / 10)
        plateau.step(loss / 10)
        assert schedule.epoch(0).item() == pytest.approx(theirs.param_groups[0]["lr"])
        seen = losses[: epoch + 1]
        assert schedule.stop == (epoch - seen.index(min(seen)) >= 20)
        if schedule.stop:
            break


def test_only_plateau_reacts_to_the_loss():
    for name in ("constant", "cosine", "onecycle"):
        schedule = Schedule(Recipe(schedule=name, epochs=4), 5)
        before = schedule.epoch(1)
        for _ in range(40):
            schedule.saw(float("nan"))
        assert torch.equal(schedule.epoch(1), before)
        assert not schedule.stop
