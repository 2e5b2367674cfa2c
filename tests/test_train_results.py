"""What a run tells, and that training leaves the process as it found it."""

import pytest
import torch
from made_up import SMALL
from sklearn.metrics import accuracy_score, recall_score

from bnlib import data
from bnlib.errors import BookError
from bnlib.recipe import Recipe
from bnlib.training import train as module
from bnlib.training.step import criterion_of
from bnlib.training.together import train


def settings() -> list:
    cudnn = torch.backends.cudnn
    return [
        torch.get_num_threads(),
        torch.get_float32_matmul_precision(),
        (cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark),
        torch.get_rng_state().tolist(),
        torch.is_grad_enabled(),
    ]


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("fails", [False, True])
def test_settings_are_put_back(monkeypatch, two_threads, fails):
    before, inside = settings(), []
    evaluate = module.Evaluation.__call__

    def spy(self):
        inside.append(settings())
        if fails:
            raise RuntimeError("made up")
        return evaluate(self)

    monkeypatch.setattr(module.Evaluation, "__call__", spy)
    recipe = SMALL.but(precision="tf32", epochs=1)
    if fails:
        with pytest.raises(RuntimeError, match="made up"):
            train(recipe)
    else:
        train(recipe)
    assert settings() == before
    assert inside[0][:2] == [1, "high"]


def test_accuracies_are_those_of_the_recorded_predictions():
    run = train(SMALL.but(norm="batch", probes=("predictions",)))
    labels, predicted = data.load("digits").test.labels, run.arrays["predicted"]
    assert run.summary["test_acc"] == pytest.approx(accuracy_score(labels, predicted))
    assert run.summary["class_acc"] == pytest.approx(recall_score(labels, predicted, average=None))
    assert run.history["test_acc"][-1] == run.summary["test_acc"]


def test_history_has_a_row_an_epoch():
    plain = train(SMALL.but(epochs=3, schedule="cosine", lr=0.2))
    twice = train(SMALL.but(norm="torch"))
    columns = {f"{part}_{what}" for part in ("train", "val", "test") for what in ("loss", "acc")}
    assert plain.history.keys() == columns | {"lr", "seconds"}
    precise = {f"{part}_{what}_precise" for part in ("val", "test") for what in ("loss", "acc")}
    assert twice.history.keys() == columns | {"lr", "seconds"} | precise
    assert {len(row) for row in plain.history.values()} == {3}
    assert plain.history["lr"] == sorted(plain.history["lr"], reverse=True)
    assert plain.summary["steps"] == 30
    assert plain.provenance["threads"] == 1
    assert plain.provenance["data"] == data.load("digits").checksum


def test_plateau_stops_early(monkeypatch):
    monkeypatch.setattr("bnlib.training.optim.STOP", 2)
    run = train(SMALL.but(schedule="plateau", lr=1e-30, epochs=9))  # the loss never moves
    assert run.summary["epochs"] == 3
    assert not run.summary["diverged"]


@pytest.mark.parametrize("loss", ["ce", "mse", "smooth_l1", "bce"])
def test_losses_by_their_formulas(loss):
    logits, labels = 2 * torch.randn(6, 10, dtype=torch.double), torch.randint(10, (6,))
    t = torch.eye(10, dtype=torch.double)[labels]
    d = (logits - t).abs()
    expected = {
        "ce": -logits.softmax(1).log()[range(6), labels],
        "mse": d**2,
        "smooth_l1": torch.where(d < 1, d**2 / 2, d - 0.5),
        "bce": -(t * logits.sigmoid().log() + (1 - t) * (-logits).sigmoid().log()),
    }[loss].mean()
    torch.testing.assert_close(criterion_of(Recipe(loss=loss))(logits, labels), expected)
    first, second = train(SMALL.but(loss=loss, norm="batch")).history["train_loss"]
    assert second < 0.9 * first


def test_a_batch_above_the_data_set_is_one_line():
    with pytest.raises(BookError, match=r"batch_size 2000 is above the 1348 training images"):
        train(SMALL.but(batch_size=2000))
