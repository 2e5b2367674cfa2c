"""The smoke profile: a chapter's laptop experiments, so thin that they take seconds.

Every experiment stays and every field that it varies, so the live path is the one that the laptop
and the paper profile take. What a reader asks for stays as it is, too.
"""

from collections.abc import Mapping, Set
from typing import Any

from bnlib.catalogue import DATASETS, NETS
from bnlib.recipe import SAMPLING, AnyRecipe, DeepLinear, Recipe, Timing
from bnlib.study import Experiments

BUILT_IN = {"mnist": "digits", "svhn": "shapes", "cifar10": "shapes", "cifar100": "shapes"}
BUILT_IN |= {"cifar10_grey": "digits"}
WIDTH = 1 / 32
EPOCHS = 2  # so that a curve has a line; 1 where the laptop profile has few, too
FEW = 4
STEPS = 100  # of a deep linear network
SAMPLES = 3  # of a probe: one for each phase of a run
FIELDS = {  # what a parameter of a chapter is called in a recipe, where that differs
    "seeds": "seed",
    "short_epochs": "epochs",
    "learning_rate": "lr",
    "learning_rates": "lr",
    "optimizers": "optimizer",
    "batch_sizes": "batch_size",
}
Asked = Mapping[str, Set[Any]]  # values by the recipe's field


def asked_for(parameters: Mapping[str, Any], defaults: Mapping[str, Any]) -> Asked:
    """The values of the parameters that a reader has changed."""
    found: dict[str, set[Any]] = {}
    for name, value in parameters.items():
        if value != defaults.get(name):
            values = value if isinstance(value, list) else [value]
            values = range(value) if name == "seeds" else values
            found.setdefault(FIELDS.get(name, name), set()).update(values)
    return found


def thin(experiments: Experiments, asked: Asked | None = None) -> Experiments:
    """Of every field at most two values, built-in data, narrow, an epoch or two.

    Three norms: a chapter compares the first two throughout. A value in ``asked`` stays.
    """
    return {name: _thin(recipes, asked or {}) for name, recipes in experiments.items()}


def _thin(recipes: list[AnyRecipe], asked: Asked) -> list[AnyRecipe]:
    trained = [recipe for recipe in recipes if not isinstance(recipe, Timing)]
    fields = type(trained[0]).model_fields if trained else ()
    kept = {field: _kept(field, trained, asked) for field in fields}
    few = [
        _small(recipe, asked)
        for recipe in recipes
        if isinstance(recipe, Timing)
        or all(getattr(recipe, field) in values for field, values in kept.items())
    ]
    return list(dict.fromkeys(few))  # two data sets may have become the same


def _kept(field: str, recipes: list[Recipe], asked: Asked) -> set[Any]:
    values = list(dict.fromkeys(getattr(recipe, field) for recipe in recipes))
    first = 2 if field in ("norm", "seed") else 1
    last = [] if field == "seed" else values[-1:]
    return {*values[:first], *last, *asked.get(field, ())}


def _small(recipe: AnyRecipe, asked: Asked) -> AnyRecipe:
    if isinstance(recipe, Timing):
        return recipe.but(recipe=_small(recipe.recipe, asked), steps=1, repeats=5)
    if isinstance(recipe, DeepLinear):
        return recipe.but(steps=STEPS, probe_every=STEPS // FEW)
    small = {
        "dataset": BUILT_IN.get(recipe.dataset, recipe.dataset),
        "width": min(recipe.width, WIDTH) if NETS[recipe.model].scales else recipe.width,
        "epochs": min(recipe.epochs, EPOCHS if recipe.epochs > FEW else 1),
    }
    stays = {name for name, values in asked.items() if getattr(recipe, name, None) in values}
    thinner = recipe.but(**{name: v for name, v in small.items() if name not in stays})
    if {*SAMPLING} & {*recipe.probes} and "probe_every" not in stays:
        steps = DATASETS[thinner.dataset].images // thinner.batch_size * thinner.epochs
        thinner = thinner.but(probe_every=max(1, steps // SAMPLES))
    return thinner
