"""A study replays what is recorded, trains what is missing, and keeps to its budget."""

import json

import pytest
from made_up import SMALL, made_up_run, without_time

from bnlib import data, study
from bnlib.errors import BookError, NoData
from bnlib.recipe import Timing
from bnlib.records.store import Store
from bnlib.study import Study, Unfinished
from bnlib.training import together as training

RECIPES = [SMALL.but(seed=seed, epochs=1) for seed in range(3)]


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The three places for records, all empty."""
    for name in ("RECORDED", "SCRATCH", "FRESH"):
        monkeypatch.setattr(study, name, tmp_path / name.lower())
    return tmp_path


@pytest.fixture
def trained(monkeypatch):
    """The recipes that were trained, each in no time."""
    seen = []

    def together(recipes, device, k, code=None):
        for recipe in recipes:
            seen.append(recipe)
            yield made_up_run(recipe)

    monkeypatch.setattr(training, "together", together)
    return seen


def files(root) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_trains_what_is_missing_once_and_replays_it(places, trained):
    experiments = {"some": RECIPES[:2], "all": [*RECIPES, RECIPES[0]]}
    runs = Study("one", "paper").run(experiments)
    assert trained == RECIPES
    assert [run.recipe for run in runs["all"]] == [*RECIPES, RECIPES[0]]
    assert len(files(places)) == 3
    again = Study("one", "paper").run(experiments)
    assert trained == RECIPES
    for name in experiments:
        for one, other in zip(runs[name], again[name], strict=True):
            assert without_time(one) == without_time(other)


def test_what_a_study_returns_is_read_back_from_the_disk(places):
    live = Study("one", "laptop").run({"a": RECIPES[:1]})["a"][0]
    (path,) = places.rglob("*.json")
    assert live.history == json.loads(path.read_text())["history"]


def test_replaying_trains_nothing(places, trained, monkeypatch):
    Study("one", "laptop").run({"a": RECIPES})
    monkeypatch.setattr(training, "train", None)  # calling it would fail
    assert len(Study("one", "laptop").run({"a": RECIPES})["a"]) == 3


def test_a_recipe_that_two_studies_share_is_trained_once(places, trained):
    Study("one", "paper").run({"a": RECIPES[:2]})
    Study("two", "paper").run({"b": RECIPES})
    assert trained == RECIPES
    assert sorted(path.parent.name for path in places.rglob("*.json")) == ["one", "one", "two"]


def test_a_damaged_record_is_named_and_not_used(places, trained):
    Study("one", "paper").run({"a": RECIPES})
    path = next(places.rglob("*.json"))
    path.write_text(path.read_text().replace('"epochs": 1', '"epochs": 2'))
    with pytest.raises(BookError, match=path.stem):
        Study("one", "paper").run({"a": RECIPES})
    assert trained == RECIPES


def test_smoke_runs_go_to_the_scratch_place(places, trained):
    Study("one", "smoke").run({"a": RECIPES})
    assert {path.split("/")[0] for path in files(places)} == {"scratch"}


def test_fresh_trains_again_and_leaves_the_records_alone(places, trained):
    Study("one", "paper").run({"a": RECIPES})
    before = files(places / "recorded")
    for round_ in (2, 3):
        again = Study("one", "paper", fresh=True)
        assert again.missing(RECIPES) == RECIPES
        again.run({"a": RECIPES})
        again.run({"a": RECIPES})  # the same study replays its own
        assert trained == RECIPES * round_
    assert files(places / "recorded") == before
    assert len(files(places / "fresh")) == 3


@pytest.fixture
def clock(monkeypatch, trained):
    """A clock that a made-up training moves on by 10 seconds."""
    now = [0.0]
    monkeypatch.setattr(study.time, "monotonic", lambda: now[0])
    together = training.together

    def slow(recipes, device, k, code=None):
        for run in together(recipes, device, k):
            now[0] += 10
            run.provenance["seconds"] = 10.0
            yield run

    monkeypatch.setattr(training, "together", slow)
    return now


@pytest.mark.parametrize(("budget", "done"), [(15, 1), (20, 2), (29.9, 2), (30, 3), (1000, 3)])
def test_no_run_starts_that_would_pass_the_budget(places, clock, trained, budget, done):
    limited = Study("one", "paper", budget=budget)
    if done == 3:
        limited.run({"a": RECIPES})
    else:
        with pytest.raises(Unfinished) as end:
            limited.run({"a": RECIPES})
        assert "\n" not in str(end.value)
        assert f"{done} runs recorded" in str(end.value)
        assert f"{3 - done} left" in str(end.value)
    assert trained == RECIPES[:done]
    Study("one", "paper", budget=1000).run({"a": RECIPES})  # a later call goes on
    assert trained == RECIPES


def test_timings_come_last_and_are_recorded(places, trained, monkeypatch):
    from bnlib.training import timing as timings

    def measure(timing, code=None):
        assert trained == RECIPES
        return study.Run(timing, {}, {"diverged": False}, made_up_run().provenance)

    monkeypatch.setattr(timings, "measure", measure)
    timing = Timing(recipe=SMALL)
    runs = Study("one", "paper").run({"time": [timing], "a": RECIPES})
    assert runs["time"][0].recipe == timing
    assert timing in Store(places / "recorded")


@pytest.mark.slow
def test_two_workers_give_the_same_records_as_one(places):
    recipes = [r.but(norm="batch", probes=("affine", "predictions")) for r in RECIPES]
    one = Study("one", "paper", workers=1, root=places / "a").run({"a": recipes})["a"]
    two = Study("one", "paper", workers=2, root=places / "b").run({"a": recipes})["a"]
    for alone, side_by_side in zip(one, two, strict=True):
        assert without_time(alone) == without_time(side_by_side)
        assert alone.provenance.keys() == side_by_side.provenance.keys()


@pytest.mark.slow
def test_workers_keep_to_the_budget_and_tell_our_errors(places):
    with pytest.raises(Unfinished):
        Study("one", "paper", workers=2, budget=0.01).run({"a": RECIPES * 2})
    assert len(Store(places / "recorded")) < 3
    with pytest.raises(BookError, match="batch_size 5000"):
        Study("one", "paper", workers=2).run({"a": [SMALL.but(batch_size=5000)]})


def test_a_timing_that_this_machine_cannot_make_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    study = Study("s", "paper", root=tmp_path)
    with pytest.raises(BookError, match="device 'cuda'"):
        study.train([SMALL, Timing(recipe=SMALL, device="cuda")])
    assert list(tmp_path.rglob("*.json")) == []


SVHN = [SMALL.but(dataset="svhn", image_size=32, seed=seed) for seed in range(2)]


@pytest.fixture
def no_svhn(monkeypatch):
    """A machine that has every data set but one, and no network."""

    def absent(datasets):
        return {name: f"data set {name!r} is missing" for name in datasets if name == "svhn"}

    monkeypatch.setattr(data, "absent", absent)


def test_runs_whose_data_set_is_missing_wait_and_the_others_are_made(places, trained, no_svhn):
    here = Study("one", "laptop")
    with pytest.raises(NoData, match="one: 2 runs could not be made: data set 'svhn' is missing"):
        here.train([*SVHN, *RECIPES])
    assert trained == RECIPES


def test_a_chapter_stands_without_them(places, trained, no_svhn, capsys):
    runs = Study("one", "laptop").run({"main": RECIPES, "other": SVHN, "empty": []})
    assert [len(some) for some in runs.values()] == [3, 0, 0]
    assert "not recorded: other. one: 2 runs could not be made" in capsys.readouterr().err


def test_but_not_without_what_it_turns_on(places, trained, no_svhn):
    with pytest.raises(NoData):
        Study("one", "laptop").run({"empty": [], "main": SVHN, "other": RECIPES})


def test_a_data_set_that_cannot_be_had_is_named(monkeypatch):
    def read(dataset):
        raise NoData(f"no {dataset}")

    monkeypatch.setattr(data.vision, "_read", read)
    assert data.absent(["digits", "svhn", "mnist"]) == {"svhn": "no svhn", "mnist": "no mnist"}
