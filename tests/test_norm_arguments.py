"""Our batch norm takes what nn.BatchNorm1d, 2d and 3d take, and does the same with it."""

import inspect

import pytest
import torch
from norm_pairs import DOUBLE, SHAPES, check_alike, gap, output_and_gradients, pair
from torch import nn

from bnlib.norm import BatchNorm, LpNorm

EMPTY = [(0, 3), (0, 3, 5), (0, 3, 4, 4), (0, 3, 1, 1), (4, 3, 0, 4), (0, 3, 2, 2, 2)]


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d])
def test_same_parameters_with_the_same_defaults(kind):
    def listed(layer):
        parameters = inspect.signature(layer).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert listed(BatchNorm) == listed(kind)


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gamma_without_beta(shape, momentum):
    ours, theirs = pair(shape, momentum=momentum, bias=False)
    assert ours.beta is None
    assert repr(ours).removeprefix("BatchNorm") == repr(theirs)[len("BatchNorm1d") :]
    for training in (True, True, False):
        ours.train(training), theirs.train(training)
        check_alike(ours, theirs, torch.randn(shape, dtype=DOUBLE) + 1)
    for source, target in ((ours, theirs), (theirs, ours)):
        nn.init.normal_(source.weight)
        target.load_state_dict(source.state_dict(), strict=True)
        assert gap(target.state_dict().values(), source.state_dict().values()) == 0


@pytest.mark.parametrize("options", [{}, {"affine": False}, {"bias": False}], ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, None])
@pytest.mark.parametrize("device", ["cpu", "meta", None])
def test_device_and_dtype(device, dtype, options):
    def described(bn):
        return {name: (t.dtype, t.device, t.shape) for name, t in bn.state_dict().items()}

    options = {"device": device, "dtype": dtype, **options}
    ours, theirs = BatchNorm(3, **options), nn.BatchNorm2d(3, **options)
    assert described(ours) == described(theirs)
    if device != "meta":
        assert gap(ours.state_dict().values(), theirs.state_dict().values()) == 0


@pytest.mark.parametrize("options", [{}, {"affine": False}, {"bias": False}], ids=str)
@pytest.mark.parametrize("track", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", EMPTY, ids=str)
def test_an_empty_batch(shape, training, track, options):
    """Shape, gradients of zero, averages as they were, the batch counted: as in PyTorch."""
    ours, theirs = pair(shape, track_running_stats=track, **options)
    for momentum in (0.1, None):
        for bn in (ours, theirs):
            bn.momentum = momentum
            bn.train()(torch.ones(2, *shape[1:], dtype=DOUBLE)) if 0 not in shape[1:] else None
            bn.train(training)
        x = torch.zeros(shape, dtype=DOUBLE)
        got, want = (output_and_gradients(bn, x, x) for bn in (ours, theirs))
        assert [(t.shape, t.dtype) for t in got] == [(t.shape, t.dtype) for t in want]
        assert [t.tolist() for t in got] == [t.tolist() for t in want]
        assert gap(ours.buffers(), theirs.buffers()) <= 1e-12


def test_an_empty_batch_of_the_other_norms():
    bn = LpNorm(3, 2)
    assert bn(torch.zeros(0, 3, 4)).shape == (0, 3, 4)
    assert bn.running_norm.tolist() == [1, 1, 1]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("was", [True, False])
def test_tracking_switched_on_later_or_averages_removed(was, training):
    """PyTorch lets both happen, and then normalises by the batch."""
    ours, theirs = pair((5, 3), track_running_stats=was)
    for bn in (ours, theirs):
        bn.track_running_stats = True
        bn.running_mean = bn.running_var = bn.num_batches_tracked = None
        bn.train(training)
    check_alike(ours, theirs, torch.randn(5, 3, dtype=DOUBLE))


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1), (1, 3, 1, 1, 1)])
def test_one_value_per_channel_is_refused_in_evaluation_too_without_averages(shape):
    for bn in pair(shape, track_running_stats=False):
        with pytest.raises(ValueError, match="more than 1 value per channel when training"):
            bn.eval()(torch.randn(shape, dtype=DOUBLE))
