"""Batch norm folded into the layer before it, in float64."""

import pytest
import torch
from norm_pairs import DOUBLE, gap
from torch import nn

from bnlib.errors import BookError
from bnlib.norm import BatchNorm
from bnlib.norm.fold import fold

LAYERS = {
    "linear": (lambda bias: nn.Linear(3, 4, bias=bias), (5, 3)),
    "conv1d": (lambda bias: nn.Conv1d(3, 4, 3, bias=bias), (5, 3, 7)),
    "conv2d": (lambda bias: nn.Conv2d(3, 4, 3, stride=2, bias=bias), (5, 3, 7, 7)),
    "grouped": (lambda bias: nn.Conv2d(4, 4, 3, groups=2, bias=bias), (5, 4, 7, 7)),
    "conv3d": (lambda bias: nn.Conv3d(3, 4, 3, padding=1, bias=bias), (5, 3, 4, 4, 4)),
}


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"affine": False}], ids=str)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_folding_changes_nothing(name, bias, options):
    make, shape = LAYERS[name]
    layer, bn = make(bias).double(), BatchNorm(4, **options).double()
    for p in bn.parameters():
        nn.init.normal_(p)
    for _ in range(3):
        bn(3 * layer(torch.randn(shape, dtype=DOUBLE)) + 1)
    bn.eval()
    x = torch.randn(shape, dtype=DOUBLE)
    before = bn(layer(x))
    folded = fold(layer, bn)
    assert type(folded) is type(layer)
    assert gap([folded(x)], [before]) < 1e-12
    assert gap([bn(layer(x))], [before]) == 0  # the arguments are untouched


def test_what_cannot_be_folded_is_refused():
    for layer, bn, why in (
        (nn.ReLU(), BatchNorm(3), "cannot fold BatchNorm into ReLU"),
        (nn.Linear(2, 3), nn.LayerNorm(3), "cannot fold LayerNorm into Linear"),
        (nn.Linear(2, 3), BatchNorm(4), "3 outputs, the batch norm 4 channels"),
        (nn.Linear(2, 3), BatchNorm(3, track_running_stats=False), "without running averages"),
    ):
        with pytest.raises(BookError, match=why):
            fold(layer, bn)
