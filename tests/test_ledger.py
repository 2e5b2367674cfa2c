"""The ledger: how claims stand, what is open, how the words changed; on made-up runs."""

import json
import math

import numpy as np
import pytest
from made_up import made_up_run
from scipy import stats

from bnlib.analysis.counts import share
from bnlib.analysis.findings import Estimate, difference, sessions, spread
from bnlib.analysis.learning import RUNNING, accuracy
from bnlib.book import ledger as commands
from bnlib.book.layout import Book
from bnlib.claims import Part, cards, claim, erratum, first_words, plan
from bnlib.claims.arms import NotTested, contrast, need, pick
from bnlib.claims.claim import DATED
from bnlib.claims.judge import AT_LEAST, MORE
from bnlib.claims.ledger import CLAIMS, standing
from bnlib.claims.margins import CIFAR, RATIO, RUNS
from bnlib.recipe import Recipe
from bnlib.records.store import Store
from bnlib.run import Runs

BASE = Recipe(dataset="digits", model="mlp", epochs=2)


def effect(value: float, sd: float = 0.5, n: int = 5, df: int = 32) -> Estimate:
    """Of two arms of ``n`` runs."""
    error = sd * math.sqrt(2 / n)
    return Estimate(value=value, n=(n, n), error=error, df=df, method=f"pooled SD {sd}")


def made_up_claim(id: str, *found, needs=("a",), unit=CIFAR):
    @claim(id, source="a paper", says="more", rule="more", needs=needs)
    def parts(runs):
        return [
            Part(
                "accuracy",
                MORE,
                unit,
                f if callable(f) else lambda how, f=f: f,
                at={"n": f"no. {i}"},
            )
            for i, f in enumerate(found)
        ]

    return parts


def some_runs(n: int = 5, seconds: float = 60.0, made: str = "2026-11-21T07:33:05+00:00") -> Runs:
    runs = [made_up_run(BASE.but(seed=seed)) for seed in range(n)]
    for run in runs:
        run.provenance.update(seconds=seconds, made=made)
    return Runs(runs, "paper")


def judged(*claims, **runs):
    return {"01_made": cards(claims, runs or {"a": some_runs()})}


# How it stands


def test_every_claim_is_in_the_ledger_once():
    ids = [(type(one).__name__, one.id) for some in CLAIMS.values() for one in some]
    assert len(set(ids)) == len(ids)
    assert list(CLAIMS) == [path.stem for path in Book().chapters() if path.stem in CLAIMS]


def test_the_ledger_says_word_size_share_and_holm():
    @erratum("X9", source="a report", says="42 epochs")
    def slip(runs):
        return "It is 6."

    book = judged(
        made_up_claim("X1", effect(5), effect(-5), effect(0.9)),
        made_up_claim("X2", effect(0.7)),
        slip,
    ) | {"02_more": cards([made_up_claim("X3", effect(9))], {})}
    assert standing(book) == [
        "01_made: 4 of 4 testable parts settled (100 %)",
        "  X1 holds in part: no. 0 and no. 2; not no. 1",
        "    accuracy, no. 0: +5.00 points (4.36 to 5.64)",
        "    3 of 3 settled; p 0.0077, survives Holm; post hoc",
        "  X2 holds",
        "    accuracy, no. 0: +0.70 points (0.060 to 1.34)",
        "    1 of 1 settled; p 0.034, survives Holm; post hoc",
        "  errata: X9",
        "02_more: 0 of 0 testable parts settled",
        "  X3 not tested: The experiment “a” is not recorded.",
        "the book: 4 of 4 testable parts settled (100 %)",
        "  holds in part: 1, holds: 1, not tested: 1",
        "  2 of 2 claims with a p survive Holm",
    ]


def test_holm_goes_once_over_the_claims_of_all_chapters():
    alone = judged(made_up_claim("X0", effect(0.72)))
    more = {
        f"0{i}_more": cards([made_up_claim(f"X{i}", effect(0.72))], {"a": some_runs()})
        for i in range(1, 4)
    }
    assert "  1 of 1 claims with a p survive Holm" in standing(alone)
    assert "  0 of 4 claims with a p survive Holm, not X0, X1, X2, X3" in standing(alone | more)


