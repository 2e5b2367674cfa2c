"""The claims on internal covariate shift on made-up runs whose truth is known."""

import numpy as np
import pytest
from shift_runs import NAMES, card, leaves, linear_runs, noise_runs, shift_runs, words

from bnlib.claims.shift import SHIFT
from bnlib.run import Runs

pytestmark = pytest.mark.filterwarnings("error")
YES, NO, OPEN = "yes", "no", "open"
UNTESTABLE, NOT_TESTED = "untestable here", "not tested"


def test_the_page_judges_every_claim():
    assert [claim.id for claim in SHIFT] == ["S4.31", "S4.31b", "S4.30", "S4.30b"]


# S4.31: three measures, layers 5 and 10; off, on (first rate only) and at equal loss: 18 and 12


@pytest.mark.parametrize(("power", "word"), [(1, YES), (0, YES), (-0.1, YES), (-0.6, NO), (-2, NO)])
def test_similar_or_worse(power, word):
    assert words("S4.31", shift=shift_runs(power, power)) == [word] * 30


def by_part(runs: Runs) -> dict[tuple[str, str], str]:
    """The words by measure and time, the same in both layers and at both rates."""
    found: dict[tuple[str, str], set] = {}
    for answer in card("S4.31", shift=runs).answers:
        measure = answer.part.text.split(" ‖")[0].split(" between")[0]
        found.setdefault((measure, answer.part.at["when"]), set()).add(answer.word)
    assert all(len(some) == 1 for some in found.values())
    return {key: some.pop() for key, some in found.items()}


OFF, ON, LOSS = "off the plateau", "on the plateau", "at the same training loss"


@pytest.mark.parametrize(("on", "off", "less"), [
    ({"distance": -2}, 0.0, {("distance", ON), ("relative distance", ON)}),
    ({"length": 2}, 0.0, {("relative distance", ON)}),
    (0.0, {"angle": -2}, {("angle", OFF), ("angle", LOSS)}),
    (0.0, {"distance": -2, "length": -2}, {("distance", OFF), ("distance", LOSS)}),
])  # fmt: skip
def test_every_measure_is_judged_in_every_phase(on, off, less):
    found = by_part(shift_runs(on, off))
    assert {key for key, word in found.items() if word == NO} == less
    assert len(found) == 9


def test_its_factors_by_hand():
    runs = shift_runs({"distance": 3}, {"distance": 1, "length": -1, "angle": 0.5})
    answers = card("S4.31", shift=runs).answers
    sizes = {
        (a.part.text.split(" ‖")[0].split(" between")[0], a.part.at["when"]): a.finding.value
        for a in answers
    }
    assert sizes["distance", ON] == pytest.approx(3, abs=0.05)
    assert sizes["distance", OFF] == pytest.approx(1, abs=0.05)
    assert sizes["relative distance", OFF] == pytest.approx(2, abs=0.05)
    assert sizes["angle", LOSS] == pytest.approx(0.5, abs=0.05)


def test_layers_are_looked_up_by_name():
    runs = shift_runs()
    for run in runs.where(norm="batch"):
        run.arrays["shift_difference"][:, list(NAMES).index("fc2")] /= 16
    found = {a.part.at["layer"] for a in card("S4.31", shift=runs).answers if a.word == NO}
    assert found == {"layer 10 (fc2)"}


def test_equal_loss_is_no_equal_step():
    """With batch norm the loss is lower at each step, and the shift depends on the loss alone."""
    runs = shift_runs()
    for run in runs:
        start = leaves(run.recipe.seed)
        loss = np.linspace(2.1, 0.9, 40 - start)
        loss = loss - 0.6 * (run.recipe.norm == "batch")
        run.arrays["shift_loss"][start:] = loss
        shift = np.ones((40, 4))
        shift[start:] = 10 ** loss[:, None] * (1 + 0.01 * run.recipe.seed)
        run.arrays["shift_difference"] = shift
    answers = card("S4.31", shift=runs).answers
    raw = {a.part.at["when"]: a for a in answers if a.part.text.startswith("distance")}
    assert raw[OFF].word == NO
    assert abs(raw[LOSS].finding.value) < 0.3


