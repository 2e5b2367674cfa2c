"""Several runs at once, each in a process of its own, through Dask.

A worker never has more than one run, so that a death is always the fault of the run that died. A
run that keeps killing its process, or does not fit into memory, is lost; the others go on.
"""

import contextlib
import itertools
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from typing import Any

import dask
from distributed import Client, KilledWorker, Nanny, Scheduler, SpecCluster, as_completed

from bnlib.errors import BookError
from bnlib.recipe import Recipe
from bnlib.run import Run
from bnlib.training.devices import cards_for, use
from bnlib.training.memory import NotEnoughMemory, advice, describe

DEATHS = 3  # of the process that trains a run, before the run is given up

SETTINGS = {
    "distributed.scheduler.allowed-failures": DEATHS - 1,
    # Until then a process that died may be replaced; by Dask's own 15 seconds a busy machine has
    # not yet imported torch again, and the run would be waited for in vain
    "distributed.deploy.lost-worker-timeout": "1 hour",
    # Dask's own default makes glibc trim its heap so often that torch takes twice as long
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
    ),
}


def side_by_side(
    recipes: Iterator[Recipe], device: str, code: dict[str, Any], workers: int
) -> Iterator[Run]:
    """The runs in the order in which they end; ``recipes`` is asked for the next when one ends."""
    devices, lost = _devices(device, workers), []
    running: dict[str, tuple[Recipe, int]] = {}  # by the future's key: what, and by which worker
    with _cluster(workers) as client:
        waiting = as_completed()

        def start_next(worker: int) -> None:
            for recipe in itertools.islice(recipes, 1):
                running[recipe.id] = recipe, worker
                waiting.add(
                    client.submit(
                        _train,
                        recipe,
                        devices[worker],
                        code,
                        key=recipe.id,
                        pure=False,
                        resources={_place(worker): 1},
                    )
                )

        for worker in range(workers):
            start_next(worker)
        for future in waiting:
            recipe, worker = running.pop(future.key)
            run = None
            try:
                run = future.result()
            except KilledWorker:
                died = f"its process died {DEATHS} times (out of memory?)"
                lost.append(f"{describe(recipe)}: {died}; {advice(recipe)}")
            except NotEnoughMemory as error:
                lost.append(str(error))
            future.release()
            start_next(worker)
            if run is not None:
                yield run
    if lost:
        count = "1 run is lost" if len(lost) == 1 else f"{len(lost)} runs are lost, such as this"
        raise BookError(f"{count}, all others are recorded: {lost[0]}")


def _devices(device: str, workers: int) -> list[str]:
    if device != "cuda":
        return [device] * workers
    import torch

    return cards_for(workers, torch.cuda.device_count())


def _place(worker: int) -> str:
    """The resource by which a run is pinned to a worker, however often its process is replaced."""
    return f"worker-{worker}"


@contextlib.contextmanager
def _cluster(workers: int) -> Iterator[Client]:
    dask.config.set(SETTINGS)
    common = {"nthreads": 1, "memory_limit": 0, "dashboard": False, "silence_logs": "CRITICAL"}
    places = {
        number: {"cls": Nanny, "options": common | {"resources": {_place(number): 1}}}
        for number in range(workers)
    }
    here = {"host": "127.0.0.1", "port": 0, "dashboard": False, "dashboard_address": ":0"}
    opened = contextlib.ExitStack()
    try:
        with _ctrl_c_waits():
            scheduler = {"cls": Scheduler, "options": here}
            cluster = SpecCluster(places, scheduler, silence_logs="CRITICAL")
            opened.enter_context(cluster)
            client = opened.enter_context(Client(cluster))
        yield client
    finally:
        with _ctrl_c_waits():
            opened.close()


@contextlib.contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """A Ctrl-C in here takes effect at the end, and no process started from here ever hears it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is interrupted
        return
    came = []
    handler = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    resource_tracker.ensure_running()  # now, since starting it undoes the mask
    # Threads and processes inherit the mask: the cluster's own keep it for good
    masks = hasattr(signal, "pthread_sigmask")  # not on Windows
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else None
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def _train(recipe: Recipe, device: str, code: dict[str, Any]) -> Run:
    """In a worker: what it prints must not land in the notebook that waits for it."""
    from bnlib.training.together import train

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.close(quiet)
    return train(recipe, use(device), code)
