"""Whatever is given as a parameter: a study that is valid, or one line, and never a training."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlib.book import chapter, parameters
from bnlib.book.layout import ROOT, Book
from bnlib.book.parameters import asked, declared, value
from bnlib.errors import BookError
from bnlib.recipe import Frozen

BOOK = Book()
CHAPTERS = BOOK.chapters()
DECLARED = {path: declared(BOOK, path) for path in CHAPTERS}
NAMES = sorted({name for known in DECLARED.values() for name in known})

LITERALS = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 300),
        st.floats(allow_nan=True),
        st.complex_numbers(),
        st.binary(max_size=3),
        st.text(max_size=8),
        st.just(...),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=2),
    ),
    max_leaves=4,
).map(repr)
WORDS = st.sampled_from([
    *("smoke", "laptop", "paper", "auto", "cpu", "cuda:7", "mps", "torch", "digits", "xavier"),
    *("{[]: 1}", "{1, 2}", "b'x'", "1j", "...", "1e999", "[1e999]", "[100.0]", "[]", "[0.1", "{}"),
    *("(" * 300, "9" * 5000, "x" * 400, "é" * 200, "../../x", "a\nb", "\x00", "\udc80", "\\"),
])  # fmt: skip
TEXTS = st.one_of(LITERALS, WORDS, st.text(max_size=40))


def valid(experiments) -> bool:
    recipes = [recipe for some in experiments.values() for recipe in some]
    return all(isinstance(recipe, Frozen) for recipe in recipes)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(CHAPTERS), st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=2))
def test_a_value_makes_a_valid_study_or_one_line(path, texts):
    said, given, experiments = "", {}, {}
    try:
        given, experiments = asked(BOOK, path, texts)
    except BookError as wrong:
        said = str(wrong)
    assert "\n" not in said
    if not said:
        assert given.keys() == texts.keys()
        assert valid(experiments)
        json.dumps(given, allow_nan=False)  # as the notebook gets it


def test_nothing_is_given_only_where_the_chapter_allows_it():
    with pytest.raises(BookError, match="seeds=None: input should be a valid integer"):
        asked(BOOK, next(path for path in CHAPTERS if "02_" in path.name), {"seeds": "None"})
    asked(BOOK, next(path for path in CHAPTERS if "03_" in path.name), {"seeds": "None"})


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20), TEXTS)
def test_a_name_is_one_that_the_chapter_declares(name, text):
    path = CHAPTERS[0]
    if name in DECLARED[path]:
        return
    with pytest.raises(BookError, match="has no parameter") as wrong:
        asked(BOOK, path, {name: text})
    assert "\n" not in str(wrong.value)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=3))
def test_the_file_of_a_run_has_a_name_that_every_disk_takes(texts):
    name = parameters._name("03_lenet", texts)
    assert len(name.encode()) <= 140
    assert name.startswith("03_lenet")
    assert not set(name) & set('/\\:*?"<>|\n\x00')


def test_long_values_get_names_of_their_own():
    names = {parameters._name("03_lenet", {"dataset": "x" * 300 + end}) for end in "abc"}
    assert len(names) == 3


@pytest.mark.parametrize("text", ["{[]: 1}", "{1, 2}", "b'x'", "1j", "...", "1e999", "[nan]"])
def test_what_json_does_not_know_stays_text(text):
    assert value(text) == text


# Through papermill's own -p: it puts a cell behind the one that declares the parameters

OURS = "profile: str = 'smoke'  # the scale\nseeds: int | None = None\n"
CELL = "from bnlib.book import chapter\nhere = chapter.start(globals())"


def injected(monkeypatch, cell: str, **names) -> chapter.Chapter:
    """``chapter.start`` in a notebook whose second cell papermill has written."""
    history = ["", OURS, f"# Parameters\n{cell}", CELL]
    monkeypatch.setattr(chapter, "_executed", lambda: history)
    found: dict = {}
    exec("__annotations__ = {}\n" + OURS + cell, found)
    return chapter.start(found | names)


@pytest.mark.parametrize(
    "cell",
    [
        "_parameters_checked = True\nseedz = 9",
        "seedz = 9\n_parameters_checked = True",
        "__annotations__ = 'x'",
        "__annotations__ = {'seedz': int}\nseedz = 9",
        "seedz = 9",
        "_seeds = 9",
        "In = 5",
        "Out = 'x'",
        "get_ipython = 3",
        "torch = 1",
        "chapter = None",
        "here = 2",
        "print = 'x'",
        "__name__ = 'x'",
        "experiments = []",
    ],
)
def test_papermill_can_set_only_what_is_declared(monkeypatch, cell):
    # names that a later import overwrites are refused as well
    hidden = {"torch": json, "chapter": chapter, "here": None}
    with pytest.raises(BookError, match="unknown parameter") as wrong:
        injected(monkeypatch, cell, **{k: v for k, v in hidden.items() if f"{k} =" in cell})
    assert "\n" not in str(wrong.value)


def test_papermill_sets_what_is_declared(monkeypatch):
    assert injected(monkeypatch, "seeds = 3").parameters == {"profile": "smoke", "seeds": 3}
    with pytest.raises(BookError, match="parameter seeds='3': input should be a valid integer"):
        injected(monkeypatch, "seeds = '3'")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "unknown"),
    [
        (("_parameters_checked", "True", "seedz", "9"), "_parameters_checked"),
        (("__annotations__", "x"), "__annotations__"),
        (("torch", "5"), "torch"),
    ],
)
def test_bare_papermill_ends_in_one_line(tmp_path, names, unknown):
    options = ["--cwd", "chapters", "--no-progress-bar", "--log-level", "ERROR"]
    for name, text in zip(names[::2], names[1::2], strict=True):
        options += ["-p", name, text]
    source, target = "chapters/03_lenet.ipynb", str(tmp_path / "out.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "papermill", source, target, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    last = [line for line in done.stderr.splitlines() if line.strip()][-1]
    assert f"unknown parameter '{unknown}'" in last
    assert "Traceback" not in done.stderr
