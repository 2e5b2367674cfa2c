"""The networks. ``build(recipe)`` gives one, initialised from the recipe's seed."""

from importlib import import_module

import torch
from torch import nn

from bnlib.catalogue import DATASETS, NETS
from bnlib.models.dropout import Noise, noises, share
from bnlib.models.init import initialise
from bnlib.recipe import Recipe
from bnlib.seeds import seed_of


def build(recipe: Recipe) -> nn.Module:
    """The network of ``recipe``, on the CPU, its weights drawn from the stream of its seed."""
    noise = Noise(seed_of(recipe.seed, "noise"))
    with torch.random.fork_rng([]):
        # PyTorch's layers draw weights of their own when they are made. They go unused, but on a
        # CPU the noise has always begun behind them.
        torch.default_generator.manual_seed(noise.seed)
        model = structure(recipe)
        noise.set_state(torch.default_generator.get_state())
    share(model, noise)
    initialise(model, recipe)
    return model


def structure(recipe: Recipe) -> nn.Module:
    """The network with weights that mean nothing: to count and to look at, under
    ``torch.device("meta")`` without any memory for them."""
    net, dataset = NETS[recipe.model], DATASETS[recipe.dataset]
    module = import_module(f"bnlib.models.{net.module}")
    return module.build(recipe, dataset.channels, dataset.classes)


def noise_of(model: nn.Module) -> list[torch.Generator]:
    """The generators that a step of ``model`` draws from."""
    return [noise.generator for noise in noises(model)]
