"""On an NVIDIA GPU: captured, eager, in turn and repeated runs agree, and so does the CPU."""

import gc

import pytest
import torch
from made_up import without_time
from small_runs import BATCH, KINDS, little
from torch import nn
from training import keeping_models

from bnlib import models
from bnlib.data import as_input
from bnlib.recipe import Recipe
from bnlib.training import captured
from bnlib.training import train as loop
from bnlib.training.process import settings
from bnlib.training.step import criterion_of
from bnlib.training.together import together, train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")

OPTIMISERS = [
    Recipe(dataset="digits", norm="batch", optimizer=name, batch_size=BATCH, epochs=2, lr=0.01)
    for name in ("adadelta", "adagrad")
]
PRECISIONS = [
    Recipe(dataset="shapes", model="vgg_a", width=1 / 16, norm=norm, activation="relu",
           batch_size=BATCH, epochs=2, precision=precision)
    for norm in ("batch", "torch")
    for precision in ("tf32", "bf16")
]  # fmt: skip
PROBED = [
    Recipe(dataset="shapes", model="vgg_a", width=1 / 16, norm=norm, activation="relu",
           batch_size=BATCH, epochs=2, probes=("landscape",), probe_every=2)
    for norm in ("none", "batch")
] + [
    Recipe(dataset="shapes", model="alexnet", width=1 / 16, dropout=0.5, activation="relu",
           batch_size=BATCH, epochs=2, probes=("shift",), probe_every=every)
    for every in (1, 3)
]  # fmt: skip
ALL = [*KINDS, *OPTIMISERS, *PRECISIONS, *PROBED]


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    monkeypatch.setattr(loop, "load", lambda *where: little(*where[:3]))


def weights(built: list[nn.Module]) -> list[list[torch.Tensor]]:
    return [[t.cpu() for t in model.state_dict().values()] for model in built]


def equal(one: list[list[torch.Tensor]], other: list[list[torch.Tensor]]) -> bool:
    return all(
        torch.equal(a, b)
        for mine, theirs in zip(one, other, strict=True)
        for a, b in zip(mine, theirs, strict=True)
    )


@pytest.mark.parametrize("recipe", ALL, ids=str)
def test_a_graph_a_plain_call_and_a_second_run_give_the_same_bits(recipe, monkeypatch):
    with keeping_models() as graphed:
        run, again = train(recipe, "cuda"), train(recipe, "cuda")
    refused = recipe.optimizer == "adagrad"
    assert run.provenance["step"].startswith("eager" if refused else "graph")
    assert equal(weights(graphed[:1]), weights(graphed[1:]))
    assert without_time(run) == without_time(again)
    monkeypatch.setattr(captured.Captured, "_capture", lambda *arguments: None)
    with keeping_models() as called:
        eager = train(recipe, "cuda")
    assert eager.provenance["step"] == "eager"
    assert equal(weights(graphed[:1]), weights(called))
    assert without_time(run) == without_time(eager)


def test_turns_on_streams_of_their_own_change_no_bit(monkeypatch):
    monkeypatch.setattr(loop, "TURN", 1)
    recipes = [recipe for recipe in ALL if recipe.precision == "fp32"]
    alone = {recipe: without_time(train(recipe, "cuda")) for recipe in recipes}
    beside = {run.recipe: without_time(run) for run in together(recipes, "cuda", 4)}
    assert beside == alone


@pytest.mark.parametrize("recipe", KINDS, ids=str)
def test_the_gradients_are_the_cpus_in_float64(recipe):
    found = {}
    for device in ("cpu", "cuda"):
        model = models.build(recipe.but(dropout=0.0, dropout_at="fc")).to(device).double()
        split = little(recipe.dataset, recipe.image_size, device).train
        logits = model(as_input(split.images.double()))
        loss = criterion_of(recipe)(logits, split.labels)
        found[device] = [loss.detach(), *torch.autograd.grad(loss, list(model.parameters()))]
    for mine, theirs in zip(found["cuda"], found["cpu"], strict=True):
        torch.testing.assert_close(mine.cpu(), theirs, rtol=1e-8, atol=1e-10)


def test_a_run_gives_its_memory_back():
    recipe = KINDS[0]
    train(recipe, "cuda")  # the data, and what libraries keep
    gc.collect()
    before = torch.cuda.memory_allocated()
    for seed in range(3):
        train(recipe.but(seed=seed), "cuda")
    gc.collect()
    torch.cuda.empty_cache()
    assert torch.cuda.memory_allocated() <= before


def test_settings_make_products_precise_and_repeatable():
    with settings("fp32", "cuda"):
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.deterministic
    with settings("tf32", "cuda"):
        assert torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
    assert not torch.are_deterministic_algorithms_enabled()
