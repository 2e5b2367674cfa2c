"""Our batch norm under autograd's transforms: second derivatives, vmap, compilation."""

import shutil

import pytest
import torch
from norm_pairs import DOUBLE, SHAPES, gap, output_and_gradients, pair
from torch import nn
from torch.func import functional_call, grad, jacrev, stack_module_state, vmap

from bnlib.norm import BatchNorm
from bnlib.norm.functional import batch_norm


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradcheck_and_gradgradcheck(shape):
    x, gamma, beta = (
        torch.randn(s, dtype=DOUBLE, requires_grad=True) for s in (shape, shape[1], shape[1])
    )
    for arguments in ((x, gamma, beta), (x,), (x, gamma, None)):
        f = lambda *a: batch_norm(*a)[0]  # noqa: E731
        assert torch.autograd.gradcheck(f, arguments, check_batched_grad=True)
        assert torch.autograd.gradgradcheck(f, arguments, check_batched_grad=True)


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"affine": False}], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_way_to_the_gradient_gives_the_same(shape, options):
    """The fewest launches; the differentiable formula; under is_grads_batched, which is a vmap."""
    ours, theirs = pair(shape, **options)
    x, dy = torch.randn(2, *shape, dtype=DOUBLE)
    want = output_and_gradients(theirs, x, dy)[1:]
    x.requires_grad_()
    wanted = [x, *ours.parameters()]
    for how in ({}, {"create_graph": True}):
        assert gap(torch.autograd.grad(ours(x), wanted, dy, **how), want) <= 1e-10
    both = torch.autograd.grad(ours(x), wanted, torch.stack([dy, 2 * dy]), is_grads_batched=True)
    assert gap([g[0] for g in both], want) <= 1e-10
    assert gap([g[1] / 2 for g in both], want) <= 1e-10


def test_gradient_penalty_trains_like_torch():
    """Double backward through the module, as a gradient penalty needs it."""
    ours, theirs = pair((8, 3))
    x = torch.randn(8, 3, dtype=DOUBLE, requires_grad=True)
    results = []
    for bn in (ours, theirs):
        (g,) = torch.autograd.grad((bn(x) ** 3).sum(), x, create_graph=True)
        results.append(
            torch.autograd.grad(g.square().sum(), [x, *bn.parameters()], allow_unused=True)
        )
    for a, b in zip(*results, strict=True):
        zero = torch.zeros(())
        assert gap([zero if a is None else a], [zero if b is None else b]) <= 1e-8


@pytest.mark.parametrize("mapped", range(1, 8))
def test_vmap_over_any_of_the_arguments(mapped):
    values = [torch.randn(s, dtype=DOUBLE) for s in ((5, 4, 3, 2), (5, 3), (5, 3))]
    dims = [0 if mapped >> i & 1 else None for i in range(3)]
    arguments = [v if d == 0 else v[0] for v, d in zip(values, dims, strict=True)]

    def ours(*a):
        return batch_norm(*a)[0]

    def theirs(x, gamma, beta):
        return nn.functional.batch_norm(x, None, None, gamma, beta, training=True)

    def each(f):
        one = lambda i: [v[i] if d == 0 else v for v, d in zip(arguments, dims, strict=True)]  # noqa: E731
        return [f(*one(i)) for i in range(5)]

    assert gap([vmap(ours, tuple(dims))(*arguments)], [torch.stack(each(theirs))]) <= 1e-10
    for loss in (torch.sum, lambda y: (y**3).sum()):
        slope = lambda f: grad(lambda *a: loss(f(*a)), (0, 1, 2))  # noqa: B023, E731
        got, want = vmap(slope(ours), tuple(dims))(*arguments), each(slope(theirs))
        assert gap(got, [torch.stack(t) for t in zip(*want, strict=True)]) <= 1e-10
    one = [v[0] for v in values]
    assert gap(jacrev(ours, (0, 1, 2))(*one), jacrev(theirs, (0, 1, 2))(*one)) <= 1e-10


def test_vmap_over_any_axis():
    x, gamma = torch.randn(4, 3, 2, 5, dtype=DOUBLE), torch.randn(3, 5, dtype=DOUBLE)
    got = vmap(lambda x, gamma: batch_norm(x, gamma)[0], (3, 1), out_dims=3)(x, gamma)
    want = [batch_norm(x[..., i], gamma[:, i])[0] for i in range(5)]
    assert gap([got], [torch.stack(want, dim=3)]) <= 1e-10


def test_several_modules_side_by_side():
    """An ensemble under vmap: every member keeps its own buffers."""
    members = [BatchNorm(3).to(DOUBLE) for _ in range(4)]
    parameters, buffers = stack_module_state(members)
    x = torch.randn(4, 6, 3, dtype=DOUBLE)
    y = vmap(lambda p, b, x: functional_call(members[0], (p, b), (x,)))(parameters, buffers, x)
    assert gap(y, [bn(t) for bn, t in zip(members, x, strict=True)]) <= 1e-10
    assert gap(buffers["running_var"], [bn.running_var for bn in members]) <= 1e-10


def test_a_later_step_does_not_disturb_a_pending_backward():
    bn = BatchNorm(3).to(DOUBLE)
    x = torch.randn(2, 6, 3, dtype=DOUBLE, requires_grad=True)
    pending = bn.eval()(x[0]).square().sum() + bn.train()(x[1]).square().sum()
    want = torch.autograd.grad(pending, bn.weight, retain_graph=True)
    bn(x[1])
    assert gap(torch.autograd.grad(pending, bn.weight), want) == 0


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_in_one_graph():
    ours, theirs = pair((8, 3, 5, 4))
    compiled = torch.compile(ours, fullgraph=True)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        x, dy = torch.randn(2, 8, 3, 5, 4, dtype=DOUBLE)
        results = []
        for bn in (compiled, theirs):
            results.append(output_and_gradients(bn, x, dy))
        assert gap(*results) <= 1e-10
        assert gap(ours.buffers(), theirs.buffers()) <= 1e-10
