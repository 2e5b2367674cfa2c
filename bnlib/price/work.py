"""A run as so many passes of each kind: training, the evaluations, the probes.

A run that diverges or stops early is priced as if it went on. Left out, since they cost little:
reading the data, the initial weights, an epoch's order, the copies that some probes take,
clipping, rates by layer.
"""

from collections.abc import Callable

from bnlib.catalogue import DATASETS, NORMS
from bnlib.measure import layer_inputs, logits, plane, unit_inputs, units, variance_shift
from bnlib.measure.curvature import PRODUCTS
from bnlib.measure.landscape import POINTS
from bnlib.price import passes
from bnlib.price.trace import Work
from bnlib.recipe import AnyRecipe, DeepLinear, Recipe, Timing
from bnlib.training.precise import BATCH, PRECISE
from bnlib.training.timing import WARM_UP

TESTED = {"svhn": 26_032, "digits": 300, "shapes": 1_000}  # test images; 10,000 of the others


def parts(dataset: str) -> tuple[int, int, int]:
    """Images of the training, the validation and the test part."""
    train = DATASETS[dataset].images
    return train, train // 9, TESTED.get(dataset, 10_000)


def work_of(recipe: AnyRecipe) -> Work:
    """The passes of one run."""
    if isinstance(recipe, DeepLinear):
        return Work({passes.deep_linear_step(recipe): recipe.steps})
    if isinstance(recipe, Timing):
        count = recipe.steps * recipe.repeats + min(WARM_UP, recipe.steps)
        return Work({passes.step(arm): count for arm in recipe.arms().values()})
    _, val, test = parts(recipe.dataset)
    work = Work({passes.step(recipe): steps(recipe)})
    for images in (val, test):
        work += _both_ways(recipe, images)
    if _averages(recipe):
        work += _precise(recipe)
    for name in recipe.probes:
        work += PROBES[name](recipe)
    return work


def steps(recipe: Recipe) -> int:
    """Training steps of the whole run."""
    return parts(recipe.dataset)[0] // recipe.batch_size * recipe.epochs


def _averages(recipe: Recipe) -> bool:
    return NORMS[recipe.norm].averages


def _evaluated(recipe: Recipe, images: int, times: int = 1) -> Work:
    """A split of ``images`` evaluated, in batches of which the last may be smaller."""
    return _batches(recipe, images, BATCH, times, passes.evaluation)


def _batches(recipe: Recipe, images: int, size: int, times: int, one: Callable) -> Work:
    full, rest = divmod(images, size)
    counts = {size: full, rest: 1}
    return Work({one(recipe, n): count * times for n, count in counts.items() if n and count})


def _both_ways(recipe: Recipe, images: int) -> Work:
    """A split evaluated after each epoch, twice where running averages are kept."""
    return _evaluated(recipe, images, recipe.epochs * (1 + _averages(recipe)))


def _precise(recipe: Recipe) -> Work:
    """The running averages estimated again after each epoch."""
    images = min(parts(recipe.dataset)[0], PRECISE * BATCH)
    return _batches(recipe, images, BATCH, recipe.epochs, passes.forward)


# What each probe adds


def _nothing(recipe: Recipe) -> Work:
    return Work()


def _tested_again(recipe: Recipe) -> Work:
    again = _precise(recipe) if _averages(recipe) else Work()
    return again + _both_ways(recipe, parts(recipe.dataset)[2])


def _curvature(recipe: Recipe) -> Work:
    samples = -(-steps(recipe) // recipe.probe_every)
    gradients = Work({passes.landscape_point(recipe): samples})
    return gradients + Work({passes.hessian_product(recipe): samples * 2 * PRODUCTS})


def _landscape(recipe: Recipe) -> Work:
    samples = -(-steps(recipe) // recipe.probe_every)
    return Work({passes.landscape_point(recipe): samples * (1 + 3 * POINTS)})


def _layer_inputs(recipe: Recipe) -> Work:
    images = min(layer_inputs.IMAGES, parts(recipe.dataset)[1])
    looks = sum(step % recipe.probe_every <= 1 for step in range(steps(recipe)))
    return Work({passes.forward(recipe, images): looks})


def _logits(recipe: Recipe) -> Work:
    images = min(logits.IMAGES, parts(recipe.dataset)[1])
    return Work({passes.forward(recipe, images): recipe.epochs + 1})


def _plane(recipe: Recipe) -> Work:
    images = min(plane.IMAGES, parts(recipe.dataset)[0] // 20)
    return Work({passes.plane_point(recipe, images): plane.POINTS**2})


def _predictions(recipe: Recipe) -> Work:
    return _evaluated(recipe, parts(recipe.dataset)[2])


def _s2_evaluation(recipe: Recipe) -> Work:
    images = parts(recipe.dataset)[2]
    return _batches(recipe, images, recipe.batch_size, recipe.epochs, passes.forward)


def _shift(recipe: Recipe) -> Work:
    samples = -(-(steps(recipe) - 1) // recipe.probe_every)
    order = passes.forward(recipe, 2)
    return Work({passes.shift_sample(recipe): samples}) + Work({order: 1})


def _unit_inputs(recipe: Recipe) -> Work:
    images = min(unit_inputs.IMAGES, parts(recipe.dataset)[1])
    moments = min(unit_inputs.SAMPLES, steps(recipe))
    return Work({passes.forward(recipe, images): moments})


def _units(recipe: Recipe) -> Work:
    images = min(units.IMAGES, parts(recipe.dataset)[1])
    return Work({passes.step(recipe.but(batch_size=images, clip=0.0)): recipe.epochs + 1})


def _variance_shift(recipe: Recipe) -> Work:
    images = min(variance_shift.IMAGES, parts(recipe.dataset)[0])
    return Work({passes.forward(recipe, images): 2})


def _weights(recipe: Recipe) -> Work:
    return Work({passes.lengths(recipe): recipe.epochs + 1})


PROBES: dict[str, Callable[[Recipe], Work]] = {
    "affine": _nothing,
    "calibration": _tested_again,
    "curvature": _curvature,
    "landscape": _landscape,
    "layer_inputs": _layer_inputs,
    "logits": _logits,
    "noise": _tested_again,
    "plane": _plane,
    "predictions": _predictions,
    "s2_evaluation": _s2_evaluation,
    "shift": _shift,
    "unit_inputs": _unit_inputs,
    "units": _units,
    "variance_shift": _variance_shift,
    "weights": _weights,
}
