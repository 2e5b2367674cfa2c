"""The claims on the loss landscape on made-up runs whose truth is known."""

import numpy as np
import pytest
from vgg_runs import (
    RATES,
    SWEEP,
    card,
    flipped,
    landscape_runs,
    leaves,
    separate_runs,
    sweep_runs,
    without,
    words,
)

from bnlib.claims.landscape import LANDSCAPE
from bnlib.run import Runs

pytestmark = pytest.mark.filterwarnings("error")
YES, SMALL, REVERSE, NONE = "yes", "yes, perhaps small", "the reverse", "no difference"
UNTESTABLE, NOT_TESTED = "untestable here", "not tested"
WIDE, NARROW = SWEEP, SWEEP[2:5]


def test_the_page_judges_every_claim():
    assert [claim.id for claim in LANDSCAPE] == ["S3.27", "S3.28", "S4.32"]


# S3.27


def three_things(**changes) -> dict[str, Runs]:
    given = {"band": 1, "spread": 1, "falls": 0.5, "sooner": 1, "batch": WIDE, "none": NARROW}
    given |= changes
    return {
        "separate": separate_runs(given["band"], given["falls"], given["sooner"]),
        "landscape": landscape_runs(given["spread"], given["spread"]),
        "sweep": sweep_runs(given["batch"], given["none"], given.get("precise")),
    }


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, [YES] * 5),
    ({"band": -1, "spread": -1, "falls": -0.5, "sooner": -1, "batch": (0.1,)}, [REVERSE] * 5),
    ({"band": 0, "spread": 0, "falls": 0, "sooner": 0, "none": WIDE}, [NONE] * 3 + ["open"] * 2),
    ({"band": -1}, [REVERSE] + [YES] * 4),
    ({"spread": -1}, [YES, REVERSE, YES, YES, YES]),
    ({"band": 0.2, "spread": 0.2, "falls": 0.03}, [SMALL] * 3 + [YES] * 2),
])  # fmt: skip
def test_narrower_faster_wider(changes, expected):
    changes = {"none": WIDE} | changes if changes.get("batch") == (0.1,) else changes
    assert words("S3.27", **three_things(**changes)) == expected


def test_flipping_the_arms_flips_the_words():
    runs = three_things()
    turned = {name: flipped(runs[name]) for name in ("separate", "landscape")}
    assert words("S3.27", **turned)[:4] == [REVERSE] * 4
    sweep = flipped(sweep_runs(WIDE, NARROW, plain=0.79))
    assert words("S3.27", **turned, sweep=sweep)[4] == REVERSE


def test_its_factors_by_hand():
    answers = card("S3.27", **three_things(band=3, spread=2)).answers
    assert [a.finding.value for a in answers][:3] == pytest.approx([3, 2, 0.5], abs=0.05)


def test_a_better_batch_norm_does_not_narrow_its_range():
    """All rates beat the best plain run; one of them is far better than the others."""
    runs = sweep_runs(WIDE, NARROW)
    for run in runs.where(norm="batch", lr=0.1):
        run.summary.update(val_acc=0.99, val_acc_precise=0.99)
    answer = card("S3.27", **three_things() | {"sweep": runs}).answers[4]
    assert (answer.word, answer.size) == (YES, "42 of 42 against 18 of 42 runs")
    assert answer.finding.note == "7 rates; 59.0 % of the validation images"


def test_the_range_is_asked_under_the_evaluation_judged_by():
    answer = card("S3.27", **three_things(batch=(0.1,), precise=WIDE)).answers[4]
    assert (answer.word, answer.flag) == (YES, "turns with running averages: the reverse")


@pytest.mark.parametrize(("change", "place", "said"), [
    ({"sweep": sweep_runs(WIDE, NARROW).where(lr=0.1)}, 4, "a sweep of learning rates"),
    ({"sweep": sweep_runs(WIDE, NARROW, plain=0.19)}, 4, "norm that learns at one of the rates"),
    ({"separate": separate_runs(1, 1, 1).where(lr=0.001)}, 0, "at several learning rates"),
])  # fmt: skip
def test_a_need_that_fails_leaves_the_other_parts(change, place, said):
    answers = card("S3.27", **three_things() | change).answers
    assert [a.word for a in answers] == [UNTESTABLE if i == place else YES for i in range(5)]
    assert said in answers[place].why


