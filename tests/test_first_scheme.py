"""Verdicts from made-up differences whose answer is known, and the LeNet claims on made-up runs."""

import numpy as np
import pytest
from made_up import made_up_run
from scipy import stats

from bnlib.claims import Claim, Finding, Verdict, verdicts
from bnlib.claims.judge import above, together, within
from bnlib.claims.lenet import LENET
from bnlib.recipe import Recipe, Timing
from bnlib.run import Run, Runs

SEEDS = range(10)
NOISE = np.random.default_rng(0).normal(0, 2e-4, 10)  # of an accuracy, by seed


def finding(mean: float, half: float, n: int = 10) -> Finding:
    return Finding("made up", mean, half, n, 0.5)


@pytest.mark.parametrize(
    ("mean", "half", "word"),
    [
        (1, 0.5, "supported"),
        (-1, 0.5, "contradicted"),
        (0.3, 0.5, "inconclusive"),
        (1, float("nan"), "inconclusive"),
    ],
)
def test_a_claim_of_more_needs_an_interval_above_zero(mean, half, word):
    assert above(finding(mean, half)) == word


@pytest.mark.parametrize(
    ("mean", "half", "word"),
    [
        (0.02, 0.05, "supported"),
        (0.3, 0.1, "contradicted"),
        (-0.3, 0.1, "contradicted"),
        (0.1, 0.05, "inconclusive"),
        (0, 0.2, "inconclusive"),
    ],
)
def test_a_claim_of_equality_needs_an_interval_within_its_margin(mean, half, word):
    assert within(finding(mean, half), margin=0.1) == word


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "contradicted"], "mixed"),
        (["supported", "inconclusive"], "mixed"),
        (["inconclusive", "not tested"], "inconclusive"),
    ],
)
def test_conditions_that_differ_are_mixed(words, word):
    assert together(words) == word


def test_a_finding_is_the_paired_t_interval():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.9, 0.1, 7), rng.normal(0.8, 0.1, 7)
    found = Finding.of_pairs("accuracy", a, b)
    interval = stats.ttest_rel(100 * a, 100 * b).confidence_interval()
    assert found.low == pytest.approx(interval.low)
    assert found.high == pytest.approx(interval.high)
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_the_smallest_visible_difference_is_found_four_times_out_of_five():
    rng = np.random.default_rng(2)
    pairs = rng.normal(0, 1, (4000, 10))
    spread = np.mean([finding_of(row).detectable for row in pairs])
    seen = [finding_of(row + spread).low > 0 for row in pairs]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.05)


def finding_of(difference: np.ndarray) -> Finding:
    return Finding.of_pairs("made up", difference, np.zeros_like(difference), scale=1)


def test_an_unknown_word_is_refused():
    with pytest.raises(ValueError, match="supported, contradicted"):
        Verdict("true", "because")


def lenet_runs(gain=0.0, padding=0.0, slower=1.0, precise=0.0) -> dict[str, Runs]:
    """Runs of the LeNet chapter in which batch norm gains ``gain``, and so on."""
    base = Recipe(model="lenet", lr=0.9)
    accuracy = {"none": 0.98, "batch": 0.98 + gain, "torch": 0.98 + gain}

    def run(recipe: Recipe, shift: float = 0.0) -> Run:
        acc = accuracy[recipe.norm] + shift + NOISE[recipe.seed] * (1 + (recipe.norm == "none"))
        made = made_up_run(recipe, acc)
        made.summary.update(
            val_acc=acc - (recipe.lr != 0.3) / 10,  # by validation .3 is best
            test_acc_precise=acc + precise,
            class_acc=[0.99] * 7 + [0.9, 0.99, 0.92],
        )
        return made

    two = ("none", "batch")
    times = {"none": [1.0] * 5, "batch": [slower, slower * 1.01] * 2 + [slower], "torch": [1.0] * 5}
    timing = Run(Timing(recipe=base, repeats=5), times, {"diverged": False}, {})
    return {
        "main": Runs(run(r) for r in base.grid(seed=SEEDS, norm=(*two, "torch"))),
        "sweep": Runs(run(r) for r in base.grid(lr=(0.1, 0.3, 0.9), seed=range(3), norm=two)),
        "best": Runs(run(r) for r in base.grid(lr=(0.3,), seed=SEEDS, norm=two)),
        "unpadded": Runs(
            run(r, -padding) for r in base.but(image_size=28).grid(seed=SEEDS, norm=two)
        ),
        "timing": Runs([timing]),
    }


