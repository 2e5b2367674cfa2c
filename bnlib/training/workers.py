"""Several runs at once, each in a process of its own, through Dask."""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import dask
from distributed import Client, KilledWorker, LocalCluster, as_completed

from bnlib.errors import BookError
from bnlib.recipe import Recipe
from bnlib.run import Run

RETRIES = 2  # of a run whose worker died

# Dask's own default makes glibc trim its heap so often that torch takes twice as long
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def side_by_side(
    recipes: Iterator[Recipe], device: str, code: dict[str, Any], workers: int
) -> Iterator[Run]:
    """The runs in the order in which they end; ``recipes`` is asked for the next when one ends."""
    dask.config.set({"distributed.nanny.pre-spawn-environ": ENVIRONMENT})
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        memory_limit=0,
        dashboard_address=":0",  # None would ask for a fixed port, and warn where it is taken
        silence_logs="CRITICAL",
    )
    with cluster, Client(cluster) as client:

        def submit(recipe: Recipe):
            return client.submit(
                _train, recipe, device, code, key=recipe.id, pure=False, retries=RETRIES
            )

        waiting = as_completed([submit(recipe) for recipe in itertools.islice(recipes, workers)])
        for future in waiting:
            try:
                run = future.result()
            except KilledWorker:
                raise BookError(
                    f"the process of run {future.key} died {RETRIES + 1} times (out of memory?): "
                    f"try with fewer workers; the finished runs are recorded"
                ) from None
            future.release()
            for recipe in itertools.islice(recipes, 1):
                waiting.add(submit(recipe))
            yield run


def _train(recipe: Recipe, device: str, code: dict[str, Any]) -> Run:
    """In a worker: what it prints must not land in the notebook that waits for it."""
    from bnlib.training.train import train

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.close(quiet)
    return train(recipe, device, code)