def test_a_run_that_diverges_leaves_no_band_and_no_loss():
    runs = three_things()
    run = runs["separate"].where(norm="none", lr=0.002)[0]
    run.summary["diverged"] = True
    run.arrays["loss"] = np.append(run.arrays["loss"][:7], np.nan)
    run.history["train_loss"] = [2.0, None]
    run.history["val_acc"] = [0.1, 0.1]
    assert words("S3.27", **runs) == [UNTESTABLE, YES, UNTESTABLE, YES, YES]


# S3.28


@pytest.mark.parametrize(("separate", "landscape", "expected"), [
    ({"last": 2}, {"change": 1, "beta": 2}, [YES] * 4),
    ({"last": -1}, {"change": -1, "beta": -1}, [REVERSE, REVERSE, "no", "no"]),
    ({}, {}, [NONE, NONE, "no", "no"]),
    ({"last": 2, "moved": 1.5}, {"change": 1, "beta": 0.5}, [YES, YES, "no", "no"]),
    ({"last": 0.2, "moved": -2}, {"change": 0, "beta": 2}, [SMALL, NONE, YES, YES]),
])  # fmt: skip
def test_shorter_and_smaller(separate, landscape, expected):
    runs = {
        "separate": separate_runs(**separate),
        "landscape": landscape_runs(landscape, landscape),
    }
    assert words("S3.28", **runs) == expected


def test_greatly_is_a_factor_of_two():
    assert card("S3.28", separate=separate_runs(last=2)).answers[2].part.limit == "at least 2×"


def test_a_last_layer_that_stands_still_has_no_beta():
    separate = separate_runs(last=2)
    for run in separate.where(norm="none"):
        run.arrays["consecutive_moves"] = 0 * run.arrays["consecutive_moves"]
    landscape = landscape_runs({"change": 1, "beta": 2}, {"change": 1, "beta": 2})
    found = words("S3.28", separate=separate, landscape=landscape)
    assert found == [YES, YES, UNTESTABLE, YES]


# S4.32


def by_part(**runs: Runs) -> dict[tuple, str]:
    """The words by the first word of the measure, of the phase, and by the units."""
    return {
        (a.part.text.split()[0], a.part.at["phase"].split()[0], a.part.at["units"]): a.word
        for a in card("S4.32", **runs).answers
    }


@pytest.mark.parametrize(
    ("power", "word"), [(1, YES), (-1, REVERSE), (0, NONE), (0.2, SMALL), (-0.2, REVERSE)]
)
def test_smoother(power, word):
    assert words("S4.32", landscape=landscape_runs(power, power)) == [word] * 12


@pytest.mark.parametrize("measure", ["spread", "change", "beta"])
@pytest.mark.parametrize("phase", ["on", "off"])
def test_every_measure_is_judged_in_every_phase(measure, phase):
    others = dict.fromkeys(("spread", "change", "beta"), 1)
    given = {"on": others, "off": others} | {phase: others | {measure: -1}}
    found = by_part(landscape=landscape_runs(**given))
    first = {"beta": "effective"}.get(measure, measure)
    turned = {(first, phase, units) for units in ("in raw units", "in scale-free units")}
    assert {part for part, word in found.items() if word == REVERSE} == turned
    assert list(found.values()).count(YES) == 10


def test_the_phases_are_the_clause_where_they_split():
    found = card("S4.32", landscape=landscape_runs(on=-1, off=1))
    assert (found.word, found.because) == ("holds in part", "off the plateau; not on the plateau")
    assert found.main.part.name.startswith("spread of the loss, none / BN, off the plateau, in raw")


def test_scale_free_units_are_judged_by_themselves():
    found = card("S4.32", landscape=landscape_runs(on=-1, off=-1, free=1))
    words = [answer.word for answer in found.answers]
    assert words == [REVERSE] * 6 + [YES] * 3 + [REVERSE] * 3


def test_flipping_the_networks_flips_the_words():
    runs = landscape_runs(1, 1)
    for run in runs:  # which of the two waits on the plateau stays
        loss = np.full(len(run.arrays["loss"]), 1.0)
        loss[: leaves(run.recipe.seed)] = 2.3
        run.arrays["loss"] = loss
    assert words("S4.32", landscape=runs) == [YES] * 12
    assert words("S4.32", landscape=flipped(runs)) == [REVERSE] * 12


