"""The price of a run: counted kernels against counts by hand and against a run that is made."""

import json
import re

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from bnlib import data as datasets
from bnlib import measure
from bnlib.__main__ import main
from bnlib.book.cost import priced_chapter
from bnlib.book.layout import Book
from bnlib.paths import HOUSE
from bnlib.price import passes
from bnlib.price.cards import H100, Cpu, Gpu
from bnlib.price.trace import Kernel, Pass, Work, total, trace
from bnlib.price.work import PROBES, parts, steps, work_of
from bnlib.recipe import Recipe, Timing
from bnlib.training.together import train

SMALL = {"dataset": "digits", "epochs": 2, "batch_size": 100}


def test_a_linear_layer_by_hand():
    def make():
        x, w, b = torch.randn(7, 5), torch.randn(3, 5), torch.randn(3)
        return lambda: F.linear(x, w, b)

    found = trace(make)
    assert found.launches == 1
    assert found.flop == 2 * 7 * 5 * 3
    assert found.bytes == 4 * (7 * 5 + 3 * 5 + 3 + 7 * 3)


@pytest.mark.parametrize(("bias", "forward", "backward"), [(True, 2, 3), (False, 1, 2)])
def test_a_convolution_by_hand(bias, forward, backward):
    def make(back):
        x = torch.randn(2, 8, 6, 6, requires_grad=True)
        layer = torch.nn.Conv2d(8, 9, 3, bias=bias)
        y = layer(x)
        dy = torch.ones_like(y)
        wanted = [x, *layer.parameters()]
        return lambda: torch.autograd.grad(y, wanted, dy) if back else layer(x)

    flop = 2 * (2 * 9 * 4 * 4) * (8 * 3 * 3)  # of every output, its inputs and weights
    assert trace(lambda: make(False)).launches == forward
    assert trace(lambda: make(False)).flop == flop
    assert trace(lambda: make(True)).launches == backward
    assert trace(lambda: make(True)).flop == 2 * flop


def test_views_and_empty_arrays_launch_nothing():
    def make():
        x = torch.randn(4, 6)
        return lambda: (x.view(2, 12).t()[1:].detach(), torch.empty(5), torch.empty_like(x))

    assert trace(make).kernels == ()


def test_a_training_step_of_an_mlp_by_hand():
    layers = [28 * 28 * 100, 100 * 100, 100 * 100, 100 * 10]
    forward = 2 * 60 * sum(layers)
    step = passes.step(Recipe(model="mlp", image_size=28, batch_size=60))
    assert step.flop == 3 * forward - 2 * 60 * layers[0]  # no gradient by the image


@pytest.mark.parametrize(
    "fields",
    [
        {"probes": tuple(sorted(set(PROBES) - {"unit_inputs"})), "norm": "batch"},
        {"probes": ("calibration", "landscape"), "probe_every": 6},
        {"probes": ("unit_inputs",), "norm": "torch", "model": "mlp", "image_size": 28},
        {"dropout": 0.3, "norm": "l2", "model": "vgg_a_light", "optimizer": "adam"},
    ],
    ids=["every probe", "no norm", "mlp", "dropout"],
)
def test_a_run_does_the_flop_that_are_priced(fields):
    recipe = Recipe(**SMALL, **fields)
    with FlopCounterMode(display=False) as done:
        train(recipe)
    assert total(work_of(recipe), "flop") == done.get_total_flops()


@pytest.mark.parametrize("dataset", ["digits", "shapes"])
def test_the_sizes_of_the_data_sets(dataset):
    data = datasets.load(dataset)
    assert parts(dataset) == (len(data.train), len(data.val), len(data.test))


def test_every_data_set_and_probe_has_a_price():
    assert PROBES.keys() == measure.PROBES.keys()


def test_recipes_of_one_shape_share_their_passes():
    recipe = Recipe(norm="batch", lr=0.3, epochs=3)
    again = recipe.but(lr=0.1, seed=5, init="he", weight_decay=1e-3)
    assert work_of(again) == work_of(recipe)
    longer = work_of(recipe.but(epochs=6))
    assert longer.keys() == work_of(recipe).keys()
    assert longer[passes.step(recipe)] == 2 * work_of(recipe)[passes.step(recipe)]
    assert passes.step(recipe.but(batch_size=64)) is not passes.step(recipe)


def test_more_costs_more():
    recipe = Recipe(dataset="cifar10", model="vgg_a", width=0.25)
    for dearer in ({"width": 0.5}, {"norm": "batch"}, {"epochs": 11}, {"probes": ("plane",)}):
        assert (
            H100.seconds(work_of(recipe.but(**dearer)))["graph"]
            > (H100.seconds(work_of(recipe))["graph"])
        ), dearer


