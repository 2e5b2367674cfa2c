"""Our batch norm against PyTorch's, in float64, on fresh random inputs."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from norm_pairs import DOUBLE, SHAPES, check_alike, gap, output_and_gradients, pair
from torch import nn

from bnlib.catalogue import NORMS
from bnlib.errors import BookError
from bnlib.norm import BATCH_NORMS, BatchNorm, NaiveBatchNorm, norm_layer
from bnlib.norm.functional import statistics


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("momentum", [0.1, 0.3, None])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_equals_torch_over_many_steps_in_both_modes(shape, momentum, affine):
    ours, theirs = pair(shape, momentum=momentum, affine=affine)
    for step in range(12):
        training = step % 4 != 3
        ours.train(training), theirs.train(training)
        check_alike(ours, theirs, 2 * torch.randn(shape, dtype=DOUBLE) + step)
    assert ours.num_batches_tracked == 9


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_left_to_autograd_it_is_the_same(shape):
    naive, ours = NaiveBatchNorm(shape[1]).double(), BatchNorm(shape[1]).double()
    for step in range(3):
        check_alike(naive, ours, 2 * torch.randn(shape, dtype=DOUBLE) + step)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    shift=st.floats(-100, 100),
    training=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_equals_torch_on_any_shape(sizes, shift, training, seed):
    torch.manual_seed(seed)
    x = torch.randn(sizes, dtype=DOUBLE) + shift
    ours, theirs = pair(sizes)
    ours.train(training), theirs.train(training)
    if training and x.numel() == x.shape[1]:
        for bn in (ours, theirs):
            with pytest.raises(ValueError, match="more than 1 value per channel when training"):
                bn(x)
    else:
        check_alike(ours, theirs, x, tolerance=1e-8)  # m = 2 nearly equal values: inv is large


@pytest.mark.parametrize("track", [False, None])
def test_without_running_statistics(track):
    """Never tracked, and (None) no longer tracked: then evaluation still reads the buffers."""
    ours, theirs = pair((5, 3), track_running_stats=track is None)
    ours.track_running_stats = theirs.track_running_stats = False
    for training in (True, False):
        ours.train(training), theirs.train(training)
        check_alike(ours, theirs, torch.randn(5, 3, dtype=DOUBLE))
    assert len(list(ours.buffers())) == (3 if track is None else 0)


def test_state_dicts_interchange_strictly():
    for name, kind in (("1d", nn.BatchNorm1d), ("2d", nn.BatchNorm2d), ("3d", nn.BatchNorm3d)):
        ours, theirs = BatchNorm(4), kind(4)
        nn.init.normal_(ours.running_mean), nn.init.uniform_(theirs.running_var)
        for source, target in ((ours, kind(4)), (theirs, BatchNorm(4)), (ours, BatchNorm(4))):
            target.load_state_dict(source.state_dict(), strict=True)
            assert list(target.state_dict()) == list(source.state_dict()), name
            assert gap(target.state_dict().values(), source.state_dict().values()) == 0
    assert set(BatchNorm(4, affine=False).state_dict()) == set(
        nn.BatchNorm2d(4, affine=False).state_dict()
    )


def test_gamma_and_beta_are_weight_and_bias():
    bn = BatchNorm(2)
    assert bn.gamma is bn.weight
    assert bn.beta is bn.bias
    assert repr(bn).startswith("BatchNorm(2, eps=1e-05, momentum=0.1, affine=True")


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1)])
def test_one_value_per_channel_is_refused_in_training_only(shape):
    bn = BatchNorm(3)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        bn(torch.randn(shape))
    assert bn.num_batches_tracked == 0
    assert bn.eval()(torch.randn(shape)).shape == shape


@pytest.mark.parametrize("shape", [(3,), (4, 2), (4, 2, 3), (1, 3, 1, 1, 1, 1)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expects an input of shape \(N, 3"):
        BatchNorm(3)(torch.randn(shape))


@pytest.mark.parametrize("layout", ["channels_last", "transposed", "strided", "expanded"])
def test_memory_layouts(layout):
    x = {
        "channels_last": torch.randn(4, 3, 6, 5).to(memory_format=torch.channels_last),
        "transposed": torch.randn(6, 5, 3, 4).permute(3, 2, 0, 1),
        "strided": torch.randn(8, 6, 6, 5)[::2, 1::2],
        "expanded": torch.randn(4, 3, 1, 5).expand(4, 3, 6, 5),
    }[layout].to(DOUBLE)
    ours, theirs = pair(x.shape)
    before = x.clone()
    check_alike(ours, theirs, x)
    assert torch.equal(x, before)
    if layout == "channels_last":
        assert ours(x).is_contiguous(memory_format=torch.channels_last)


def test_an_expanded_gradient_is_handled():
    """y.sum().backward() sends one number with stride 0 to every place."""
    ours, theirs = pair((6, 3))
    x = torch.randn(6, 3, dtype=DOUBLE)
    dy = torch.ones((), dtype=DOUBLE).expand(6, 3)
    assert gap(output_and_gradients(ours, x, dy), output_and_gradients(theirs, x, dy)) <= 1e-10


@pytest.mark.parametrize("training", [True, False])
def test_fp32_stays_accurate_far_from_zero(training):
    x = (torch.randn(64, 8, 6, 6) + 1000).float()
    ours, theirs, truth = BatchNorm(8), nn.BatchNorm2d(8), nn.BatchNorm2d(8).double()
    for bn in (ours, theirs, truth):
        bn(x.to(bn.weight.dtype)), bn.train(training)
    dy = torch.randn_like(x)
    exact = output_and_gradients(truth, x.double(), dy.double())
    error = [output_and_gradients(bn, x, dy) for bn in (ours, theirs)]
    for a, b, e in zip(*error, exact, strict=True):
        scale = e.abs().max().item()
        assert gap([a], [e]) <= 2 * gap([b], [e]) + 1e-6 * scale
    assert gap([ours.running_var], [truth.running_var]) <= 1e-5


@pytest.mark.parametrize("one_launch", [True, False])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e5])
def test_statistics_in_fp32_lose_only_what_rounding_the_mean_loses(offset, one_launch):
    """A float32 near 1e5 is a multiple of 2^-7, so the mean is off by up to half of that. Where
    means and squares are summed in fp32 and left so, var is off by 1e-4 and more there."""
    x = (3 * torch.randn(128, 8, 12, 12) + offset).float()
    var, mean = torch.var_mean(x.double(), (0, 2, 3), correction=1)
    got_mean, got_var, xc, _ = statistics(x, one_launch)
    step = torch.finfo(torch.float32).eps * offset  # no less than the spacing of float32 there
    assert ((got_var - var) / var).abs().max() <= 1e-5
    assert gap([got_mean], [mean]) <= step + 1e-6
    assert gap([xc], [x.double() - mean.view(1, 8, 1, 1)]) <= step + 1e-5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_counts_in_fp32(dtype):
    """fp32 parameters and half inputs (as autocast has it), then everything in half."""
    x = (torch.randn(256, 4, 8, 8) + 3).to(dtype)
    dy = torch.randn_like(x)
    truth = nn.BatchNorm2d(4).double()
    exact = output_and_gradients(truth, x.double(), dy.double())
    ours = BatchNorm(4)
    got = output_and_gradients(ours, x, dy)
    assert [t.dtype for t in got] == [dtype, dtype, torch.float32, torch.float32]
    for a, e in zip(got, exact, strict=True):
        assert gap([a], [e]) <= torch.finfo(dtype).eps * e.abs().max().item()
    assert (
        gap([ours.running_mean, ours.running_var], [truth.running_mean, truth.running_var]) < 1e-6
    )
    whole = BatchNorm(4).to(dtype)
    assert {t.dtype for t in output_and_gradients(whole, x, dy)} == {dtype}
    assert whole.running_var.dtype == dtype
    assert gap([whole.eval()(x)], [ours.eval()(x)]) < 0.1


def test_the_switch_is_training_not_grad_mode():
    bn, x = BatchNorm(3), torch.randn(8, 3)
    with torch.no_grad():
        bn(x)
    assert bn.num_batches_tracked == 1
    kept = copy.deepcopy(bn.state_dict())
    bn.eval()(x)
    assert gap(kept.values(), bn.state_dict().values()) == 0


def test_registry():
    for name in NORMS:
        for dims, shape in ((0, (4, 3)), (2, (4, 3, 5, 5))):
            assert norm_layer(name, 3, dims)(torch.randn(shape)).shape == shape
    assert isinstance(norm_layer("batch", 3, 2), BATCH_NORMS)
    with pytest.raises(BookError, match="unknown norm 'bach': choose one of none, batch, torch,"):
        norm_layer("bach", 3, 2)
