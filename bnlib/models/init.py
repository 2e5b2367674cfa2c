"""Initial weights: the scheme of the recipe, drawn layer by layer from the recipe's seed."""

import math

from torch import nn

from bnlib.recipe import Recipe
from bnlib.seeds import stream


def initialise(model: nn.Module, recipe: Recipe) -> None:
    """Draw every weight and bias anew.

    Each layer has a stream of its own, named by its place, so that arms with and without
    normalisation (and hence without and with biases) start from the same weights.
    """
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
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
            case "normal":
                nn.init.normal_(weight, std=recipe.init_std, generator=rng)
        if layer.bias is not None:
            bound = 1 / math.sqrt(fan_in) if recipe.init == "default" else 0.0
            nn.init.uniform_(layer.bias, -bound, bound, generator=rng)
