"""Copies of a network on which something can be tried while the network itself stays as it is."""

import copy

from torch import nn

from bnlib.models.dropout import Drawing


def twin_of(model: nn.Module, training: bool, dropout: bool = True) -> nn.Module:
    """A copy of ``model``, running averages and noise included, in training or evaluation mode.

    It draws what ``model`` would draw next (masks, injected noise); without ``dropout`` nothing."""
    twin = copy.deepcopy(model).train(training)
    if not dropout:
        for layer in twin.modules():
            if isinstance(layer, nn.Dropout | Drawing):
                layer.eval()
    return twin
