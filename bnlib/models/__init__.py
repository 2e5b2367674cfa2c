"""The networks. ``build(recipe)`` gives one, initialised from the recipe's seed."""

import torch
from torch import nn

from bnlib import data
from bnlib.models import alexnet, lenet, mlp, resnet, vgg
from bnlib.models.dropout import Noise, noises, share
from bnlib.models.init import initialise
from bnlib.recipe import Recipe
from bnlib.seeds import seed_of

MODELS = {
    "lenet": lenet.build,
    "mlp": mlp.build,
    "alexnet": alexnet.build,
    "resnet18": resnet.build,
    "vgg_a": vgg.build,
    "vgg_a_light": vgg.build,
    "vgg16": vgg.build,
}


def build(recipe: Recipe) -> nn.Module:
    """The network of ``recipe``, on the CPU, its weights drawn from the stream of its seed."""
    channels, classes = data.SHAPES[recipe.dataset]
    noise = Noise(seed_of(recipe.seed, "noise"))
    with torch.random.fork_rng([]):
        # PyTorch's layers draw weights of their own when they are made. They go unused, but on a
        # CPU the noise has always begun behind them.
        torch.default_generator.manual_seed(noise.seed)
        model = MODELS[recipe.model](recipe, channels, classes)
        noise.set_state(torch.default_generator.get_state())
    share(model, noise)
    initialise(model, recipe)
    return model


def noise_of(model: nn.Module) -> list[torch.Generator]:
    """The generators that a step of ``model`` draws from."""
    return [noise.generator for noise in noises(model)]
