"""What an entry of the catalogue says is what the layers, networks and data sets do."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from bnlib import data, models
from bnlib.book import plots
from bnlib.catalogue import DATASETS, NETS, NORMS
from bnlib.errors import BookError
from bnlib.norm import NORM_LAYERS, norm_layer
from bnlib.recipe import Recipe, Timing
from bnlib.training.precise import averaging


def accepted(**fields) -> bool:
    try:
        Recipe(**fields)
    except BookError:
        return False
    return True


def test_it_needs_no_torch():
    said = "import sys, bnlib.recipe, bnlib.catalogue; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", said], text=True) == "False\n"


@pytest.mark.parametrize("table", [NORMS, NETS, DATASETS], ids=lambda table: table.kind)
def test_an_unknown_name_is_told_the_known_ones(table):
    with pytest.raises(BookError, match=f"unknown {table.kind} 'lenett': .*{', '.join(table)}$"):
        table["lenett"]


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_centres_and_averages_as_its_entry_says(name):
    for dims in (0, 2):
        layer = norm_layer(name, 96, dims).double()
        x = torch.randn(16, 96, *[5] * dims, dtype=torch.float64)
        x += torch.arange(96).view(-1, *[1] * dims)
        means = layer(x).transpose(0, 1).flatten(1).mean(1)
        assert (means.abs().max() < 1e-10) == NORMS[name].centres
        assert bool(averaging(layer)) == NORMS[name].averages
        # and it is known by its kind, with a gamma of 1 and a beta of 0
        absent = isinstance(layer, nn.Identity)
        assert absent == (name in ("none", "noise"))
        assert isinstance(layer, NORM_LAYERS) != absent
        none = absent or name == "bare"
        assert not none or not list(layer.parameters())
        for parameter, start in zip(layer.parameters(), (1.0, 0.0), strict=not none):
            assert torch.equal(parameter, torch.full_like(parameter, start))


def test_norms_are_told_apart_in_figures():
    looks = [plots.look(name) for name in NORMS]
    for key in ("color", "label"):
        assert len({look[key] for look in looks}) == len(NORMS)
    assert not {look["color"] for look in looks} & {*plots.CYCLE, plots.RIGHT, plots.WRONG}


def test_those_timed_are_the_default_of_a_timing():
    assert Timing(recipe=Recipe()).norms == tuple(name for name in NORMS if NORMS[name].timed)


@pytest.mark.parametrize("name", NETS)
def test_a_net_is_as_deep_as_its_entry_says(name):
    with torch.device("meta"):
        net = models.structure(Recipe(model=name))
    weighted = [
        place
        for place, layer in net.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and "shortcut" not in place
    ]
    assert len(weighted) == NETS[name].layers


@pytest.mark.parametrize("name", NETS)
def test_a_net_takes_what_its_entry_says(name):
    net = NETS[name]
    for size in (28, 32, 64, 224):
        assert accepted(model=name, image_size=size) == (size in net.sizes)
    for size in net.sizes:
        with torch.device("meta"):
            built = models.structure(Recipe(model=name, image_size=size))
            assert built(torch.empty(2, 1, min(size, 32), min(size, 32))).shape == (2, 10)
    assert accepted(model=name, width=0.5) == net.scales
    for place in ("fc", "conv"):
        fields = {"model": name, "dropout": 0.5, "dropout_at": place}
        assert accepted(**fields) == (place in net.dropout)
        if place in net.dropout:
            with torch.device("meta"):
                built = models.structure(Recipe(**fields))
            assert any(isinstance(layer, nn.Dropout) for layer in built)


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_is_what_its_entry_says(name):
    known = DATASETS[name]
    assert accepted(dataset=name, image_size=28) == (known.size == 28)
    if known.built_in:
        found = data.load(name, known.size)
        assert found.test.images.shape[1:] == (known.size, known.size, known.channels)
        assert len(found.classes) == found.test.labels.max() + 1 == known.classes
