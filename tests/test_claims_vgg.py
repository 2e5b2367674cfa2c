"""The claims on VGG on made-up runs whose verdicts are known."""

import numpy as np
import pytest
from vgg_runs import cut_short, five_runs, judged, sixteen_runs, start_runs

from bnlib.claims import verdicts
from bnlib.claims.vgg import VGG
from bnlib.run import Runs

pytestmark = pytest.mark.filterwarnings("error")


def test_the_page_judges_every_claim():
    assert [claim.id for claim in VGG] == ["S3.25", "S3.26", "S4.29", "S4.29b"]


@pytest.mark.parametrize(
    ("reached", "noise", "words"),
    [
        ((0.1, 0.1, 0.1, 0.7), 0, ["supported"] * 5),
        ((0.19, 0.19, 0.19, 0.21), 0.1, ["supported"] * 5),
        ((0.21, 0.21, 0.21, 0.19), 0.1, ["contradicted"] * 5),
        ((0.2, 0.2, 0.2, 0.2), 0.1, ["inconclusive"] * 5),
        ((0.1, 0.7, 0.1, 0.7), 0.1, ["mixed", "supported", "contradicted"] + ["supported"] * 2),
        ((0.1, 0.1, 0.7, 0.7), 0.1, ["mixed", "supported", "supported", "contradicted"]),
        ((0.1, 0.1, 0.1, 0.1), 0.1, ["mixed"] + ["supported"] * 3 + ["contradicted"]),
    ],
)
def test_sgd_fails_and_adam_does_not(reached, noise, words):
    found = judged("S3.25", start=start_runs(*reached, noise=noise))
    word, default, xavier, he, adam = [*words, "supported"][:5]
    assert found.because == (
        f"Plain VGG-A does not train with SGD (default: {default}; xavier: {xavier}; he: {he}); "
        f"it does with Adam (default: {adam})."
    )
    assert found.word == word
    default, xavier, he, adam = reached
    above = [100 * (x - 0.2) for x in (default, adam, xavier, 0.8, he, 0.8)]
    assert [f.mean for f in found.findings] == pytest.approx(above, abs=1e-9)


def test_an_accuracy_that_is_no_number_decides_nothing():
    runs = start_runs(0.1, 0.1, 0.1, 0.7)
    runs.where(norm="none", optimizer="sgd", init="he", seed=1)[0].summary["test_acc"] = None
    found = judged("S3.25", start=runs)
    assert "xavier: supported; he: inconclusive" in found.because
    assert found.word == "mixed"


TURNED = {"batch": 0.6, "none": 0.7, "none_dropout": 0.8, "light": 0.9, "batch_dropout": 0.8}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ["supported"] * 4),
        (TURNED | {"rises": (0.1, 0.5)}, ["contradicted"] * 4),
        ({"batch": 0.85}, ["mixed", "mixed", "supported", "contradicted"]),
        ({"none_dropout": 0.87}, ["mixed", "mixed", "supported", "supported"]),
        ({"light": 0.855}, ["mixed", "mixed", "supported", "supported"]),
        ({"rises": (0.1, 0.5)}, ["mixed", "supported", "contradicted", "supported"]),
        ({"rises": (0.3, 0.3)}, ["mixed", "supported", "inconclusive", "supported"]),
        ({"batch_dropout": 0.908}, ["supported"] * 4),
        ({"batch_dropout": 0.912}, ["mixed", "supported", "supported", "contradicted"]),
        ({"batch_dropout": 0.888}, ["mixed", "supported", "supported", "contradicted"]),
        ({"precise": -0.1}, ["mixed", "mixed", "supported", "mixed"]),
    ],
    ids=str,
)
def test_five_networks(changes, words):
    found = judged("S3.26", performance=five_runs(**changes))
    because = "Order: {}; flatter test loss: {}; same accuracy: {}.".format(*words[1:])
    assert (found.word, found.because) == (words[0], because)


def test_the_five_networks_by_hand():
    found = judged("S3.26", performance=five_runs(precise=0.02)).findings
    expected = [4, 6, 1, 6, 0.4, 0, -2]  # the rise of the loss is no percentage
    assert [f.mean for f in found] == pytest.approx(expected, abs=1e-9)


def test_a_network_that_diverged_has_no_rise():
    runs = cut_short(five_runs(), 3, norm="none", dropout=0.5, seed=4)
    found = judged("S3.26", performance=runs)
    assert "flatter test loss: inconclusive" in found.because
    assert np.isnan(found.findings[4].mean)


