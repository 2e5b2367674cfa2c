"""What a chapter does first: parameters, profile, runs; mistakes are one line."""

import nbformat
import pytest
import torch
from made_up import SMALL, made_up_run
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from bnlib.book import chapter
from bnlib.errors import BookError
from bnlib.recipe import Recipe
from bnlib.records.store import Store

DECLARED = {
    "profile": str,
    "device": str,
    "seeds": int | None,
    "epochs": int | None,
    "fresh": bool,
    "workers": int,
    "learning_rates": list[float],
    "batch_size": int,
}
GOOD = {
    "profile": "smoke",
    "device": "cpu",
    "seeds": 3,
    "epochs": None,
    "fresh": False,
    "workers": 2,
    "learning_rates": [0.1, 1],
    "batch_size": 64,
}


def test_right_parameters_pass():
    assert chapter.check(DECLARED, GOOD) == GOOD


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"learning_rate": 0.1}, ["'learning_rate'", *DECLARED]),
        ({"profile": "huge"}, ["'huge'", "'auto'", "'smoke'", "'laptop'", "'paper'"]),
        ({"device": "gpu"}, ["'gpu'", "'cpu'", "'cuda'", "'mps'"]),
        ({"seeds": 0}, ["seeds=0", "greater than or equal to 1"]),
        ({"seeds": 101}, ["seeds=101", "less than or equal to 100"]),
        ({"seeds": "5"}, ["seeds='5'", "integer"]),
        ({"seeds": 2.0}, ["seeds=2.0", "integer"]),
        ({"epochs": -3}, ["epochs=-3", "1"]),
        ({"workers": 0}, ["workers=0"]),
        ({"workers": None}, ["workers=None", "integer"]),
        ({"fresh": 1}, ["fresh=1", "boolean"]),
        ({"fresh": "True"}, ["fresh='True'", "boolean"]),
        ({"learning_rates": "[0.1]"}, ["learning_rates='[0.1]'", "list"]),
        ({"learning_rates": [0.1, "1e-3"]}, ["learning_rates=", "number"]),
        ({"batch_size": True}, ["batch_size=True", "integer"]),
        ({"profile": "a\nb"}, [r"'a\nb'"]),
    ],
    ids=str,
)
def test_wrong_parameters_are_one_line(given, said):
    with pytest.raises(BookError) as wrong:
        chapter.check(DECLARED, GOOD | given)
    assert "\n" not in str(wrong.value)
    assert [word for word in said if word not in str(wrong.value)] == []


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_an_absent_device_is_one_line(monkeypatch, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(BookError, match=f"^device '{device}' is not there.*'cpu'[^\n]*$"):
        chapter.start({"__annotations__": {"device": str}, "device": device})
    assert chapter.pick_device("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chapter.pick_device("auto") == "cuda"


def notebook_globals(source: str) -> dict:
    names = {"In": [source], "Out": {}, "_dh": ["."], "chapter": chapter}
    exec("__annotations__ = {}\n" + source, names)
    return names


def test_start_checks_the_notebooks_globals():
    names = notebook_globals("profile: str = 'smoke'  # scale\nseeds: int = 2\ndevice: str = 'cpu'")
    here = chapter.start(names)
    assert (here.profile, here.device) == ("smoke", "cpu")
    assert here.parameters == {"profile": "smoke", "seeds": 2, "device": "cpu"}
    names |= {"total": 3}  # made by a later cell
    assert chapter.start(names).parameters == here.parameters  # the cell is run again
    names |= {"seeds": 0}
    with pytest.raises(BookError, match="seeds=0"):
        chapter.start(names)


def test_start_refuses_a_misspelt_parameter():
    names = notebook_globals("profile: str = 'smoke'\nsede = 3")  # as papermill injects it
    with pytest.raises(BookError, match="unknown parameter 'sede'; this chapter takes profile"):
        chapter.start(names)


RECIPES = """\
from bnlib.recipe import Recipe

def experiments(profile):
    count = seeds or {"smoke": 1, "laptop": 3, "paper": 5}[profile]
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


def test_the_profile_shown_is_the_largest_that_is_complete(notebook, tmp_path):
    experiments, store = chapter.experiments_of(notebook), Store(tmp_path / "records")
    assert chapter.largest_complete(experiments, store) == "laptop"  # nothing is recorded
    wanted = experiments("paper")
    for recipe in wanted["main"][:3]:
        store.write("made_up", made_up_run(recipe))
    assert chapter.largest_complete(experiments, store) == "laptop"
    for recipe in wanted["main"][3:] + wanted["extra"][1:]:
        store.write("made_up", made_up_run(recipe))
    assert chapter.largest_complete(experiments, store) == "laptop"  # one is missing
    store.write("made_up", made_up_run(wanted["extra"][0]))
    assert chapter.largest_complete(experiments, store) == "paper"


def test_a_chapter_replays_what_is_recorded(notebook, tmp_path, monkeypatch):
    from bnlib import study

    monkeypatch.setattr(study, "RECORDED", tmp_path / "records")
    monkeypatch.setattr(chapter, "RECORDED", tmp_path / "records")
    store, experiments = Store(tmp_path / "records"), chapter.experiments_of(notebook)
    for recipe in (r for some in experiments("paper").values() for r in some):
        store.write("made_up", made_up_run(recipe))
    here = chapter.Chapter({"device": "cpu"})
    runs = here.run("made_up", experiments)
    assert here.profile == "paper"
    assert [run.recipe for run in runs["extra"]] == experiments("paper")["extra"]


def test_banner_says_what_is_shown():
    one, two = made_up_run(), made_up_run(Recipe(seed=3))
    two.provenance.update(made="2026-02-03T00:00:00+00:00", dirty=True, seconds=3600.0)
    said = chapter.banner({"a": [one, two], "b": [one]}, "laptop", "09_made_up")
    for words in (
        "**Profile `laptop`** · 2 runs, recorded 2026-01-02 to 2026-02-03",
        "a made-up processor (one thread each)",
        "torch 2.14.1",
        "`0123456`, `0123456+`",
        "papermill chapters/09_made_up.ipynb out.ipynb --cwd chapters -p profile laptop",
    ):
        assert words in said
    assert "mean nothing" not in said
    assert "mean nothing" in chapter.banner({"a": [one]}, "smoke", "09_made_up")
