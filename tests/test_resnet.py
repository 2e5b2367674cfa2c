"""What a ResNet and a timing refuse or heed, beyond what all convolutional nets do."""

import pytest

from bnlib import models
from bnlib.errors import BookError
from bnlib.recipe import Recipe, Timing


def test_resnet_takes_the_recipes_activation():
    net = models.build(Recipe(model="resnet18", width=1 / 32, activation="tanh"))
    assert "ReLU" not in str(net)
    assert "Tanh" in str(net)


@pytest.mark.parametrize("fields", [{"image_size": 64}, {"dropout": 0.5}], ids=str)
def test_a_timing_with_an_arm_that_is_no_recipe_is_refused_at_once(fields):
    with pytest.raises(BookError, match="alexnet"):
        Timing(recipe=Recipe(model="alexnet", **fields), models=("alexnet", "resnet18"))