@pytest.mark.parametrize(
    ("moved", "word", "said"),
    [
        (0.0, "supported", "0 %"),
        (1e-6, "supported", "0.0001 %"),
        (0.8e-4, "supported", "0.008 %"),
        (1e-4, "inconclusive", "0.01 %"),
        (1.3e-4, "contradicted", "0.013 %"),
        (1.28, "contradicted", "128 %"),
    ],
)
def test_does_not_update(moved, word, said):
    """One measured number is judged: there is nothing that could be mixed."""
    found = judged("S4.29", vgg16=sixteen_runs(moved, gains=0.35))
    assert (found.word, said in found.because) == (word, True)
    step, _, chance = found.findings
    assert step.mean == pytest.approx(np.log10(max(moved, 1e-7) / 1e-4), abs=1e-9)
    assert chance.mean == pytest.approx(5)  # .5 − .35 is .15


def test_its_loss_is_that_of_the_last_epoch_without_batch_norm():
    runs = sixteen_runs(falls=0.4)
    for run in runs.where(dataset="cifar10", norm="none", lr=0.001):
        run.history["train_loss"][-1] = np.log(10) + 0.25
    found = judged("S4.29", vgg16=runs).findings[1]
    assert (found.mean, found.half) == pytest.approx((0.25, 0))


@pytest.mark.parametrize("of", [{}, {"seed": 2}])
def test_a_network_that_diverged_has_no_distance(of):
    runs = cut_short(sixteen_runs(1e-6), 3, norm="none", **of)
    found = judged("S4.29", vgg16=runs)
    assert (found.word, found.because) == ("inconclusive", "A run diverged.")
    assert np.isfinite([f.mean for f in found.findings]).tolist() == [False, False, True]


EVERYWHERE = [(data, lr) for data in ("cifar10", "cifar100") for lr in (0.001, 0.01, 0.1)]


@pytest.mark.parametrize(
    ("falls", "gains", "precise", "word"),
    [
        (0.5, 0.2, 0, "supported"),
        (-0.5, -0.2, 0, "contradicted"),
        (0, 0, 0, "inconclusive"),
        (0.5, -0.2, 0, "mixed"),
        (-0.5, 0.2, 0, "mixed"),
        (0.5, 0.2, -0.3, "mixed"),
    ],
)
def test_faster_and_better(falls, gains, precise, word):
    found = judged("S4.29b", vgg16=sixteen_runs(falls=falls, gains=gains, precise=precise))
    assert found.word == word
    each = [falls, 100 * gains, 100 * (gains + precise)]
    assert [f.mean for f in found.findings] == pytest.approx(each * 6, abs=1e-9)


@pytest.mark.parametrize("where", EVERYWHERE, ids=str)
@pytest.mark.parametrize("less", ["falls", "gains"])
def test_every_data_set_and_rate_counts(where, less):
    found = judged("S4.29b", vgg16=sixteen_runs(**{less: {where: -0.2}}))
    said = [
        f"{data}, lr {lr:g}: {'mixed' if (data, lr) == where else 'supported'}"
        for data, lr in EVERYWHERE
    ]
    assert (found.word, found.because) == ("mixed", "; ".join(said) + ".")


def test_a_loss_that_diverged_is_not_compared():
    runs = cut_short(sixteen_runs(), 2, norm="none", lr=0.1, dataset="cifar100", seed=0)
    found = judged("S4.29b", vgg16=runs)
    assert found.because.endswith("lr 0.01: supported; cifar100, lr 0.1: mixed.")
    assert [np.isfinite(f.mean) for f in found.findings[-3:]] == [False, True, True]


def all_runs() -> dict[str, Runs]:
    return {
        "start": start_runs(0.1, 0.1, 0.1, 0.7),
        "performance": five_runs(),
        "vgg16": sixteen_runs(),
    }


@pytest.mark.parametrize(
    ("claim", "experiment", "missing", "said"),
    [
        ("S3.25", "start", {"norm": "none"}, "norm none"),
        ("S3.25", "start", {"init": "default"}, "init default, optimizer sgd"),
        ("S3.25", "start", {"init": "he"}, "init he, optimizer sgd"),
        ("S3.25", "start", {"optimizer": "adam"}, "init default, optimizer adam"),
        ("S3.26", "performance", {"model": "vgg_a_light"}, "model vgg_a_light"),
        ("S3.26", "performance", {"norm": "batch"}, "batch norm"),
        ("S3.26", "performance", {"dropout": 0.5}, "dropout 0.5"),
        ("S4.29", "vgg16", {"lr": 0.001}, "lr 0.001"),
        ("S4.29", "vgg16", {"norm": "none"}, "norm none"),
        ("S4.29b", "vgg16", {"norm": "batch"}, "batch norm"),
    ],
    ids=str,
)
def test_a_claim_whose_arm_is_missing_is_not_tested(claim, experiment, missing, said):
    runs = all_runs()
    gone = runs[experiment].where(**missing).runs
    runs[experiment] = Runs(run for run in runs[experiment] if run not in gone)
    found = judged(claim, **runs)
    assert (found.word, found.because) == ("not tested", f"There is no run with {said}.")


def test_one_seed_gives_no_definite_word():
    one = {name: runs.where(seed=0) for name, runs in all_runs().items()}
    assert {j.verdict.word for j in verdicts(VGG, one)} == {"inconclusive"}
