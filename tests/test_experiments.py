"""A chapter's experiments: read from its notebook, each shown at its largest recorded scale."""

import nbformat
import pytest
from made_up import SMALL, made_up_run
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from bnlib import study
from bnlib.book import chapter
from bnlib.errors import BookError
from bnlib.recipe import Recipe
from bnlib.records.store import Store
from bnlib.run import Runs

RECIPES = """\
from bnlib.recipe import Recipe

def experiments(profile):
    count = seeds or {"laptop": 3, "paper": 5}[profile]
    small = Recipe(dataset="digits", model="mlp", epochs=2)
    return {
        "main": [small.but(seed=s, norm=n) for s in range(count) for n in norms],
        "extra": [small.but(seed=s, lr=0.5) for s in range(count)] if profile == "paper" else [],
    }
"""


@pytest.fixture
def notebook(tmp_path):
    cells = [
        new_markdown_cell("# A made-up chapter", id="question"),
        new_code_cell(
            "profile: str = 'auto'\nseeds: int | None = None\nnorms: list[str] = ['none']",
            id="parameters",
            metadata={"tags": ["parameters"]},
        ),
        new_code_cell("here = chapter.start(globals())", id="setup"),
        new_code_cell(RECIPES, id="recipes", metadata={"tags": ["recipes"]}),
        new_code_cell("raise RuntimeError('must not be executed')", id="results"),
    ]
    path = tmp_path / "09_made_up.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_experiments_are_read_from_the_notebook(notebook):
    found = chapter.experiments_of(notebook)("laptop")
    assert found == {"main": [SMALL.but(seed=s) for s in range(3)], "extra": []}
    given = chapter.experiments_of(notebook, seeds=1, norms=["none", "batch"])("paper")
    assert given["main"] == [SMALL, SMALL.but(norm="batch")]
    assert given["extra"] == [SMALL.but(lr=0.5)]
    with pytest.raises(BookError, match="unknown parameter 'sede'"):
        chapter.experiments_of(notebook, sede=1)
    with pytest.raises(BookError, match="seeds=0"):
        chapter.experiments_of(notebook, seeds=0)


@pytest.fixture
def store(notebook, tmp_path, monkeypatch) -> Store:
    """Where the notebook's runs are recorded: nothing yet."""
    records = tmp_path / "records"
    monkeypatch.setattr(study, "RECORDED", records)
    monkeypatch.setattr(chapter, "RECORDED", records)
    monkeypatch.setattr(chapter, "CHAPTERS", notebook.parent)
    return Store(records)


@pytest.fixture
def trained(monkeypatch) -> list[Recipe]:
    """What would have been trained, in its order."""
    recipes = []

    def train(self, wanted):
        recipes.extend(wanted)
        for recipe in wanted:
            self.store.write("made_up", made_up_run(recipe))

    monkeypatch.setattr(study.Study, "train", train)
    return recipes


def record(store: Store, recipes: list[Recipe]) -> None:
    for recipe in recipes:
        store.write("made_up", made_up_run(recipe))


def open_chapter(notebook, **given) -> tuple[chapter.Chapter, dict[str, Runs]]:
    """The chapter as papermill executes it, with these parameters."""
    here = chapter.Chapter({"profile": "auto", "device": "cpu", "seeds": None} | given)
    return here, here.run("09_made_up", chapter.experiments_of(notebook, **given))


def test_each_experiment_is_shown_at_the_largest_scale_that_is_complete(notebook, store, trained):
    recipes = chapter.experiments_of(notebook)("paper")
    _, runs = open_chapter(notebook)
    assert {name: len(some) for name, some in runs.items()} == {"main": 0, "extra": 0}
    record(store, recipes["main"][:2])
    with pytest.raises(BookError, match=r"'main' 2 of 3 runs are recorded; .* 09_made_up$"):
        open_chapter(notebook)
    record(store, recipes["main"][2:3])
    here, runs = open_chapter(notebook)
    assert [run.recipe for run in runs["main"]] == recipes["main"][:3]
    assert (runs["main"].scale.profile, here.profile) == ("laptop", "laptop")
    record(store, recipes["extra"])
    here, runs = open_chapter(notebook)
    assert {name: some.scale.profile for name, some in runs.items()} == {
        "main": "laptop",
        "extra": "paper",
    }
    assert here.profile == "laptop"  # the smallest
    assert "`main`: laptop" in here.banner(runs)
    record(store, recipes["main"])
    here, runs = open_chapter(notebook)
    assert [run.recipe for run in runs["main"]] == recipes["main"]
    assert (runs["main"].scale.profile, here.profile) == ("paper", "paper")
    assert trained == []


def test_a_profile_that_is_named_is_trained(notebook, store, trained):
    recipes = chapter.experiments_of(notebook)("paper")
    record(store, recipes["main"][:3])
    _, runs = open_chapter(notebook, profile="laptop")
    assert (len(runs["main"]), len(runs["extra"]), trained) == (3, 0, [])
    _, runs = open_chapter(notebook, profile="paper")
    assert trained == [*recipes["main"][3:], *recipes["extra"]]
    assert (runs["main"].scale.profile, runs["extra"].scale.profile) == ("paper", "paper")


def test_what_a_reader_asks_for_is_trained_at_the_laptops_scale(notebook, store, trained):
    record(store, chapter.experiments_of(notebook)("laptop")["main"])
    _, runs = open_chapter(notebook, seeds=2)
    assert (len(runs["main"]), trained) == (2, [])  # a part of what is recorded
    _, runs = open_chapter(notebook, norms=["batch"])
    assert trained == SMALL.but(norm="batch").grid(seed=range(3))
    assert runs["main"].scale.profile == "laptop"
    assert len(runs["extra"]) == 0  # belongs to the paper profile


def test_smoke_is_thin(notebook, store, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "SCRATCH", tmp_path / "scratch")
    here, runs = open_chapter(notebook, profile="smoke")
    assert trained == SMALL.but(epochs=1).grid(seed=range(2))
    assert (runs["main"].scale.profile, here.profile) == ("smoke", "smoke")
    assert not store.root.exists()
    open_chapter(notebook, profile="smoke", seeds=3)
    assert trained[2:] == [SMALL.but(epochs=1, seed=2)]


def test_the_cell_can_be_run_again(notebook, store, trained):
    record(store, chapter.experiments_of(notebook)("laptop")["main"])
    here, first = open_chapter(notebook)
    again = here.run("09_made_up", chapter.experiments_of(notebook))
    assert [len(again[name]) for name in first] == [len(some) for some in first.values()] == [3, 0]
    assert trained == []
