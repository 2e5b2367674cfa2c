"""What a run that does not fit into memory says: one line with what could be lowered."""

import contextlib
from collections.abc import Iterator

from bnlib.catalogue import NETS
from bnlib.errors import BookError
from bnlib.recipe import Recipe

SAID = (  # by torch, in a RuntimeError: CUDA and MPS, cuBLAS, Linux, Windows
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "can't allocate memory",
    "not enough memory",
)


class NotEnoughMemory(BookError):
    """One run does not fit; others may."""


@contextlib.contextmanager
def enough_memory(recipe: Recipe, device: str) -> Iterator[None]:
    """Around all that trains ``recipe``: running out of memory becomes a ``NotEnoughMemory``."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch's OutOfMemoryError is a RuntimeError
        if isinstance(error, MemoryError) or any(words in str(error) for words in SAID):
            raise NotEnoughMemory(
                f"out of memory on {device!r}: {describe(recipe)}; {advice(recipe)}"
            ) from None
        raise


def describe(recipe: Recipe) -> str:
    """The recipe by its id and by what its memory depends on."""
    width = f" at width {recipe.width:g}" if NETS[recipe.model].scales else ""
    return (
        f"run {recipe.id} trains {recipe.model}{width} on {recipe.dataset} "
        f"({recipe.image_size} pixels) with batch_size {recipe.batch_size}"
    )


def advice(recipe: Recipe) -> str:
    also = " or the recipe's width" if NETS[recipe.model].scales else ""
    return f"use fewer workers or a larger device, or lower the recipe's batch_size{also}"