def test_missing_runs_failed_needs_and_flags_are_told():
    def missing(how):
        raise NotTested("There is no run with lr 7.")

    def rises(how):
        need(False, "a test loss that rises")

    def turns(how):
        return effect(5 if how != RUNNING else -5)

    lines = standing(judged(made_up_claim("X", turns, missing, rises)))
    assert lines[0] == "01_made: 1 of 1 testable parts settled (100 %), 1 more not tested"
    assert lines[1] == "  X holds: 1 part untestable here; 1 part not tested"
    assert "    accuracy, no. 0 turns with running averages: the reverse" in lines


# What counts as a new seed


@pytest.mark.parametrize(("made", "repeats"), [
    ("2026-11-21T07:33:05+00:00", ""),
    ("2026-11-21T08:00:01+00:00", "yes"),
])  # fmt: skip
def test_a_claim_repeats_on_runs_that_had_not_been_looked_at(made, repeats):
    @claim("X", source="s", says="s", rule="r", needs=["a"])
    def better(runs):
        def find(how):
            arms = (pick(runs["a"], norm=norm) for norm in ("batch", "none"))
            return contrast(*arms, accuracy, how, runs)

        return [Part("accuracy", MORE, CIFAR, find)]

    def arm(norm, middle, seeds, made):
        runs = [made_up_run(BASE.but(norm=norm, seed=s), middle + 0.001 * (s % 3)) for s in seeds]
        for run in runs:
            run.provenance["made"] = made
            run.summary["test_acc_precise"] = run.summary["test_acc"]
        return runs

    old = [arm(norm, a, range(5), "2026-11-21T07:33:05+00:00") for norm, a in
           (("batch", 0.9), ("none", 0.8))]  # fmt: skip
    new = [arm(norm, a, range(5, 10), made) for norm, a in (("batch", 0.9), ("none", 0.8))]
    (card,) = cards([better], {"a": Runs(run for runs in (*old, *new) for run in runs)})
    assert card.word == "holds"
    assert card.post_hoc
    assert card.repeated == repeats
    assert better.dated == DATED


# The plan


def wants(*claims, budget=math.inf, **runs):
    book = judged(*claims, **runs)
    return plan.wants(book, {"01_made": runs or {"a": some_runs()}}, budget)


def test_seeds_wanted_follow_from_the_spread_alone():
    for value in (0.0, 0.4, 0.8):
        (want,) = wants(made_up_claim("X", effect(value, sd=1.3, n=4)))
        t = stats.t.ppf(0.975, 32)
        assert want.wanted == math.ceil((t * 1.3 * math.sqrt(2) / 1.0) ** 2)
        assert want.sd == pytest.approx(1.3)
        assert want.half == pytest.approx(t * 1.3 * math.sqrt(2 / 4))
        assert want.minutes == 2 * (want.wanted - 4)  # two arms, a minute a run


def test_the_spread_is_the_pooled_one_of_the_kind():
    arms = np.random.default_rng(5).normal(0, 2, (6, 3))
    kind = spread(arms)
    (want,) = wants(made_up_claim("X", difference(arms[0], arms[1], kind)))
    assert want.sd == pytest.approx(kind.sd)


def test_arms_of_different_size_are_filled_up_to_the_same():
    found = Estimate(value=0.5, n=(3, 6), error=1.0, df=7, method="")
    (want,) = wants(made_up_claim("X", found))
    assert want.minutes == 2 * want.seeds - 9


def test_the_most_settled_for_the_time_comes_first_and_what_costs_too_much_last():
    slow, quick = made_up_claim("X1", effect(0.5, 2)), made_up_claim("X2", effect(0.5, 1.5))
    wild = made_up_claim("X3", effect(0.5, 9))
    found = wants(wild, slow, quick, budget=3600)
    assert [want.card.claim.id for want in found] == ["X2", "X1", "X3"]
    assert [want.capped for want in found] == [False, False, True]
    assert found[2].seeds == 5 + 30  # an hour of two arms, a minute a run
    assert found[2].wanted > 600


