"""Runs of every kind that the chapters ask for, on a few images each."""

import functools

from bnlib import data
from bnlib.book.chapter import experiments_of
from bnlib.book.layout import Book
from bnlib.catalogue import NETS
from bnlib.data import Data, Split
from bnlib.recipe import Recipe

SHAPE = ("model", "norm", "optimizer", "schedule", "activation", "dropout_at", "image_size", "loss")
BATCH, STEPS = 4, 3


def kinds() -> list[Recipe]:
    """A small recipe for every kind of run that the chapters ask for."""
    found = {}
    for chapter in Book().chapters():
        experiments = experiments_of(Book().root / chapter)
        for profile in ("laptop", "paper"):
            for recipe in (r for some in experiments(profile).values() for r in some):
                if isinstance(recipe, Recipe):
                    switches = recipe.dropout > 0, recipe.momentum > 0, recipe.weight_decay > 0
                    kind = [getattr(recipe, field) for field in SHAPE]
                    found.setdefault((*kind, *switches, recipe.precision == "bf16"), recipe)
    return [_small(recipe) for recipe in found.values()]


def _small(recipe: Recipe) -> Recipe:
    built_in = "digits" if recipe.dataset == "mnist" else "shapes"
    narrow = {"width": 1 / 32} if NETS[recipe.model].scales else {}
    kept = recipe.model_fields_set - {"probes", "probe_every", "probe_etas"}
    fields = {name: getattr(recipe, name) for name in kept} | narrow
    return Recipe(**fields | {"dataset": built_in, "batch_size": BATCH, "epochs": 2})


KINDS = kinds()


@functools.cache
def little(dataset: str, image_size: int, device: str = "cpu") -> Data:
    """A few images of a data set: two epochs take no time."""
    whole = data.load(dataset, image_size, device)

    def part(split: Split, count: int) -> Split:
        return Split(split.images[:count], split.labels[:count])

    return Data(
        part(whole.train, BATCH * STEPS + 1), part(whole.val, 5), part(whole.test, 40),
        whole.classes, whole.mean, whole.std, whole.checksum,
    )  # fmt: skip