def test_a_landscape_takes_25_gradients_a_sample_in_fp32():
    recipe = Recipe(**SMALL, precision="bf16", norm="batch")
    probed = recipe.but(probes=("landscape",), probe_every=7)
    (added,) = (work_of(probed) - work_of(recipe)).items()
    assert steps(recipe) == 2 * 13  # 1,348 images
    assert added[1] == 25 * 4  # before steps 0, 7, 14 and 21
    assert {kernel.precision for kernel in added[0].kernels} == {"fp32"}


def test_precision_is_that_of_the_products():
    def products(recipe):
        return {kernel.precision for kernel in passes.step(recipe).kernels if kernel.flop}

    for precision in ("fp32", "tf32", "bf16"):
        assert products(Recipe(precision=precision)) == {precision}
    half = passes.evaluation(Recipe(precision="bf16"), 50)
    assert {kernel.precision for kernel in half.kernels} == {"fp32"}


def test_a_timing_is_priced_by_its_steps():
    timing = Timing(recipe=Recipe(), norms=("none", "batch"), steps=4, repeats=5)
    arms = (Recipe(), Recipe(norm="batch"))
    assert work_of(timing) == Work({passes.step(arm): 4 * 5 + 4 for arm in arms})


def test_seconds_by_hand():
    long, wide = Kernel(1, 8_000, 10, "fp32"), Kernel(2, 0, 9_000, "fp32")
    work = Work({Pass([long, wide]): 10})
    gpu = Gpu("g", {"fp32": 2e3}, {"fp32": 1e3}, bandwidth=1e3, launch=1.0, kernel=0.5, start=3.0)
    assert gpu.seconds(work, runs=2) == {"eager": 6 + 10 * (8 + 9), "graph": 6 + 10 * (8 + 9)}
    small = Work({Pass([Kernel(2, 1, 1, "fp32")]): 10})
    assert gpu.seconds(small) == {"eager": 3 + 10 * 2, "graph": 3 + 10 * 1}
    narrow = Pass([Kernel(1, 5, 7, "fp32", narrow=True), Kernel(1, 3, 0, "fp32")])
    assert Cpu((1000.0, 100.0, 10.0, 1.0), 1.0).seconds(Work({narrow: 2})) == {
        "estimate": 2 * (2000 + 300 + 50 + 7)
    }


def test_a_chapter_counts_a_run_once_and_the_dearest_first(tmp_path):
    source = (
        "from bnlib.recipe import Recipe\n"
        "few = Recipe(dataset='digits', seed=987654).grid(lr=[0.1, 0.2])\n"
        "def experiments(profile):\n"
        "    return {'few': few, 'more': [*few, few[0].but(lr=0.3)], 'none': []}\n"
    )
    cell = {"metadata": {"tags": ["recipes"]}, "source": [source]}
    path = tmp_path / "09_made.ipynb"
    path.write_text(json.dumps({"cells": [cell]}))
    rows = priced_chapter(path, "laptop", H100)
    assert [(row.name, row.runs, row.missing) for row in rows] == [
        ("more", 3, 3),
        ("few", 2, 2),
        ("all", 3, 3),
    ]
    assert rows[2].seconds == pytest.approx(rows[0].seconds)
    assert rows[0].work == rows[2].work


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--on", "abacus"], "no card 'abacus'"), (["--chapters", "99"], "no chapter '99'")],
)
def test_unknown_names_end_in_one_line(words, said, capsys):
    assert main(["cost", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_the_readmes_table_is_what_the_paper_profile_costs():
    readme = (HOUSE / "README.md").read_text()
    for path in Book().chapters():
        rows = priced_chapter(HOUSE / path, "paper", H100)
        everything = next((row for row in rows if row.name == "all"), None)
        if everything is None or not everything.runs:
            continue
        (line,) = re.findall(rf"^\| {path.stem} \|(.*)\|$", readme, re.MULTILINE)
        runs, launches, pflop, graph, eager = (cell.strip() for cell in line.split("|"))
        assert int(runs) == everything.runs
        minutes = {how: seconds / 60 for how, seconds in everything.seconds.items()}
        work = everything.work
        for said, counted in (
            (launches.removesuffix(" M"), total(work, "launches") / 1e6),
            (pflop, total(work, "flop") / 1e15),
            (graph, minutes["graph"]),
            (eager, minutes["eager"]),
        ):
            assert float(said) == pytest.approx(counted, rel=0.05), path.stem