def words(**made_up) -> dict[str, str]:
    return {j.claim.id: j.verdict.word for j in verdicts(LENET, lenet_runs(**made_up))}


def test_equal_arms_support_the_claim_of_no_benefit():
    assert words()["S2.19"] == "supported"


def test_a_gain_of_half_a_point_contradicts_it():
    assert words(gain=0.005)["S2.19"] == "contradicted"


def test_a_gain_with_precise_statistics_only_is_mixed():
    assert words(precise=0.005)["S2.19"] == "mixed"


def test_time_and_accuracy_are_judged_apart():
    assert words()["S2.20"] == "supported"
    assert words(slower=1.5)["S2.20"] == "mixed"


def test_padding():
    assert words(padding=0.005)["S2.21"] == "supported"
    assert words(padding=-0.005)["S2.21"] == "contradicted"


def test_the_arms_are_compared_at_their_best_rates_with_all_seeds():
    judged = verdicts(LENET, lenet_runs(gain=0.005))[0]
    at_best = judged.verdict.findings[-1]
    assert "BN 0.3, none 0.3" in at_best.what
    assert at_best.n == len(SEEDS)
    assert at_best.mean == pytest.approx(0.5, abs=0.1)


def test_the_hardest_digits_are_named():
    (judged,) = [j for j in verdicts(LENET, lenet_runs()) if j.claim.id == "S2.22"]
    assert "hardest digits are 7 and 9" in judged.verdict.because
    assert judged.verdict.word == "mixed"
    assert "text verdict" in judged.label
    assert judged.verdict.findings[0].mean == pytest.approx(-8)


def test_the_best_rate_is_chosen_on_validation_data():
    assert lenet_runs()["sweep"].where(norm="batch").best("lr") == 0.3


def test_the_best_value_is_the_one_with_the_best_mean():
    runs = Runs(made_up_run(r) for r in Recipe().grid(lr=(0.1, 0.3), seed=range(3)))
    for run, val_acc in zip(runs, (0.5, 0.5, 0.9, 0.7, 0.7, 0.7), strict=True):
        run.summary.update(val_acc=val_acc)
    assert runs.best("lr") == 0.3


def test_runs_below_the_papers_scale_are_indicative_but_a_text_is_read_at_any_scale():
    labels = {j.claim.id: j.label for j in verdicts(LENET, lenet_runs(), "laptop")}
    assert "indicative" in labels["S2.19"]
    assert "indicative" not in labels["S2.22"]
    assert "indicative" not in verdicts(LENET, lenet_runs(), "paper")[0].label


def test_a_page_corrects_for_all_that_it_judges():
    def claim(number: int, p: float) -> Claim:
        found = Finding("made up", 1, 0.9, 10, p)
        return Claim(str(number), "S", "s", "r", lambda runs: Verdict("supported", "b", (found,)))

    judged = verdicts([claim(1, 0.001), claim(2, 0.02), claim(3, 0.04), claim(4, 0.3)], {})
    assert [j.holm for j in judged] == [(True,), (False,), (False,), (False,)]  # .02 > .05 / 3


def test_a_card_escapes_what_it_shows():
    claim = Claim("X1", "<b>", "a < b", "r", lambda runs: Verdict("supported", "1 < 2"))
    (card,) = verdicts([claim], {})
    assert "a &lt; b" in card._repr_html_()
    assert "<b>" not in card._repr_html_()
