"""The claims on dropout and weight decay on made-up runs whose truth is known."""

import pytest
from alexnet_runs import BASE, card, decay_runs, dropout_runs, each, words

from bnlib.run import Runs

SLOW = {"first": 0.4, "arrives": 8.0, "top": 0.6}  # against .5, 3 and .7
BETTER_LATER = {"first": 0.3, "arrives": 8.0, "top": 0.75, "rough": 0.002}


@pytest.mark.parametrize(
    ("both", "alone", "expected"),
    [
        (SLOW, {}, ["yes"] * 4),
        ({}, {}, ["no difference"] * 4),
        (
            {"first": 0.6, "arrives": 1.0, "top": 0.75},
            {},
            ["the reverse"] * 4,
        ),
        (SLOW, {"top": 0.5}, ["yes"] * 3 + ["the reverse"]),  # costs BN less
    ],
    ids=["slower", "none", "faster", "costs less"],
)
def test_dropout_with_batch_norm(both, alone, expected):
    assert words("S0.4a", dropout=dropout_runs(both, alone)) == expected * 2


def test_dropout_that_harms_in_one_place_holds_in_part():
    found = card("S0.4a", dropout=dropout_runs(SLOW, {}, only="conv"))
    assert (found.word, found.because) == (
        "holds in part",
        "behind the convolutions; not behind the linear layers",
    )


def test_the_interaction_is_a_difference_of_differences():
    answers = card("S0.4a", dropout=dropout_runs({"top": 0.6}, {"top": 0.68})).answers
    costs = [a.finding.value for a in answers if a.part.text.startswith("cost")]
    assert costs == pytest.approx([10 - 2] * 2, abs=0.6)
    assert all("pooled SD" in a.finding.method for a in answers if a.part.text.startswith("cost"))


@pytest.mark.parametrize("arm", ["alone", "plain"])
def test_next_to_the_floor_there_is_no_interaction(arm):
    low = {"first": 0.1, "top": 0.25, "rough": 0.002}
    changed = {"alone": {}, arm: low}
    runs = dropout_runs({"top": 0.6}, **changed)
    found = [a for a in card("S0.4a", dropout=runs).answers if a.part.text.startswith("cost")]
    assert [a.word for a in found] == ["untestable here"] * 2
    assert found[0].why == "It needs four arms above 3 times guessing."


@pytest.mark.parametrize(
    ("both", "alone", "expected"),
    [
        ({}, BETTER_LATER, ["yes"] * 4),
        (BETTER_LATER, {}, ["the reverse"] * 4),
        ({}, BETTER_LATER | {"first": 0.6}, ["the reverse", "yes", "yes", "yes"]),
        ({}, BETTER_LATER | {"top": 0.6}, ["yes", "yes", "the reverse", "yes"]),
        ({}, BETTER_LATER | {"rough": 0.03}, ["yes", "yes", "yes", "the reverse"]),
        ({}, {"top": 0.6, "rough": 0.002}, ["no difference", "the reverse", "the reverse", "yes"]),
    ],
    ids=["better", "worse", "starts better", "ends worse", "rough", "smoother"],
)
def test_dropout_without_batch_norm(both, alone, expected):
    assert words("S0.4b", dropout=dropout_runs(both, alone)) == expected * 2


def test_an_arm_that_does_not_learn_is_counted():
    runs = dropout_runs({}, {})
    dead = runs.where(norm="none", dropout=0.5, dropout_at="conv")
    kept = [run for run in runs if run not in dead.runs]
    runs = Runs(kept + each([run.recipe for run in dead], lambda recipe: 0.1).runs)
    starts, takes, ends, rough = card("S0.4b", dropout=runs).answers[4:]
    assert starts.size == "above in 0, below in 25 of 25 pairs"
    assert takes.size == "above in 25, below in 0 of 25 pairs"
    assert ends.size == "0 of 5 against 5 of 5 runs"
    assert [a.word for a in (starts, takes, ends)] == ["yes", "yes", "the reverse"]
    assert (rough.word, rough.why) == ("untestable here", "It needs runs that all learn.")


def test_two_epochs_show_no_roughness():
    recipes = BASE.but(epochs=2).grid(norm=("none", "batch"), seed=range(5))
    dropped = BASE.but(epochs=2, dropout=0.5).grid(norm=("none", "batch"), seed=range(5))
    found = card("S0.4b", dropout=each(recipes + dropped, lambda recipe: 0.7))
    assert (found.answers[3].word, found.answers[3].why) == (
        "untestable here",
        "It needs 4 epochs.",
    )


# 12 epochs of 351 steps at rate .1 are 2 · .1 · λ · 4212 time constants: 3 at λ = 3.6e-3


@pytest.mark.parametrize(
    ("gain", "word"), [(0, "yes"), (-0.1, "yes"), (0.0099, "open"), (0.03, "no")]
)
def test_weight_decay(gain, word):
    assert words("S0.5", decay=decay_runs({4e-3: gain})) == [word]


def test_runs_too_short_for_their_weight_decay_test_nothing():
    short = card("S0.5", decay=decay_runs({1e-3: 0, 4e-3: 0}))
    assert [a.word for a in short.answers] == ["untestable here", "yes"]
    assert short.answers[0].why == (
        "It needs 15,000 steps, 3 time constants of the weight decay, not 4,212."
    )


def test_a_longer_arm_is_judged_against_a_control_as_long():
    short, long = decay_runs({1e-3: 0.05}), decay_runs({1e-3: 0.0}, epochs=60)
    (found,) = card("S0.5", decay=Runs([*short, *long])).answers
    assert (found.word, found.finding.n) == ("yes", (5, 5))


def test_without_a_weight_decay_nothing_is_tested():
    assert card("S0.5", decay=decay_runs({})).word == "not tested"
