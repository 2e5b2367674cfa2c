"""The claims on the loss landscape on made-up runs whose verdicts are known."""

import numpy as np
import pytest
from vgg_runs import SWEEP, cut_short, judged, landscape_runs, separate_runs, sweep_runs

from bnlib.claims import verdicts
from bnlib.claims.landscape import LANDSCAPE
from bnlib.run import Runs

pytestmark = pytest.mark.filterwarnings("error")
UP, DOWN, SAME = (1, 1, 1), (-1, -1, -1), (0, 0, 0)  # factors of two in the three phases
WIDE, NARROW = (0.1, 0.01, 1.0), (0.1, 0.03)  # rates that work: 2 decades, half a decade
PARTS = {"band": 1, "spread": UP, "falls": 0.5, "batch": WIDE, "none": NARROW}


def test_the_page_judges_every_claim():
    assert [claim.id for claim in LANDSCAPE] == ["S3.27", "S3.28", "S4.32"]


@pytest.mark.parametrize(
    ("powers", "word"),
    [(UP, "supported"), (DOWN, "contradicted"), (SAME, "inconclusive"), ((1, 1, -1), "mixed")],
)
def test_smoother(powers, word):
    assert judged("S4.32", landscape=landscape_runs(powers, powers, powers)).word == word


@pytest.mark.parametrize("measure", ["spread", "change", "beta"])
@pytest.mark.parametrize("phase", range(3))
def test_every_measure_counts_in_every_phase(measure, phase):
    powers = dict.fromkeys(["spread", "change", "beta"], UP)
    powers[measure] = np.where(np.arange(3) == phase, -1, 1)
    found = judged("S4.32", landscape=landscape_runs(**powers))
    words = ["mixed" if i == phase else "supported" for i in range(3)]
    assert found.because == "Early: {}; middle: {}; late: {}.".format(*words)
    assert found.word == "mixed"


def test_the_factors_by_hand():
    found = judged("S4.32", landscape=landscape_runs((1, 2, 3), (4, 5, 6), (-7, -8, -9)))
    medians = [1, 2, 3, 4, 5, 6, -7, -8, -9]
    maxima = [power + 1 for power in medians]  # 8 to 1 without batch norm, 4 to 1 with it
    assert [f.mean for f in found.findings] == pytest.approx(medians + maxima)
    assert [f.what.split(", ")[2] for f in found.findings] == ["medians"] * 9 + ["maxima"] * 9


@pytest.mark.parametrize("of", [{"norm": "none"}, {"norm": "none", "seed": 3}, {"seed": 1}])
def test_what_comes_after_a_divergence_is_not_judged(of):
    """Not even where all runs of an arm have ended: a phase is a part of the whole training."""
    runs = landscape_runs((1, -1, -1), (1, -1, -1), (1, -1, -1))
    found = judged("S4.32", landscape=cut_short(runs, 1, **of))
    assert found.because == "Early: supported; middle: inconclusive; late: inconclusive."
    assert found.word == "mixed"


@pytest.mark.parametrize(
    ("last", "moved", "change", "beta", "word"),
    [
        (2, 0, 1, 2, "supported"),
        (-1, 0, -1, -1, "contradicted"),
        (1, 0.5, 1, 2, "mixed"),  # shorter, but the source's β only by √2
        (1, -0.5, 1, 0.5, "mixed"),  # shorter, but the paper's β only by √2
        (-0.5, -2, 1, 2, "mixed"),
        (2, 0, -1, 2, "mixed"),
        (0, -1, 0, 1, "inconclusive"),  # as long, and β exactly 2 times
    ],
)
def test_shorter_and_smaller(last, moved, change, beta, word):
    runs = {
        "separate": separate_runs(last=last, moved=moved),
        "landscape": landscape_runs(change=(change,) * 3, beta=(beta,) * 3),
    }
    found = judged("S3.28", **runs)
    assert found.word == word
    expected = [last, last - moved, change, beta]
    assert [f.mean for f in found.findings] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ends", ["diverges", "stands still"])
def test_a_last_layer_without_a_number_leaves_the_papers_measure(ends):
    separate = separate_runs(last=2)
    if ends == "diverges":
        cut_short(separate, 3, norm="none", seed=2)
    else:
        for run in separate.where(norm="none"):
            for name in ("consecutive_changes", "consecutive_moves"):
                run.arrays[name] = 0 * run.arrays[name]
    landscape = landscape_runs(change=UP, beta=(2, 2, 2))
    found = judged("S3.28", separate=separate, landscape=landscape)
    said = "As the source measures: inconclusive; as the paper measures: supported."
    assert (found.word, found.because) == ("mixed", said)
    assert not any(np.isfinite(f.mean) for f in found.findings[:2])


