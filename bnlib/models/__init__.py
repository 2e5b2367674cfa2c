"""The networks. ``build(recipe)`` gives one, initialised from the recipe's seed."""

from torch import nn

from bnlib import data
from bnlib.models import alexnet, lenet, mlp, resnet, vgg
from bnlib.models.init import initialise
from bnlib.recipe import Recipe

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
    model = MODELS[recipe.model](recipe, channels, classes)
    initialise(model, recipe)
    return model
