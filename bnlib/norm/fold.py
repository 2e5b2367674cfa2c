"""Fold batch norm into the layer before it: at inference both are one linear map."""

from __future__ import annotations

import copy

import torch
from torch import nn

from bnlib.errors import BookError
from bnlib.norm.layers import BATCH_NORMS

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@torch.no_grad()
def fold(layer: nn.Module, bn: nn.Module) -> nn.Module:
    """One layer that computes bn(layer(x)) with bn's running averages.

    W' = s W and b' = s (b - mean) + beta with s = gamma / sqrt(var + eps).
    Neither argument is changed.
    """
    if not isinstance(layer, _LAYERS) or not isinstance(bn, BATCH_NORMS):
        raise BookError(
            f"cannot fold {type(bn).__name__} into {type(layer).__name__}: fold takes one of"
            f" {', '.join(kind.__name__ for kind in _LAYERS)} and the batch norm that follows it"
        )
    if bn.running_var is None:
        raise BookError("cannot fold a batch norm without running averages: it needs a batch")
    if len(layer.weight) != bn.num_features:
        raise BookError(
            f"cannot fold: the layer has {len(layer.weight)} outputs,"
            f" the batch norm {bn.num_features} channels"
        )
    scale = torch.rsqrt(bn.running_var + bn.eps)
    shift = torch.zeros_like(scale)
    if bn.weight is not None:
        scale = scale * bn.weight
    if bn.bias is not None:
        shift = bn.bias
    bias = 0 if layer.bias is None else layer.bias
    folded = copy.deepcopy(layer).eval()
    folded.weight.copy_(layer.weight * scale.view(-1, *[1] * (layer.weight.dim() - 1)))
    folded.bias = nn.Parameter(shift + (bias - bn.running_mean) * scale)
    return folded
