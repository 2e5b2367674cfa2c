"""Runs side by side: who trains where, what a dying process costs; and runs that do not fit."""

import dask
import pytest
import torch
from made_up import SMALL

from bnlib.errors import BookError
from bnlib.recipe import Recipe
from bnlib.records.store import Store
from bnlib.study import MOST_WORKERS, Study
from bnlib.training import devices, workers
from bnlib.training.devices import cards_for, known_device, pick_device
from bnlib.training.memory import NotEnoughMemory, enough_memory


@pytest.mark.parametrize("cards", [1, 2, 3, 8])
@pytest.mark.parametrize("workers", [1, 2, 7, 64])
def test_workers_are_spread_over_the_cards(workers, cards):
    found = cards_for(workers, cards)
    assert len(found) == workers
    shares = [found.count(f"cuda:{card}") for card in range(cards)]
    assert sum(shares) == workers  # no other card is named
    assert max(shares) - min(shares) <= 1
    assert found[0] == "cuda:0"


@pytest.mark.parametrize("name", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:12"])
def test_names_of_devices(name):
    assert known_device(name) == name


@pytest.mark.parametrize("name", ["tpu", "", "gpu", "cuda:", "cuda:-1", "cuda:x", "cpu:0", "CUDA"])
def test_no_names_of_devices(name):
    with pytest.raises(BookError, match=rf"^unknown device '{name}': choose 'auto', [^\n]*$"):
        pick_device(name)


def test_a_card_is_chosen_by_its_number(monkeypatch):
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert pick_device("cuda:1") == "cuda:1"
    with pytest.raises(BookError, match=r"device 'cuda:2' is not there: the last .* 'cuda:1'$"):
        pick_device("cuda:2")
    assert [devices.use(name) for name in ("cuda:1", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]
    assert chosen == [1]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BookError, match="'cuda:0' is not there"):
        pick_device("cuda:0")


@pytest.mark.parametrize("workers", [0, -1, MOST_WORKERS + 1, 1000])
def test_a_number_of_workers_that_no_machine_carries(tmp_path, workers):
    with pytest.raises(BookError, match=rf"^workers {workers} is out of range: choose 1 to 64"):
        Study("s", "paper", workers=workers, root=tmp_path)


@pytest.mark.parametrize("budget", [-1, -0.5, float("nan"), float("inf")])
def test_a_budget_is_seconds(tmp_path, budget):
    with pytest.raises(BookError, match=f"^budget {budget:g} is out of range"):
        Study("s", "paper", budget=budget, root=tmp_path)


BIG = Recipe(dataset="cifar10", model="vgg_a", width=0.5, batch_size=4096)


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. …"),
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate "
            "memory: you tried to allocate 40000000000000 bytes. Error code 12"
        ),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:40],
)
def test_out_of_memory_is_one_line_that_says_what_to_lower(error):
    with pytest.raises(NotEnoughMemory) as wrong, enough_memory(BIG, "cuda"):
        raise error
    said = str(wrong.value)
    assert "\n" not in said
    for words in ("'cuda'", BIG.id, "vgg_a", "width 0.5", "cifar10", "batch_size 4096", "lower"):
        assert words in said
    assert said.count("width") == 2
    with pytest.raises(NotEnoughMemory) as wrong, enough_memory(SMALL, "cpu"):
        raise error
    assert "width" not in str(wrong.value)  # an MLP has none


def test_torchs_own_error_is_known():
    with pytest.raises(NotEnoughMemory), enough_memory(SMALL, "cpu"):
        torch.empty(2**60, dtype=torch.uint8)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes do not match"), BookError("memory"), KeyError("out of memory")]
)
def test_other_errors_pass(error):
    with pytest.raises(type(error)) as raised, enough_memory(SMALL, "cpu"):
        raise error
    assert raised.value is error


IN_WORKERS = """
import os, pathlib, signal, time
from bnlib.training import together as module
from bnlib.training.memory import enough_memory

died, late = (pathlib.Path(name) for name in {markers})
if died.exists() and not late.exists():  # as on a busy machine
    late.touch()
    time.sleep(17)
real = getattr(module, "real", module.train)  # Dask reads this file more than once

def train(recipe, device, code):
    if recipe.seed == 1:
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if recipe.seed == 4:
        with enough_memory(recipe, device):
            raise MemoryError
    return real(recipe, device, code)

module.real, module.train = real, train
"""


@pytest.mark.slow
def test_a_run_that_kills_its_process_or_does_not_fit_is_lost_alone(tmp_path, capfd):
    preload = tmp_path / "in_workers.py"
    markers = [str(tmp_path / name) for name in ("died", "late")]
    preload.write_text(IN_WORKERS.format(markers=markers))
    recipes = [SMALL.but(seed=seed, epochs=20) for seed in range(7)]
    study = Study("s", "paper", workers=2, root=tmp_path / "records")
    with (
        dask.config.set({"distributed.worker.preload": [str(preload)]}),
        pytest.raises(BookError) as wrong,
    ):
        study.run({"a": recipes})
    said = str(wrong.value)
    assert "\n" not in said
    assert said.startswith("2 runs are lost, such as this, all others are recorded: ")
    first, second = recipes[1], recipes[4]
    died = f"run {first.id} trains mlp" in said and f"process died {workers.DEATHS} times" in said
    too_big = f"run {second.id} trains mlp" in said and "out of memory on 'cpu'" in said
    assert died != too_big
    left = [recipe for recipe in recipes if recipe not in (first, second)]
    assert {run.recipe for run in Store(tmp_path / "records")} == set(left)
    assert (tmp_path / "late").exists()
    assert "Traceback" not in capfd.readouterr().err
