"""Initial weights: the scheme of the recipe, drawn layer by layer from the recipe's seed."""

import math

from torch import nn

from bnlib.errors import BookError
from bnlib.norm import NORM_LAYERS
from bnlib.recipe import Recipe
from bnlib.seeds import stream

WEIGHTED = (nn.Conv2d, nn.Linear)


def initialise(model: nn.Module, recipe: Recipe) -> None:
    """Draw every weight and bias anew.

    Each layer has a stream of its own, named by its place, so that arms with and without
    normalisation (and hence without and with biases) start from the same weights.
    """
    _check(model)
    layers = [m for m in model.modules() if isinstance(m, WEIGHTED)]
    for place, layer in enumerate(layers):
        weight, rng = layer.weight, stream(recipe.seed, "init", place)
        fan_in = weight[0].numel()
        match recipe.init:
            case "default":  # PyTorch's: U(-1/sqrt(fan_in), 1/sqrt(fan_in)), biases too
                nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=rng)
            case "xavier":
                nn.init.xavier_uniform_(weight, generator=rng)
            case "he":
                nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=rng)
            case "normal_inside" if layer is layers[-1]:
                nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=rng)
            case "normal" | "normal_inside":
                nn.init.normal_(weight, std=recipe.init_std, generator=rng)
        if layer.bias is not None:
            bound = 1 / math.sqrt(fan_in) if recipe.init == "default" else 0.0
            nn.init.uniform_(layer.bias, -bound, bound, generator=rng)


def _check(model: nn.Module) -> None:
    """A parameter that nobody draws would start from whatever PyTorch's global stream gave it."""
    for place, layer in model.named_modules():
        for name, _ in layer.named_parameters(recurse=False):
            if not isinstance(layer, (*WEIGHTED, *NORM_LAYERS)) or name not in ("weight", "bias"):
                raise BookError(
                    f"no initial value for the parameter {name!r} of the {type(layer).__name__} at "
                    f"{place!r}: bnlib.models.init knows the weight and bias of convolutions, "
                    f"linear layers and norms; teach it this one"
                )