def test_a_part_without_an_interval_wants_five_seeds():
    few = difference(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    (want,) = wants(made_up_claim("X", few))
    assert (want.wanted, want.minutes) == (5, 6)


def test_settled_parts_and_those_without_a_number_are_not_planned():
    close, count = effect(1.0, 0.1), share([True, False] * 3)

    @claim("X4", source="s", says="s", rule="r", needs=["a"])
    def half(runs):
        return [Part("runs", AT_LEAST, RUNS, lambda how: count, bound=0.5)]

    def missing(how):
        raise NotTested("There is no run with lr 7.")

    claims = (
        made_up_claim("X1", effect(5)),
        made_up_claim("X2", effect(0.9, 0.3, n=3), needs=()),
        made_up_claim("X3", missing),
        half,
    )
    assert close.interval()[0] > 0
    book = judged(*claims)
    lines = list(plan.lines(book, wants(*claims), {"01_made": "paper"}))
    assert lines == [
        "not planned: X3 accuracy, no. 0: not tested: There is no run with lr 7.",
        "not planned: X4 runs: open: exact binomial, 3 of 6 runs",
    ]


def test_a_count_of_few_runs_wants_five_seeds_and_a_timing_none():
    @claim("X", source="s", says="s", rule="r", needs=["a"])
    def counted(runs):
        timed = sessions([np.array([0.9, 1.0, 1.2])])
        return [
            Part("runs", AT_LEAST, RUNS, lambda how: share([True] * 3), bound=0.5),
            Part("time", MORE, CIFAR, lambda how: timed),
        ]

    book, found = judged(counted), wants(counted)
    assert list(plan.lines(book, found, {"01_made": "paper"})) == [
        "X runs",
        "  3 of 3 runs at n = 3 wants 5 seeds: 2 minutes",
        "seeds in the recipes of 01_made: a 5; then",
        "  python -m bnlib record --profile paper --chapters 01_made",
    ]


def test_the_plan_names_numbers_and_the_command():
    claims = (
        made_up_claim("X1", effect(0.5, 1.3, n=4)),
        made_up_claim("X2", effect(0.1, 0.5, n=4), unit=RATIO, needs=("a", "b")),
        made_up_claim("X3", effect(0.1, 9, n=4), needs=("b",)),
    )
    runs = {"a": some_runs(), "b": some_runs(seconds=120)}
    book = judged(*claims, **runs)
    found = plan.wants(book, {"01_made": runs}, 3600)
    lines = list(plan.lines(book, found, {"01_made": "laptop"}))
    assert lines == [
        "X1 accuracy, no. 0",
        "  SD 1.3, now ± 1.9 points at n = 4; margin 1 wants 15 seeds: 22 minutes",
        "X2 accuracy, no. 0",
        "  SD 0.5, now ± 0.72 log₂ at n = 4; margin 0.32 wants 21 seeds: 51 minutes",
        "X3 accuracy, no. 0",
        "  SD 9, now ± 13 points at n = 4; margin 1 wants 673 seeds, the budget pays 19: "
        "60 minutes",
        "seeds in the recipes of 01_made: a 21, b 21; then",  # not what the budget cannot pay
        "  python -m bnlib record --profile laptop --chapters 01_made",
    ]


# From the records of a book


RECIPES = """
from bnlib.recipe import Recipe
def experiments(profile):
    base = Recipe(dataset="digits", model="mlp", epochs=2 if profile == "laptop" else 3)
    n = {"laptop": 3, "paper": 5}[profile]
    both = {"norm": ("none", "batch"), "seed": range(n)}
    return {"main": base.grid(**both), "other": base.but(lr=1.0).grid(**both), "none": []}
"""


@pytest.fixture
def small_book(tmp_path):
    (tmp_path / "_toc.yml").write_text("root: chapters/01_made\n")
    (tmp_path / "chapters").mkdir()
    cell = {"cell_type": "code", "metadata": {"tags": ["recipes"]}, "source": RECIPES}
    (tmp_path / "chapters" / "01_made.ipynb").write_text(json.dumps({"cells": [cell]}))
    return Book(tmp_path)


def record(root, *recipes, gain=0.0, scatter=0.004):
    for recipe in recipes:
        acc = 0.5 + scatter * (recipe.seed % 3) + gain * (recipe.norm == "batch")
        run = made_up_run(recipe, acc)
        run.summary["test_acc_precise"] = acc
        Store(root).write("made", run)


def recipes(book: Book, name: str, profile: str):
    experiments = commands.experiments_of(book.root / "chapters" / "01_made.ipynb")
    return experiments(profile)[name]


def test_what_is_recorded_is_found_and_the_larger_profile_preferred(small_book, tmp_path):
    root = tmp_path / "records"
    experiments = commands.experiments_of(small_book.root / "chapters" / "01_made.ipynb")

    def found():
        runs, profile = commands.recorded(experiments, Store(root))
        return {name: len(some) for name, some in runs.items()}, profile

    assert found() == ({}, "paper")
    record(root, *recipes(small_book, "main", "laptop"))
    assert found() == ({"main": 6}, "laptop")
    record(root, *recipes(small_book, "main", "paper")[:9])
    assert found() == ({"main": 6}, "laptop")  # one of ten is missing
    record(root, *recipes(small_book, "main", "paper"))
    assert found() == ({"main": 10}, "paper")
    record(root, *recipes(small_book, "other", "laptop")[:4])
    assert found() == ({"main": 10, "other": 4}, "laptop")


@claim("X1", source="s", says="BN is better", rule="it is more", needs=["main"])
def better(runs):
    def gain(name):
        def find(how):
            batch, none = (pick(runs[name], norm=norm) for norm in ("batch", "none"))
            return contrast(batch, none, accuracy, how, runs)

        return find

    return [
        Part("accuracy", MORE, CIFAR, gain(name), at={"where": name}) for name in ("main", "other")
    ]


def test_the_commands_print_the_ledger_and_the_plan(small_book, tmp_path, monkeypatch, capsys):
    root = tmp_path / "records"
    monkeypatch.setattr(commands, "CLAIMS", {"01_made": (better,)})
    record(root, *recipes(small_book, "main", "paper"), gain=0.05)
    commands.verdicts([], small_book, root)
    said = capsys.readouterr().out
    assert "  X1 holds: 1 part not tested\n    accuracy, main: +5.00 points" in said
    assert "the book: 1 of 1 testable parts settled (100 %), 1 more not tested" in said
    record(root, *recipes(small_book, "other", "laptop"), scatter=0.01)
    commands.plan(["1"], 60, small_book, root)
    said = capsys.readouterr().out
    assert said.startswith(
        "X1 accuracy, other\n  SD 1, now ± 2.3 points at n = 3; margin 1 wants 16 seeds"
    )
    assert "python -m bnlib record --profile laptop --chapters 01_made" in said
    commands.verdicts(["1"], small_book, root)
    assert "X1 holds, 1 of 2 settled (indicative)" in capsys.readouterr().out


def test_nothing_open_is_said(small_book, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(commands, "CLAIMS", {})
    commands.plan([], 60, small_book, tmp_path)
    assert capsys.readouterr().out == "Nothing is open.\n"


def test_the_numbers_of_the_identities_are_computed():
    (errors,) = commands.computed("02_batchnorm").values()
    assert set(errors) == {0.0, 1e-5}
    assert commands.computed("03_lenet") == {}


# Old words and new


def test_old_words_are_the_first_schemes():
    words = [word for word, _ in first_words.WORDS.values()]
    assert {word: words.count(word) for word in words} == {
        "mixed": 16,
        "contradicted": 5,
        "inconclusive": 2,
    }


def test_a_row_for_each_claim_in_a_table_of_few_columns():
    def one(key):
        if key.endswith("*"):
            return erratum(key.rstrip("*"), source="s", says="s")(lambda runs: "It is 6.")
        sides = (5, -5) if key == "S0.1" else (5,)
        return made_up_claim(key, *(effect(side) for side in sides))

    rows = first_words.changed(judged(*map(one, first_words.WORDS)))
    assert len(rows) == 23
    assert rows[0][:3] == ("S0.7", "contradicted", "erratum")
    (first,) = (row for row in rows if row[0] == "S0.1")
    assert first[1:3] == ("mixed", "holds in part: no. 0; not no. 1")
    lines = first_words.table(rows).splitlines()
    assert len(lines) == 25
    assert {line.count("|") for line in lines} == {5}