@pytest.mark.parametrize(("limit", "word"), [
    ((0.8, 0.8), UNTESTABLE), ((0.8, 0.6), YES), ((0.6, 0.6), YES), ((1.5, 0.75), UNTESTABLE),
])  # fmt: skip
def test_beta_is_not_compared_where_both_arms_are_at_its_limit(limit, word):
    runs = landscape_runs(on={"spread": 1, "change": 1}, off={"spread": 1, "change": 1})
    for run in runs:
        none = run.recipe.norm == "none"
        for line, etas in (("gradient", "etas"), ("scale_free", "scale_free_etas")):
            middle = limit[not none] / run.arrays[etas].min()
            middle *= 1 if limit != (0.6, 0.6) or none else 0.5
            run.arrays[f"{line}_beta"] = np.full(30, middle) * (1 + 0.01 * run.recipe.seed)
    found = card("S4.32", landscape=runs).answers
    assert [a.word for a in found] == [YES, YES, word] * 4
    if word == UNTESTABLE:
        assert "smaller steps" in found[2].why


def test_beta_at_its_limit_in_the_papers_measure_is_untestable_too():
    runs = {"separate": separate_runs(last=2), "landscape": landscape_runs(1, 1, limit=(0.8, 1.6))}
    assert words("S3.28", **runs) == [YES, YES, YES, UNTESTABLE]


def test_a_seed_without_a_plateau_is_left_out_of_it():
    runs = landscape_runs(1, 1)
    for seed in (1, 4):
        runs.where(norm="none", seed=seed)[0].arrays["loss"][:] = 2.0
    found = card("S4.32", landscape=runs).answers
    assert {a.finding.n for a in found if a.part.at["phase"].startswith("on")} == {(4, 4)}
    assert {a.finding.n for a in found if a.part.at["phase"].startswith("off")} == {(6, 6)}


@pytest.mark.parametrize(("loss", "phase"), [(2.3, "off the plateau"), (2.0, "on the plateau")])
def test_a_phase_that_no_run_has_is_untestable(loss, phase):
    runs = landscape_runs(1, 1)
    for run in runs.where(norm="none"):
        run.arrays["loss"] = np.full(30, loss)
    for answer in card("S4.32", landscape=runs).answers:
        gone = answer.part.at["phase"] == phase
        assert (answer.word == UNTESTABLE) == gone
        assert not gone or f"3 samples {phase} of the network without norm" in answer.why


def test_a_line_that_runs_into_infinity_is_wide():
    """Without batch norm a third of the samples have no number at the largest step."""
    runs = landscape_runs(1, 1)
    for run in runs.where(norm="none"):
        for line in ("gradient", "scale_free"):
            run.arrays[f"{line}_losses"][2::3, -1] = np.nan
            run.arrays[f"{line}_changes"][2::3, -1] = np.inf
            run.arrays[f"{line}_beta"][2::3] = np.nan
    assert words("S4.32", landscape=runs) == [YES] * 12


def test_runs_that_diverge_have_no_phases():
    runs = landscape_runs(1, 1)
    runs[0].summary["diverged"] = True
    assert words("S4.32", landscape=runs) == [UNTESTABLE] * 12


# what is missing


@pytest.mark.parametrize(("claim", "gone", "expected"), [
    ("S3.27", "landscape", [YES, NOT_TESTED, YES, YES, YES]),
    ("S3.27", "sweep", [YES] * 4 + [NOT_TESTED]),
    ("S3.28", "landscape", [YES, NOT_TESTED, YES, NOT_TESTED]),
    ("S3.27", "separate", []),
    ("S4.32", "landscape", []),
])  # fmt: skip
def test_an_experiment_that_is_missing_leaves_the_other_parts(claim, gone, expected):
    runs = three_things()
    runs["separate"] = separate_runs(1, 1, 1, last=2)
    del runs[gone]
    assert words(claim, **runs) == expected
    assert card(claim, **runs).word == ("holds" if expected else NOT_TESTED)


@pytest.mark.parametrize(("claim", "experiment", "fields", "expected"), [
    ("S3.28", "separate", {"lr": 0.001}, [NOT_TESTED, YES, NOT_TESTED, "no"]),
    ("S4.32", "landscape", {"norm": "batch"}, [NOT_TESTED] * 12),
    ("S4.32", "landscape", {"norm": "none"}, [NOT_TESTED] * 12),
])  # fmt: skip
def test_an_arm_that_is_missing_is_not_tested(claim, experiment, fields, expected):
    runs = three_things()
    runs["landscape"] = landscape_runs({"change": 1}, {"change": 1})
    runs[experiment] = without(runs[experiment], **fields)
    assert words(claim, **runs) == expected


def test_the_source_has_four_rates():
    assert sorted(separate_runs().values("lr")) == sorted(RATES)
