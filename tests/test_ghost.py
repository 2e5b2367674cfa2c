"""Ghost batch norm against PyTorch's, part by part, and from the catalogue's recipes."""

import pytest
import torch
from torch import nn

from bnlib import models
from bnlib.errors import BookError
from bnlib.norm import GhostBatchNorm
from bnlib.recipe import Recipe


@pytest.mark.parametrize("shape", [(12, 5), (12, 5, 3, 3), (11, 5, 2, 2)])
def test_each_part_is_a_batch_of_its_own(shape):
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 3 + 1
    x.requires_grad_()
    ours = GhostBatchNorm(5, images=4).double()
    kind = nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d
    parts, means, variances, images = [], [], [], []
    for part in x.split(4):
        theirs = kind(5).double()
        parts.append(theirs(part))
        means.append(theirs.running_mean * len(part))
        variances.append(theirs.running_var * len(part))
        images.append(len(part))
    weights = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    (expected,) = torch.autograd.grad((torch.cat(parts) * weights).sum(), x)
    y = ours(x)
    (found,) = torch.autograd.grad((y * weights).sum(), x)
    assert torch.allclose(y, torch.cat(parts), atol=1e-10)
    assert torch.allclose(found, expected, atol=1e-10)
    assert torch.allclose(ours.running_mean, sum(means) / sum(images), atol=1e-10)
    assert torch.allclose(ours.running_var, sum(variances) / sum(images), atol=1e-10)


def test_one_part_is_batch_norm_and_evaluation_knows_no_parts():
    x = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    ours, theirs = GhostBatchNorm(5, images=6).double(), nn.BatchNorm1d(5).double()
    assert torch.allclose(ours(x), theirs(x), atol=1e-10)
    ours.images = 2
    assert torch.allclose(ours.eval()(x), theirs.eval()(x), atol=1e-10)


def test_a_recipe_asks_for_parts():
    recipe = Recipe(model="mlp", dataset="digits", norm="batch", ghost=16)
    layers = [m for m in models.build(recipe).modules() if isinstance(m, GhostBatchNorm)]
    assert [layer.images for layer in layers] == [16] * 3
    for wrong in ({"ghost": 1}, {"ghost": 16, "norm": "torch"}):
        with pytest.raises(BookError, match="ghost is 2 or more, with norm 'none' or 'batch'"):
            recipe.but(**wrong)
    with pytest.raises(ValueError, match="parts of 2 images or more"):
        GhostBatchNorm(5, images=1)
