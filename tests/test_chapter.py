"""What a chapter does first: its parameters are checked; mistakes are one line."""

import pytest
import torch

from bnlib.book import chapter
from bnlib.errors import BookError

DECLARED = {
    "profile": str,
    "device": str,
    "seeds": int | None,
    "epochs": int | None,
    "fresh": bool,
    "workers": int,
    "learning_rates": list[float],
    "batch_size": int,
}
GOOD = {
    "profile": "smoke",
    "device": "cpu",
    "seeds": 3,
    "epochs": None,
    "fresh": False,
    "workers": 2,
    "learning_rates": [0.1, 1],
    "batch_size": 64,
}


def test_right_parameters_pass():
    assert chapter.check(DECLARED, GOOD) == GOOD


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"learning_rate": 0.1}, ["'learning_rate'", *DECLARED]),
        ({"profile": "huge"}, ["'huge'", "'auto'", "'smoke'", "'laptop'", "'paper'"]),
        ({"device": "gpu"}, ["'gpu'", "'cpu'", "'cuda'", "'mps'"]),
        ({"seeds": 0}, ["seeds=0", "greater than or equal to 1"]),
        ({"seeds": 101}, ["seeds=101", "less than or equal to 100"]),
        ({"seeds": "5"}, ["seeds='5'", "integer"]),
        ({"seeds": 2.0}, ["seeds=2.0", "integer"]),
        ({"epochs": -3}, ["epochs=-3", "1"]),
        ({"workers": 0}, ["workers=0"]),
        ({"workers": None}, ["workers=None", "integer"]),
        ({"fresh": 1}, ["fresh=1", "boolean"]),
        ({"fresh": "True"}, ["fresh='True'", "boolean"]),
        ({"learning_rates": "[0.1]"}, ["learning_rates='[0.1]'", "list"]),
        ({"learning_rates": [0.1, "1e-3"]}, ["learning_rates=", "number"]),
        ({"batch_size": True}, ["batch_size=True", "integer"]),
        ({"profile": "a\nb"}, [r"'a\nb'"]),
    ],
    ids=str,
)
def test_wrong_parameters_are_one_line(given, said):
    with pytest.raises(BookError) as wrong:
        chapter.check(DECLARED, GOOD | given)
    assert "\n" not in str(wrong.value)
    assert [word for word in said if word not in str(wrong.value)] == []


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_an_absent_device_is_one_line(monkeypatch, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(BookError, match=f"^device '{device}' is not there.*'cpu'[^\n]*$"):
        chapter.start({"__annotations__": {"device": str}, "device": device})
    assert chapter.pick_device("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chapter.pick_device("auto") == "cuda"


def notebook_globals(source: str) -> dict:
    names = {"In": [source], "Out": {}, "_dh": ["."], "chapter": chapter}
    exec("__annotations__ = {}\n" + source, names)
    return names


def test_start_checks_the_notebooks_globals():
    names = notebook_globals("profile: str = 'smoke'  # scale\nseeds: int = 2\ndevice: str = 'cpu'")
    here = chapter.start(names)
    assert (here.profile, here.device) == ("smoke", "cpu")
    assert here.parameters == {"profile": "smoke", "seeds": 2, "device": "cpu"}
    names |= {"total": 3}  # made by a later cell
    assert chapter.start(names).parameters == here.parameters  # the cell is run again
    names |= {"seeds": 0}
    with pytest.raises(BookError, match="seeds=0"):
        chapter.start(names)


def test_start_refuses_a_misspelt_parameter():
    names = notebook_globals("profile: str = 'smoke'\nsede = 3")  # as papermill injects it
    with pytest.raises(BookError, match="unknown parameter 'sede'; this chapter takes profile"):
        chapter.start(names)
