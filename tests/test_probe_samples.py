"""A sample of the landscape can be replayed: the same work on the same memory, and nothing read."""

import pytest
import torch
from dispatched import Dispatched
from made_up import SMALL
from probing import SMALLEST, take, watched
from training import bits

from bnlib.catalogue import NORMS
from bnlib.measure import PROBES
from bnlib.measure.landscape import Landscape
from bnlib.measure.shift import Shift
from bnlib.recipe import Recipe
from bnlib.training.captured import warm_up
from bnlib.training.together import train

RECIPES = [
    pytest.param(
        Recipe(model=model, norm=norm, dropout=dropout, probes=("landscape",), **SMALLEST),
        id=f"{model}-{norm}",
        marks=[] if norm in ("none", "batch") else pytest.mark.slow,
    )
    for model, dropout in (("alexnet", 0.5), ("vgg_a", 0.0))
    for norm in NORMS
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_sample_reads_nothing_and_each_is_the_same_work_on_the_same_memory(recipe):
    probe = Landscape(watched(recipe, steps=150))
    seen = []
    for _ in range(2):
        with Dispatched() as dispatched:
            take(probe)
        assert dispatched.forbidden() == set()
        seen.append(dispatched.operations)
    assert seen[0] == seen[1]
    assert sum(name == "aten.convolution_backward.default" for name, _ in seen[0]) >= 25 * 5


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_shift_likewise_in_fewer_backward_passes(recipe):
    probe, seen = Shift(watched(recipe, steps=150)), []
    for step in (0, 50):
        probe.keep(step)
        with Dispatched() as dispatched:
            take(probe)
        assert dispatched.forbidden() == set()
        seen.append(dispatched.operations)
    assert seen[0] == seen[1]
    backward = sum(name == "aten.convolution_backward.default" for name, _ in seen[0])
    assert backward < (1 + len(probe.layers)) * 8


def test_what_may_not_be_in_a_sample_is_found():
    """The test above is able to fail."""
    x, rows = torch.arange(6.0), iter(range(4))

    def looks(function) -> list[Dispatched]:
        found = []
        for _ in range(2):
            with Dispatched() as dispatched:
                function()
            found.append(dispatched)
        return found

    for bad in (lambda: float(x.sum()), x.nonzero, lambda: x + torch.tensor([1.0])):
        assert looks(bad)[0].forbidden(), bad
    for other in (lambda: x[next(rows)] + 1, lambda: x.roll(next(rows)), lambda: x[[1, 2]]):
        first, second = looks(other)
        assert first.operations != second.operations
    first, second = looks(lambda: (x * 2).roll(1).norm())
    assert first.operations == second.operations
    assert first.forbidden() == set()


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_warm_up_is_taken_back(dropout):
    """Even if it takes more samples than there are rows."""
    recipe = Recipe(
        model="vgg_a_light", norm="batch", dropout=dropout, probes=("landscape",), **SMALLEST
    )
    cold, warm = (Landscape(watched(recipe, steps=51)) for _ in range(2))
    with warm.prepared():
        warm_up(warm.sample, warm.changed, warm.noise())
    for step in (0, 50):
        assert cold.due(step)
        for probe in (cold, warm):
            take(probe)
            with torch.no_grad():  # the run goes on
                probe.watched.images.mul_(0.5)
    found = warm.result()
    assert found["steps"].tolist() == [0, 50]
    for name, values in cold.result().items():
        assert found[name].tobytes() == values.tobytes(), name


def test_a_run_that_ends_early_gives_the_rows_that_were_taken(monkeypatch):
    """The same bits as the whole run's first rows."""
    monkeypatch.setattr("bnlib.training.optim.STOP", 1)
    names = ("calibration", "landscape", "logits", "s2_evaluation", "shift")
    names += ("unit_inputs", "weights")
    recipe = SMALL.but(norm="batch", probes=names, probe_every=4, epochs=5, lr=1e-30)
    whole, short = train(recipe), train(recipe.but(schedule="plateau"))
    assert (whole.summary["steps"], short.summary["steps"]) == (50, 20)
    assert short.arrays["loss"].shape == (5,)
    assert whole.arrays["loss"].shape == (13,)
    for name, values in whole.arrays.items():
        found = short.arrays[name]
        if name == "steps" or name.startswith("consecutive"):
            continue  # of two probes; the run's last look ahead is missing
        assert found.dtype == values.dtype
        assert found.tobytes() == values[: len(found)].tobytes(), name


@pytest.mark.parametrize("name", PROBES)
def test_no_sample_is_read_by_the_host(name):
    recipe = SMALL.but(model="vgg_a_light", norm="batch", dropout=0.5, **SMALLEST)
    w = watched(recipe, steps=60)
    model = bits(w.model)
    for kind in PROBES[name]:
        probe = kind(w)
        for step in range(60):
            with Dispatched() as dispatched:
                if probe.due(step):
                    take(probe)
                probe.keep(step)
            assert "_local_scalar_dense" not in dispatched.names
    assert bits(w.model) == model
