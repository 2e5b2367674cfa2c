"""What one training step of our batch norm launches, and that it never asks the host."""

import math

import pytest
import torch
from norm_pairs import SHAPES
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bnlib.norm import BatchNorm, LpNorm

# Per layer, forward + backward, the running averages' update included. The tensors of the device
# "meta" have no values, but whatever is not on a CPU takes the same steps as on a card.
LAUNCHES, PASSES = {"meta": 16, "cpu": 22}, {"meta": 8, "cpu": 12}


class Counting(TorchDispatchMode):
    """A launch: every operation that reaches PyTorch's kernels, in place or not, on a tensor of
    any size, a foreach over several tensors once. Not counted: views and reshapes (nothing moves)
    and empty arrays (nothing is written).

    A pass: a launch that reads or writes at least one array with as many values as x.
    """

    def __init__(self, size: int):
        super().__init__()
        self.size, self.launches, self.passes = size, [], []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if not function.is_view and "empty" not in function.name():
            self.launches.append(function.name())
            tensors = [t for t in tree_leaves((args, kwargs, result)) if torch.is_tensor(t)]
            if any(t.numel() == self.size for t in tensors):
                self.passes.append(function.name())
        return result


def step(bn, shape, device=None):
    x, dy = torch.randn(2, *shape, device=device)
    x.requires_grad_()
    with Counting(x.numel()) as counted:
        slopes = torch.autograd.grad(bn(x), [x, *bn.parameters()], dy)
    return counted, slopes


@pytest.mark.parametrize("device", LAUNCHES)
@pytest.mark.parametrize("shape", [(16, 7), (16, 7, 6, 5)], ids=str)
def test_launches_and_passes_of_a_training_step(shape, device):
    counted, _ = step(BatchNorm(7, device=device), shape, device)
    assert len(counted.launches) <= LAUNCHES[device], counted.launches
    assert len(counted.passes) <= PASSES[device], counted.passes


def test_the_count_sees_what_it_should():
    x, vector = torch.randn(4, 3, 2), torch.randn(3, 1)
    with Counting(x.numel()) as counted:
        torch.empty_like(x).view(4, 6)
        x.mean((0, 2)).add_(1)
        torch.addcmul(vector, x, vector, out=torch.empty_like(x))
        torch._foreach_mul([vector, vector], 2)
    passes = ["aten::mean.dim", "aten::addcmul.out"]
    assert counted.passes == passes
    assert counted.launches == [
        passes[0],
        "aten::add_.Tensor",
        passes[1],
        "aten::_foreach_mul.Scalar",
    ]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_fake_tensors_run_through_and_no_value_is_read(shape, momentum, training):
    """Fake tensors have shapes, but no values; those of constants are known, so we count, too."""
    layers = {
        "affine": lambda: BatchNorm(3, momentum=momentum),
        "no beta": lambda: BatchNorm(3, momentum=momentum, bias=False),
        "no gamma": lambda: BatchNorm(3, momentum=momentum, affine=False),
        "untracked": lambda: BatchNorm(3, track_running_stats=False),
        "lp": lambda: LpNorm(3, math.inf, momentum=momentum),
    }
    for name, make in layers.items():
        with FakeTensorMode():
            bn = make().train(training)
            counted, slopes = step(bn, shape)
        assert [s.shape for s in slopes] == [shape, *(p.shape for p in bn.parameters())], name
        assert "aten::_local_scalar_dense" not in counted.launches, name  # .item(), bool(), float()
