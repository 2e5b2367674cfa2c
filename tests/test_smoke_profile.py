"""The smoke profile is the laptop profile made thin, and leaves what a reader asks for."""

import pytest
from made_up import SMALL

from bnlib import data
from bnlib.book import chapter
from bnlib.book.layout import Book
from bnlib.book.smoke import asked_for, thin
from bnlib.recipe import Recipe, Timing

WIDE = Recipe(dataset="cifar10", model="vgg_a", width=0.25, epochs=10)
PATHS = [Book().root / path for path in Book().chapters()]


def values(recipes: list[Recipe], field: str) -> list:
    return list(dict.fromkeys(getattr(recipe, field) for recipe in recipes))


def test_of_every_field_the_first_and_the_last_value_stay():
    norms = ("none", "torch", "l1", "l2", "linf")
    grid = WIDE.grid(lr=(0.3, 0.1, 1.0), norm=norms, dropout=(0.0, 0.5), seed=range(4))
    found = thin({"some": grid, "none": []})
    assert found["none"] == []
    some = found["some"]
    assert values(some, "lr") == [0.3, 1.0]
    assert values(some, "norm") == ["none", "torch", "linf"]  # the two that are compared, one more
    assert values(some, "dropout") == [0.0, 0.5]
    assert values(some, "seed") == [0, 1]
    assert len(some) == 2 * 3 * 2 * 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (WIDE, {"dataset": "shapes", "width": 1 / 32, "epochs": 2}),
        (WIDE.but(dataset="cifar100", epochs=4), {"dataset": "shapes", "epochs": 1}),
        (WIDE.but(dataset="svhn", epochs=1), {"dataset": "shapes", "epochs": 1}),
        (WIDE.but(width=1 / 64), {"width": 1 / 64}),  # never wider
        (Recipe(epochs=5), {"dataset": "digits", "width": 1.0, "epochs": 2}),
        (SMALL.but(schedule="plateau"), {"dataset": "digits", "schedule": "plateau"}),
        (Recipe(probes=("affine",), lr=0.7), {"probes": ("affine",), "lr": 0.7}),
    ],
    ids=str,
)
def test_a_recipe_becomes_small(given, expected):
    (small,) = thin({"one": [given]})["one"]
    assert {name: getattr(small, name) for name in expected} == expected
    same = set(Recipe.model_fields) - {"dataset", "width", "epochs"}
    assert [name for name in same if getattr(small, name) != getattr(given, name)] == []


def test_two_data_sets_that_become_one_are_trained_once():
    both = WIDE.grid(dataset=("cifar10", "cifar100"), seed=range(2))
    assert values(thin({"both": both})["both"], "seed") == [0, 1]
    assert len(thin({"both": both})["both"]) == 2


@pytest.mark.parametrize("epochs", [2, 10])
@pytest.mark.parametrize("probe", ["landscape", "shift"])
def test_every_phase_of_a_watched_run_has_a_sample(epochs, probe):
    watched = WIDE.but(probes=(probe,), probe_every=70, epochs=epochs)
    (small,) = thin({"one": [watched]})["one"]
    steps = len(data.load("shapes").train) // small.batch_size * small.epochs
    assert 3 <= len(range(0, steps, small.probe_every)) <= 4


def test_a_timing_takes_few_steps():
    timing = Timing(recipe=WIDE.but(width=1.0), models=("lenet", "vgg_a"), repeats=15)
    (small,) = thin({"time": [timing]})["time"]
    assert (small.steps, small.repeats, small.models) == (1, 5, timing.models)
    assert (small.recipe.dataset, small.recipe.width) == ("shapes", 1 / 32)


def test_what_a_reader_asks_for_stays():
    defaults = {"seeds": None, "learning_rates": None, "epochs": None, "width": None, "norm": "x"}
    asked = asked_for(
        defaults | {"seeds": 3, "learning_rates": [0.1, 0.2, 0.4], "epochs": 7}, defaults
    )
    assert asked == {"seed": {0, 1, 2}, "lr": {0.1, 0.2, 0.4}, "epochs": {7}}
    grid = WIDE.but(epochs=7).grid(lr=(0.1, 0.2, 0.4), seed=range(3))
    found = thin({"some": grid, "short": [WIDE]}, asked)
    assert values(found["some"], "lr") == [0.1, 0.2, 0.4]
    assert values(found["some"], "seed") == [0, 1, 2]
    assert values(found["some"], "epochs") == [7]
    assert found["short"][0].epochs == 2  # nobody asked for these ten
    wide = thin({"one": [WIDE.but(dataset="svhn")]}, {"width": {0.25}, "dataset": {"svhn"}})["one"]
    assert (wide[0].width, wide[0].dataset) == (0.25, "svhn")
    watched = WIDE.but(probes=("landscape",), probe_every=1)
    assert thin({"one": [watched]}, {"probe_every": {1}})["one"][0].probe_every == 1


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_chapter_has_a_thin_version_of_all_that_its_laptop_profile_runs(path):
    experiments = chapter.experiments_of(path)
    laptop, smoke = experiments("laptop"), experiments("smoke")
    assert {name: bool(some) for name, some in laptop.items()} == {
        name: bool(some) for name, some in smoke.items()
    }
    for some in smoke.values():
        recipes = [recipe for recipe in some if isinstance(recipe, Recipe)]
        timed = [timing.recipe for timing in some if isinstance(timing, Timing)]
        assert {recipe.dataset for recipe in recipes + timed} <= {"digits", "shapes"}
        most = {field: len(values(recipes, field)) for field in Recipe.model_fields}
        assert {field for field, count in most.items() if count > 2} <= {"norm"}
        assert most["norm"] <= 3


@pytest.mark.parametrize(
    ("name", "experiment", "field", "given"),
    [
        ("01_motivation", "mnist", "lr", {"learning_rates": [0.01, 0.1, 1.0, 10.0]}),
        ("01_motivation", "mnist", "epochs", {"epochs": 40}),
        ("03_lenet", "sweep", "lr", {"learning_rates": [3.0, 10.0, 30.0, 100.0]}),
        ("04_alexnet", "optimizer", "optimizer", {"optimizers": ["sgd", "adam", "adagrad"]}),
        ("04_alexnet", "dropout", "epochs", {"short_epochs": 6}),
        ("07_vgg_landscape", "landscape", "probe_every", {"probe_every": 1}),
        ("07_vgg_landscape", "landscape", "seed", {"seeds": 4}),
        ("08_ics", "shift", "lr", {"learning_rates": [0.1, 0.01, 0.001]}),
        ("08_ics", "shift", "init", {"init": "he"}),
    ],
)
def test_a_chapters_parameters_hold_in_the_smoke_profile(name, experiment, field, given):
    (path,) = (path for path in PATHS if path.stem == name)
    some = chapter.experiments_of(path, **given)("smoke")[experiment]
    (asked,) = given.values()
    wanted = asked if isinstance(asked, list) else list(range(4)) if field == "seed" else [asked]
    assert values(some, field) == wanted