def test_flipping_the_arms_flips_the_words():
    runs = shift_runs(2, 2)
    other = {"none": "batch", "batch": "none"}
    for run in runs:  # which of the two waits on the plateau stays
        loss = run.arrays["shift_loss"]
        loss[: leaves(run.recipe.seed)] = 2.3
    turned = Runs(
        type(run)(run.recipe.but(norm=other[run.recipe.norm]), *list(vars(run).values())[1:])
        for run in runs
    )
    assert words("S4.31", shift=turned) == [NO] * 30


@pytest.mark.parametrize(("loss", "untestable"), [(2.3, {OFF, LOSS}), (1.0, {ON})])
def test_a_phase_that_no_run_has_is_untestable(loss, untestable):
    runs = shift_runs()
    for run in runs:
        run.arrays["shift_loss"][:] = loss
    found = by_part(runs)
    assert {when for (_, when), word in found.items() if word == UNTESTABLE} == untestable


def test_runs_that_diverge_or_have_no_gradient_are_not_compared():
    runs = shift_runs()
    runs[0].summary["diverged"] = True
    found = {a.word for a in card("S4.31", shift=runs).answers if "0.1" in a.part.at["lr"]}
    assert found == {UNTESTABLE}
    runs = shift_runs()
    for run in runs.where(norm="none"):
        run.arrays["shift_norm"][:] = 0
    kinds = {a.word for a in card("S4.31", shift=runs).answers if "relative" in a.part.text}
    assert kinds == {UNTESTABLE}


# S4.31b


@pytest.mark.parametrize(("power", "word"), [(2, YES), (0, YES), (-2, NO)])
def test_in_a_deep_linear_network(power, word):
    assert words("S4.31b", deep_linear=linear_runs(power)) == [word] * 12


# S4.30


def test_noise_by_noise():
    assert words("S4.30", noise=noise_runs()) == [YES] * 7
    found = card("S4.30", noise=noise_runs(noisy=0.45, noise=0.4, moves=-1, batch=0.4))
    assert [a.word for a in found.answers] == ["the reverse"] * 5 + [NO] + ["the reverse"]
    assert found.answers[5].size == "6 of 6 runs"


@pytest.mark.parametrize(("changes", "place", "word"), [
    ({"on": -0.2}, 1, "the reverse"),
    ({"moves": 0}, 6, "no difference"),
    ({"noisy": 0.507, "on": 0}, 0, "yes, perhaps small"),
    ({"noisy": 0.5, "on": 0}, 0, "no difference"),
])  # fmt: skip
def test_each_part_has_its_own_word(changes, place, word):
    assert words("S4.30", noise=noise_runs(**changes))[place] == word


def test_without_a_plain_network_that_learns_nothing_is_compared():
    found = words("S4.30", noise=noise_runs(none=0.1))
    assert found == [UNTESTABLE] * 6 + [YES]


def test_the_evaluations_are_told_apart():
    runs = noise_runs()
    for run in runs.where(norm="noisy"):
        run.summary["test_acc"] = 0.12
        run.arrays["acc_noise"] = np.full(4, 0.12)
    answers = card("S4.30", noise=runs).answers
    assert [a.flag for a in answers[:2]] == ["turns with running averages: the reverse"] * 2
    assert not any(a.flag for a in answers[2:])


@pytest.mark.parametrize(("noisy", "word"), [(0.6, YES), (0.57, "no: lower"), (0.63, "no: higher")])
def test_noisy_batch_norm_against_batch_norm(noisy, word):
    assert words("S4.30b", noise=noise_runs(on=0, noisy=noisy)) == [word] * 3


# what is missing


def test_what_is_not_recorded_is_not_tested():
    for claim in ("S4.31", "S4.31b", "S4.30", "S4.30b"):
        assert card(claim).word == NOT_TESTED
    one_arm = shift_runs().where(norm="batch")
    assert set(words("S4.31", shift=Runs(one_arm))) == {NOT_TESTED}
    some = Runs(run for run in noise_runs() if run.recipe.norm != "noise")
    assert words("S4.30", noise=some) == [YES] * 5 + [NOT_TESTED, YES]
