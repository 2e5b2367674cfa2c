"""The scale of runs, from their recipes and provenance, in one line."""

import json

import pytest
from made_up import SMALL, made_up_run

from bnlib import data
from bnlib.catalogue import DATASETS
from bnlib.paths import RECORDED
from bnlib.recipe import Recipe, Timing
from bnlib.run import Run, Runs, joined

ALEXNET = Recipe(dataset="cifar10", model="alexnet", width=0.25, epochs=22)
ARMS = {"norm": ("none", "batch"), "seed": range(3)}


def runs_of(recipes, profile="laptop", **provenance) -> Runs:
    some = [made_up_run(recipe) for recipe in recipes]
    for run in some:
        run.provenance.update(provenance)
    return Runs(some, profile)


def test_one_line_says_it():
    runs = runs_of(ALEXNET.grid(**ARMS))
    assert str(runs.scale) == (
        "laptop · AlexNet at 1/4 width · 22 epochs · CIFAR-10, 45,000 images · n = 3 · "
        "one CPU thread"
    )
    scale = runs.scale
    assert (scale.profile, scale.nets, scale.epochs) == ("laptop", (("alexnet", 0.25),), (22,))
    assert (scale.data, scale.images, scale.n) == (("cifar10",), (45_000,), (3,))
    assert scale.recorded
    assert scale.indicative


def test_a_part_of_the_runs_has_a_scale_of_its_own():
    runs = runs_of(ALEXNET.grid(**ARMS) + ALEXNET.but(epochs=5, lr=3.0).grid(seed=range(7)))
    assert (runs.scale.epochs, runs.scale.n) == ((5, 22), (3, 7))
    assert "5 to 22 epochs" in str(runs.scale)
    assert "n = 3 to 7" in str(runs.scale)
    assert runs.where(lr=3.0).scale.n == (7,)
    assert [arm.scale.profile for arm in runs.by("lr").values()] == ["laptop", "laptop"]


@pytest.mark.parametrize(
    ("recipes", "said"),
    [
        ([SMALL], "paper · MLP · 2 epochs · digits, 1,348 images · n = 1 · one CPU thread"),
        ([SMALL.but(epochs=1)], "· 1 epoch ·"),
        ([ALEXNET.but(width=1.0)], "AlexNet at full width"),
        ([ALEXNET.but(width=1.5)], "AlexNet at 3/2 width"),
        (
            [ALEXNET, ALEXNET.but(model="lenet", width=1.0), ALEXNET.but(model="vgg_a")],
            "AlexNet and VGG-A at 1/4 width, LeNet ·",
        ),
        (
            ALEXNET.grid(dataset=("cifar10", "cifar100")),
            "CIFAR-10, 45,000 images · CIFAR-100, 45,000 images",
        ),
    ],
)
def test_what_differs_is_listed(recipes, said):
    scale = runs_of(recipes, "paper").scale
    assert said in str(scale)
    assert not scale.indicative


def test_the_accelerator_is_named():
    card = {"device": "A Card 9000", "device_kind": "cuda", "threads": None}
    assert str(runs_of([SMALL], **card).scale).endswith("· A Card 9000")
    both = Runs([*runs_of([SMALL]), *runs_of([SMALL.but(seed=1)], **card)])
    assert both.scale.devices == ("A Card 9000", "one CPU thread")
    assert str(both.scale).endswith("· A Card 9000 and one CPU thread")
    assert runs_of([SMALL], threads=4).scale.devices == ("4 CPU threads",)


def test_a_timing_has_repeats():
    timing = Timing(recipe=ALEXNET, models=("lenet", "alexnet"), norms=("none",), repeats=7)
    provenance = {"device_kind": "cpu", "device": "x", "threads": 1}
    scale = Runs([Run(timing, {}, {}, provenance)], "laptop").scale
    assert str(scale) == (
        "laptop · LeNet, AlexNet at 1/4 width · CIFAR-10, 45,000 images · n = 7 repeats · "
        "one CPU thread"
    )


def test_no_runs_are_not_recorded():
    scale = Runs([], "paper").scale
    assert (str(scale), scale.recorded, scale.profile) == ("not recorded", False, None)
    assert scale.indicative


@pytest.mark.parametrize("name", ["digits", "shapes"])
def test_the_number_of_images_is_that_of_the_training_part(name):
    assert DATASETS[name].images == len(data.load(name).train)


def test_the_number_of_images_is_that_of_the_records():
    seen = set()
    for path in RECORDED.glob("*/*.json"):
        record = json.loads(path.read_bytes())
        recipe = Recipe.restore(record["recipe"]) if "kind" not in record else None
        if recipe is not None:
            steps = record["summary"]["steps"] // record["summary"]["epochs"]
            assert steps == DATASETS[recipe.dataset].images // recipe.batch_size, path
            seen.add(recipe.dataset)
    assert {"mnist", "cifar10", "cifar100"} <= seen


def test_runs_that_are_joined_keep_the_profile_that_they_share():
    one, other = (Runs([made_up_run(SMALL.but(seed=s))], "paper") for s in range(2))
    assert (len(joined(one, other)), joined(one, other).profile) == (2, "paper")
    assert joined(one, Runs([])).profile == "paper"
    assert joined(one, Runs(other, "laptop")).profile is None
    assert joined().profile is None
