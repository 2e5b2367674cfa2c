"""Group norm (Wu & He 2018): the channels in groups, each normalised over one image's positions;
and layer norm (Ba et al. 2016), which is one group of all.

No image sees another, so nothing is averaged for later. A group keeps the differences between its
channels' means, so a bias in the layer before it still has an effect.
"""

from torch import nn

GROUPS = 32  # the paper's default


def group_norm(channels: int, spatial_dims: int) -> nn.GroupNorm:
    """In 32 groups, or as many below that as divide the channels.

    So 32 channels or fewer are groups of one: instance norm, which does take a bias away.
    Without positions to average over, a channel alone would always come out as 0: there a group
    takes two at least."""
    most = GROUPS if spatial_dims else min(GROUPS, max(1, channels // 2))
    return nn.GroupNorm(next(g for g in range(most, 0, -1) if channels % g == 0), channels)


def layer_norm(channels: int, spatial_dims: int) -> nn.GroupNorm:
    """Over all channels and positions of an image; gamma and beta a channel, as in batch norm."""
    return nn.GroupNorm(1, channels)