def three_parts(**changes) -> dict[str, Runs]:
    parts = PARTS | changes
    return {
        "separate": separate_runs(parts["band"], parts["falls"]),
        "landscape": landscape_runs(parts["spread"]),
        "sweep": sweep_runs(parts["batch"], parts["none"], parts.get("precise")),
    }


WORSE = {"band": -1, "spread": DOWN, "falls": -0.5, "batch": NARROW, "none": WIDE}
EQUAL = {"band": 0, "spread": SAME, "falls": 0, "none": WIDE}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ["supported"] * 4),
        (WORSE, ["contradicted"] * 4),
        (EQUAL, ["inconclusive"] * 4),
        ({"band": -1}, ["mixed", "mixed", "supported", "supported"]),
        ({"spread": DOWN}, ["mixed", "mixed", "supported", "supported"]),
        ({"falls": -0.5}, ["mixed", "supported", "contradicted", "supported"]),
        ({"none": WIDE, "batch": NARROW}, ["mixed", "supported", "supported", "contradicted"]),
        ({"precise": (0.1,)}, ["mixed", "supported", "supported", "mixed"]),
    ],
    ids=str,
)
def test_narrower_faster_wider(changes, words):
    found = judged("S3.27", **three_parts(**changes))
    because = "Narrower band: {}; faster: {}; wider range: {}.".format(*words[1:])
    assert (found.word, found.because) == (words[0], because)


def test_its_numbers_by_hand():
    found = judged("S3.27", **three_parts(band=3, spread=(2, 2, 2), precise=(0.1, 0.003)))
    half = np.log10(0.1 / 0.03)
    expected = [3, 2, 0.5, 2 - half, np.log10(0.1 / 0.003) - half]
    assert [f.mean for f in found.findings] == pytest.approx(expected)


@pytest.mark.parametrize("of", [{"seed": 3}, {"norm": "none"}])
def test_a_rate_at_which_training_apart_diverges_leaves_no_band_and_no_speed(of):
    runs = three_parts()
    cut_short(runs["separate"], 2, lr=0.002, **of)
    found = judged("S3.27", **runs)
    assert found.because == "Narrower band: mixed; faster: inconclusive; wider range: supported."
    assert np.isnan([f.mean for f in found.findings[0:3:2]]).all()


def test_a_rate_without_a_number_does_not_work():
    runs = three_parts(none=(0.1, 3.0))
    for run in runs["sweep"].where(norm="none", lr=3.0):
        run.summary["test_acc"] = None
    assert [f.mean for f in judged("S3.27", **runs).findings[3:]] == pytest.approx([2, 2])


@pytest.mark.parametrize("learns", [(), (0.3,), (0.03, 0.3)])
def test_a_rate_at_which_a_network_stays_near_chance_does_not_work(learns):
    runs = three_parts(none=(0.003, *SWEEP[1:]))
    for run in runs["sweep"].where(norm="none"):
        run.summary["test_acc"] = 0.21 if run.recipe.lr in learns else 0.19
    found = judged("S3.27", **runs)
    works = 1.0 if len(learns) == 2 else 0.0
    assert [f.mean for f in found.findings[3:]] == pytest.approx([2 - works] * 2)


@pytest.mark.parametrize(
    ("claim", "experiment", "left", "said"),
    [
        ("S3.27", "separate", {"norm": "none"}, "There is no run with batch norm."),
        ("S3.27", "landscape", {"norm": "batch"}, "There is no run with norm none."),
        ("S3.27", "sweep", {"norm": "batch"}, "There is no run with norm none."),
        ("S3.27", "sweep", {"lr": 0.1}, "There are runs at one learning rate only."),
        ("S3.28", "separate", {"lr": 0.002}, "There is no run with lr 0.001."),
        ("S3.28", "landscape", {"norm": "none"}, "There is no run with batch norm."),
        ("S4.32", "landscape", {"norm": "batch"}, "There is no run with norm none."),
    ],
)
def test_a_claim_whose_arm_is_missing_is_not_tested(claim, experiment, left, said):
    runs = three_parts()
    runs[experiment] = runs[experiment].where(**left)
    found = judged(claim, **runs)
    assert (found.word, found.because) == ("not tested", said)


def test_too_few_samples_are_not_tested():
    runs = landscape_runs(UP, UP, UP)
    for run in runs:
        run.arrays.update({name: values[:2] for name, values in run.arrays.items()})
    found = judged("S4.32", landscape=runs)
    assert found.because == "The runs have fewer than three samples of the landscape."


def test_one_seed_gives_no_definite_word():
    one = {name: runs.where(seed=0) for name, runs in three_parts().items()}
    assert {j.verdict.word for j in verdicts(LANDSCAPE, one)} == {"inconclusive"}
