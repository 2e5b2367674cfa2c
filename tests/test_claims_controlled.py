"""The rules of the controlled study, on runs whose effects are known."""

import numpy as np
import pytest
from study_runs import CHANCE, NAME, card, study, usual, words

from bnlib.claims import cards
from bnlib.claims.card import LARGE, MANY, Cards
from bnlib.claims.ledger import CLAIMS

AS_SAID = study()


@pytest.mark.parametrize(
    "name", ["S1.8", "S1.9", "S1.10", "S1.12", "S1.13", "S1.15", "S1.16", "S1.17", "S1.19"]
)
def test_what_is_as_the_source_says_holds(name):
    found = words(name, AS_SAID)
    wrong = {part: word for part, word in found.items() if not word.startswith(("yes", "not "))}
    # the made-up curves all fluctuate alike
    wrong = {part: word for part, word in wrong.items() if "scatter" not in part}
    assert wrong == {}
    assert card(name, AS_SAID).word in ("holds", "holds in part")


def swapped(name, recipe):
    """Batch norm's ends for the plain network's, and the other way round."""
    other = {"none": "batch"}.get(recipe.norm, "none")
    return usual(name, recipe.but(norm=other, ghost=0, layer_rates="same", clip=0.0))


@pytest.mark.parametrize("name", ["S1.8", "S1.10", "S1.12", "S1.17"])
def test_exchanged_arms_turn_the_words(name):
    found = words(name, study(swapped))
    compared = {
        part: word for part, word in found.items() if "none" in part or "ReLU − ELU" in part
    }
    assert compared
    assert not [word for word in compared.values() if word.startswith("yes")]


def test_no_effect_is_no_difference():
    found = words("S1.8", study(lambda name, recipe: 0.6))
    settled = {word for part, word in found.items() if "SVHN" not in part and "MNIST" not in part}
    assert settled == {"no difference"}


def test_a_data_set_that_is_not_there_is_not_tested():
    assert words("S1.8", AS_SAID)["test accuracy, BN − none, on SVHN"] == "not tested"


def test_weight_decay_needs_its_time():
    short = study()
    for run in short["decay"]:
        run.summary["steps"] = 703 * 5
    assert set(words("S1.13", short).values()) == {"untestable here"}
    for run in short["decay"]:
        run.summary["steps"] = 703 * run.recipe.epochs
    assert "untestable here" not in words("S1.13", short).values()


def test_gamma_and_beta_are_asked_for_the_rescue_and_for_the_rest():
    def parts(runs) -> tuple[set, set]:
        found = words("S1.21", runs)
        rescue = {word for part, word in found.items() if "against none" in part}
        return rescue, {word for part, word in found.items() if "test accuracy" in part}

    assert parts(AS_SAID) == ({"no"}, {"no difference"})
    worse = study(lambda name, r: usual(name, r) - 0.05 * (r.norm == "bare"))
    assert parts(worse) == ({"no"}, {"yes"})
    lost = study(lambda name, r: CHANCE if r.norm == "bare" else usual(name, r))
    assert parts(lost) == ({"open"}, {"yes"})  # counted: 4 of 4 against none


@pytest.mark.parametrize(("end", "learn", "good"), [(0.6, "yes", "yes"), (CHANCE, "open", "no")])
def test_clipping_is_counted_and_compared(end, learn, good):
    runs = study(lambda name, r: end if name == "clipped" else usual(name, r))
    found = list(words("S1.22", runs).values())
    assert found[0] == learn
    assert found[1].startswith("yes") == (good == "yes")


def test_regularising_is_read_at_the_same_training_loss():
    runs = study(lambda name, r: usual(name, r) + 0.02 * bool(r.ghost))
    found = words("S0.10", runs)
    assert all(word.startswith("yes") for word in found.values())
    assert len(found) == 4


def test_the_best_rate_is_held_against_its_neighbours():
    found = words("S1.24", AS_SAID)
    assert len(found) == 8
    assert all(word.startswith("yes") for word in found.values())
    flat = study(lambda name, r: 0.6)
    assert "yes" not in words("S1.24", flat).values()


def test_slightly_faster_has_an_upper_end():
    found = words("S1.18", AS_SAID)
    assert set(found.values()) <= {"yes", "yes, perhaps small"}
    assert "epochs, without BN / with BN, to the same accuracy, fewer" in found
    own = "epochs, without BN / with BN, to 95 % of its own best"
    assert found[f"{own}, at most 2 times fewer"] == "yes"  # the ramps take .7 and .4 of a run


def test_losses_near_zero_are_asked_of_long_runs_only():
    runs = study()
    found = words("S1.23", runs)
    assert {word for part, word in found.items() if "deep CNN" in part} == {"untestable here"}
    assert {word for part, word in found.items() if "MLP" in part} == {"no"}
    for run in runs["decay"]:
        run.summary["train_loss"] = 0.001 * (1 + run.recipe.seed)
    assert "no" not in words("S1.23", runs).values()


def test_dead_units_are_a_share():
    runs = study()
    assert len(words("S1.19", runs)) == 6
    for run in runs["fast"]:
        run.arrays["units_dead"] = np.full((7, 11), 0.5) + 0.001 * run.recipe.seed
    found = words("S1.19", runs)
    assert found["share of dead units with BN, ReLUs at .1"] == "no"
    assert found["share of dead units, none − BN, ReLUs at .1"] == "no difference"


def test_a_schedule_that_never_lowered_the_rate_is_not_asked():
    runs = study()
    for run in runs["schedules"].where(schedule="plateau"):
        run.history["lr"] = [0.01] * run.recipe.epochs
    found = words("S1.24", runs)
    untestable = [part for part, word in found.items() if word == "untestable here"]
    assert untestable == [
        f"test accuracy, decaying rate − constant, plateau, {norm}"
        for norm in ("with BN", "without BN")
    ]


def test_of_many_cards_the_pictures_are_folded():
    every = cards(CLAIMS[NAME], AS_SAID)
    assert len(every) > MANY
    for some, at_once in ((every, False), (Cards(every[:MANY]), True)):
        page = some._repr_html_()
        shown = page.partition("<details>")[0]
        assert ('<div class="parts">' in shown) == at_once
        assert page.count('<div class="parts">') == len(some)


def test_the_picture_of_a_card_with_many_parts_is_folded():
    every = cards(CLAIMS[NAME], AS_SAID)
    found = {len(one.answers) > LARGE: one for one in every.judged}
    for large, one in found.items():
        shown = Cards([one])._repr_html_().partition("<details>")[0]
        assert ('<div class="parts">' in shown) != large
    assert len(found) == 2
