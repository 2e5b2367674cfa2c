"""The store gives back what it was given, or names what is wrong with it."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up import SMALL, made_up_run, without_time

from bnlib.errors import BookError
from bnlib.recipe import Recipe, Timing
from bnlib.records.store import Store, problems, read
from bnlib.run import Run
from bnlib.training.together import train


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "records")


def refused(path) -> str:
    """The one line that the record at ``path`` is refused with."""
    with pytest.raises(BookError) as wrong:
        read(path)
    message = str(wrong.value)
    assert "\n" not in message
    assert path.stem in message
    return message


def to_six_digits(value):
    return value if value is None else pytest.approx(value, rel=5e-6, abs=0)


def test_a_trained_run_comes_back(store):
    run = train(SMALL.but(norm="batch", probes=("affine", "predictions", "unit_inputs"), seed=5))
    path = store.write("one", run)
    assert path == store.root / "one" / f"{run.recipe.id}.json"
    back = Store(store.root).find(run.recipe)
    assert back.recipe == run.recipe
    assert back.provenance["data"] == run.provenance["data"]
    for column, row in run.history.items():
        assert back.history[column] == [to_six_digits(v) for v in row]
    assert back.summary["test_acc"] == to_six_digits(run.summary["test_acc"])
    assert back.summary["steps"] == run.summary["steps"]
    assert back.arrays.keys() == run.arrays.keys()
    for name, array in run.arrays.items():
        assert back.arrays[name].dtype == array.dtype
        assert np.array_equal(back.arrays[name], array)
    assert path.stat().st_size + path.with_suffix(".npz").stat().st_size < 100_000
    assert problems(store) == []
    # what is read back and written again is the same to the last byte
    before = path.read_bytes()
    store.write("one", back)
    assert path.read_bytes() == before


@given(lr=st.floats(1e-9, 1e9), std=st.floats(1e-6, 1e3), seed=st.integers(0, 2**62))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_recipe_comes_back(store, lr, std, seed):
    recipe = SMALL.but(lr=lr, init="normal", init_std=std, seed=seed)
    for made in (recipe, Timing(recipe=recipe, repeats=6)):
        run = made_up_run(recipe)
        store.write("one", Run(made, run.history, run.summary, run.provenance))
        assert store.find(made).recipe == made


def test_nothing_and_infinities_come_back(store):
    run = made_up_run()
    run.history["train_loss"][:] = [None, 1e-30]
    run.summary.update(diverged=True, test_loss=None, class_acc=[0.5, None])
    store.write("one", run)
    back = store.find(run.recipe)
    assert back.history["train_loss"] == [None, 1e-30]
    assert back.summary == run.summary
    assert Store(store.root).paths == store.paths


def test_a_timing_is_a_record_too(store):
    timing = Timing(recipe=SMALL)
    run = made_up_run()
    path = store.write("one", Run(timing, run.history, {"diverged": False}, run.provenance))
    assert read(path).recipe == timing
    assert SMALL not in store
    assert timing in store


@pytest.fixture
def record(store):
    """A record with arrays."""
    return store.write("one", made_up_run(values=np.linspace(0, 1, 9) ** 2, text=np.arange(3)))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 10**9), flip=st.integers(1, 255), arrays=st.booleans())
def test_any_flipped_byte_is_named_or_means_the_same(record, place, flip, arrays):
    whole = read(record)
    file = record.with_suffix(".npz") if arrays else record
    original = file.read_bytes()
    damaged = bytearray(original)
    damaged[place % len(damaged)] ^= flip
    file.write_bytes(damaged)
    try:
        found = read(record)
    except BookError:
        refused(record)
    else:  # white space, or 1e-05 as 1E-05
        assert not arrays
        assert without_time(found) == without_time(whole)
        assert found.provenance == whole.provenance
    finally:
        file.write_bytes(original)


@pytest.mark.parametrize("keep", [0, 1, 100, -2])
def test_a_truncated_record_is_named(record, keep):
    record.write_bytes(record.read_bytes()[:keep])
    assert "damaged" in refused(record)


def edit(path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["summary"].update(test_acc=0.99),
        lambda c: c["history"]["train_loss"].append(0.1),
        lambda c: c["provenance"].update(commit="another"),
        lambda c: c["recipe"].update(seed=77),
        lambda c: c["recipe"].update(dropout=0.5),  # a recipe of another version of the book
        lambda c: c["recipe"].update(norm="layer"),
        lambda c: c.update(kind="Other"),
        lambda c: c.update(kind="Timing"),
        lambda c: c.pop("checksum"),
        lambda c: c.pop("history"),
        lambda c: c.pop("arrays"),
        lambda c: c.update(recipe=[1, 2]),
        lambda c: c.update(recipe="text"),
    ],
)
def test_an_edited_record_is_named(record, change):
    edit(record, change)
    refused(record)
    (said,) = problems(Store(record.parents[1]))
    assert record.stem in said


def test_a_record_that_is_no_object_is_named(record):
    record.write_text("[1, 2, 3]\n")
    refused(record)


def test_a_missing_or_foreign_array_file_is_named(record):
    other = made_up_run(SMALL.but(seed=1), values=np.zeros(3))
    store = Store(record.parents[1])
    shutil.copy(store.write("one", other).with_suffix(".npz"), record.with_suffix(".npz"))
    assert "checksum" in refused(record)
    record.with_suffix(".npz").unlink()
    assert "missing" in refused(record)


def test_a_renamed_record_is_named(record):
    other = record.with_name("0123456789ab.json")
    record.rename(other)
    record.with_suffix(".npz").rename(other.with_suffix(".npz"))
    assert made_up_run().recipe.id in refused(other)


def test_leftovers_and_repeats_are_problems(record):
    part = record.with_name(record.name + "x1.part")
    part.write_text("{")
    lonely = record.with_name("0123456789ab.npz")
    lonely.write_bytes(b"")
    store = Store(record.parents[1])
    assert len(store) == 1
    store.write("two", read(record))
    found = problems(store)
    assert len(found) == 3
    for words in ((str(part), "killed"), (str(lonely), "no record"), ("two", "repeats")):
        assert any(all(word in line for word in words) for line in found), words


def test_a_recipe_is_found_in_whatever_study(store):
    store.write("first", made_up_run())
    again = Store(store.root)
    assert made_up_run().recipe in again
    assert Recipe() not in again
    assert again.find(made_up_run().recipe).summary["test_acc"] == 0.5
    assert [run.recipe for run in again] == [made_up_run().recipe]


def test_a_new_protocol_loses_no_record_and_prefers_the_newest(tmp_path):
    store = Store(tmp_path)
    old, new = made_up_run(test_acc=0.1), made_up_run(test_acc=0.2)
    old.provenance["protocol"] = 1
    first = store.write("one", old)
    assert SMALL in store
    assert store.find(SMALL).summary["test_acc"] == 0.1
    second = store.write("two", new)
    assert first != second
    for again in (store, Store(tmp_path)):
        assert again.find(SMALL).summary["test_acc"] == 0.2
        assert again.path_of(SMALL) == second
    del old.provenance["protocol"]  # the first records of timings named none
    assert store.write("one", old) == first
    assert problems(store) == []
    second.unlink()
    assert Store(tmp_path).find(SMALL).summary["test_acc"] == 0.1
    unknown = made_up_run(SMALL.but(seed=1))
    unknown.provenance["protocol"] = 99  # of a code that is not this one
    store.write("one", unknown)
    assert SMALL.but(seed=1) not in store
