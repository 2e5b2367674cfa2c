"""The ℓp norms against a plain float64 formula, numbers by hand, batch norm where they meet."""

import copy
import math

import pytest
import torch
from norm_pairs import DOUBLE, SHAPES, gap, output_and_gradients
from torch import nn
from torch.func import vmap

from bnlib.errors import BookError
from bnlib.norm import BATCH_NORMS, LpNorm, norm_layer
from bnlib.norm.fold import fold
from bnlib.norm.functional import lp_norm
from bnlib.recipe import Recipe

P = {"l1": 1, "l2": 2, "linf": math.inf}
each_p = pytest.mark.parametrize("p", P.values())


def statistics(x, p):
    """Mean and norm of every channel, one channel after the other."""
    values = [x.double()[:, c].flatten() for c in range(x.shape[1])]
    norms = [torch.linalg.vector_norm(v, p) / len(v) ** (1 / p) for v in values]
    return torch.stack([v.mean() for v in values]), torch.stack(norms)


def formula(x, mean, size, gamma, beta, eps=1e-5):
    """y = gamma (x - mean) / sqrt(size² + eps) + beta with the channels at the end."""
    y = gamma * (x.movedim(1, -1) - mean) / torch.sqrt(size**2 + eps) + beta
    return y.movedim(-1, 1)


def layer(channels, p, **options) -> LpNorm:
    """With gamma and beta away from their starting values."""
    made = LpNorm(channels, p, **options).to(DOUBLE)
    nn.init.normal_(made.weight), nn.init.normal_(made.bias)
    return made


@each_p
@pytest.mark.parametrize("momentum", [0.1, 0.3, None])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_is_the_formula_over_many_steps_in_both_modes(shape, momentum, p):
    ours = layer(shape[1], p, momentum=momentum, eps=1e-3)
    mean, size, seen = torch.zeros(shape[1]).double(), torch.ones(shape[1]).double(), 0
    for step in range(9):
        x = 2 * torch.randn(shape, dtype=DOUBLE) + step
        dy = torch.randn_like(x)
        leaves = [t.detach().clone().requires_grad_() for t in (x, ours.weight, ours.bias)]
        if step % 4 == 3:
            used = mean, size
            ours.eval()
        else:
            used = statistics(leaves[0], p)
            ours.train()
            seen += 1
            t = 1 / seen if momentum is None else momentum
            mean = (1 - t) * mean + t * used[0].detach()
            size = (1 - t) * size + t * used[1].detach()
        want = formula(leaves[0], *used, *leaves[1:], eps=1e-3)
        gradients = torch.autograd.grad(want, leaves, dy)
        assert gap(output_and_gradients(ours, x, dy), [want.detach(), *gradients]) <= 1e-10
        assert gap([ours.running_mean, ours.running_norm], [mean, size]) <= 1e-10
    assert ours.num_batches_tracked == seen == 7


def test_by_hand():
    """3 and −4: mean −½, so 3.5 and −3.5 over 3.5, √12.5 and 4; gamma 2, beta 1."""
    x = torch.tensor([[3.0], [-4.0]], dtype=DOUBLE)
    for p, size in ((1, 3.5), (2, math.sqrt(12.5)), (math.inf, 4.0)):
        two, one = torch.tensor([[2.0], [1.0]], dtype=DOUBLE)
        y, mean, found = lp_norm(x, p, two, one, 0.0)
        assert y.flatten().tolist() == pytest.approx([1 + 7 / size, 1 - 7 / size])
        assert (mean.item(), found.item()) == pytest.approx((-0.5, size))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_l2_of_what_is_centred_is_batch_norm(shape):
    ours = layer(shape[1], 2)
    x = torch.randn(shape, dtype=DOUBLE)
    x = x - x.mean([0, *range(2, x.dim())], keepdim=True)
    want = nn.functional.batch_norm(x, None, None, ours.weight, ours.bias, training=True)
    assert gap([ours(x)], [want]) <= 1e-10


@each_p
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradcheck_and_gradgradcheck(shape, p):
    arguments = [torch.randn(s, dtype=DOUBLE, requires_grad=True) for s in (shape, 3, 3)]
    f = lambda x, gamma, beta: lp_norm(x, p, gamma, beta)[0]  # noqa: E731
    assert torch.autograd.gradcheck(f, arguments)
    assert torch.autograd.gradgradcheck(f, arguments)


@each_p
@pytest.mark.parametrize("alpha", [0.01, 3.0, 100.0, -2.0])
def test_scale_drops_out_without_eps_but_a_shift_does_not(p, alpha):
    ours = layer(3, p, eps=0.0)
    x, dy = torch.randn(2, 4, 3, 5, 2, dtype=DOUBLE)
    y, dx, dgamma, _ = output_and_gradients(ours, x, dy)
    scaled, dx_scaled, dgamma_scaled, _ = output_and_gradients(ours, alpha * x, dy)
    beta = ours.bias.view(1, 3, 1, 1)
    assert gap([scaled - beta], [math.copysign(1, alpha) * (y - beta)]) <= 1e-10
    assert gap([dx_scaled], [dx / abs(alpha)]) <= 1e-8
    assert gap([dgamma_scaled], [math.copysign(1, alpha) * dgamma]) <= 1e-10
    sizes = [statistics(values, p)[1].view(1, 3, 1, 1) for values in (x, x + 5)]
    assert gap([ours(x + 5) - beta], [(y - beta) * sizes[0] / sizes[1]]) <= 1e-10
    repeated = x.repeat(4, 1, 1, 1)  # the norm is free of the number of values
    assert gap([ours(repeated)], [y.repeat(4, 1, 1, 1)]) <= 1e-10


@each_p
def test_a_channel_of_zeros_gives_beta_and_finite_gradients(p):
    ours = layer(3, p)
    x = torch.randn(6, 3, dtype=DOUBLE)
    x[:, 1] = 0
    y, *gradients = output_and_gradients(ours, x, torch.randn_like(x))
    assert gap([y[:, 1]], [ours.bias[1].expand(6)]) == 0
    assert all(g.isfinite().all() for g in gradients)


@each_p
def test_half_precision_layouts_and_vmap(p):
    x = (torch.randn(64, 4, 8, 8) + 3).to(memory_format=torch.channels_last)
    ours, truth = LpNorm(4, p), LpNorm(4, p).double()
    y, want = ours(x.bfloat16()), truth(x.bfloat16().double())
    assert (y.dtype, ours.running_norm.dtype) == (torch.bfloat16, torch.float32)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert gap([y], [want]) <= 2**-7 * want.abs().max()
    assert gap([ours.running_mean, ours.running_norm], [truth.running_mean, truth.running_norm]) < (
        1e-5
    )
    ensemble, gamma, beta = torch.randn(5, 6, 3, 4), torch.randn(3), torch.randn(3)
    side_by_side = vmap(lambda x: lp_norm(x, p, gamma, beta)[0])(ensemble)
    assert gap(side_by_side, [lp_norm(x, p, gamma, beta)[0] for x in ensemble]) <= 1e-5


@each_p
def test_errors_and_the_switch(p):
    ours = LpNorm(3, p)
    for shape in ((1, 3), (1, 3, 1, 1)):
        with pytest.raises(ValueError, match="ℓp norm needs more than 1 value per channel when"):
            ours(torch.randn(shape))
        assert copy.deepcopy(ours).eval()(torch.randn(shape)).shape == shape
    with pytest.raises(ValueError, match=r"LpNorm\(3, p=.* expects an input of shape \(N, 3, "):
        ours(torch.randn(4, 2))
    assert ours.num_batches_tracked == 0
    with torch.no_grad():  # the switch is `training`, not the gradient mode
        ours(torch.randn(8, 3))
    ours.eval()(torch.randn(8, 3))
    assert ours.num_batches_tracked == 1
    ours.reset_running_stats()
    assert gap(ours.state_dict().values(), LpNorm(3, p).state_dict().values()) == 0
    with pytest.raises(ValueError, match="p=3: choose 1, 2 or inf"):
        LpNorm(3, 3)(torch.randn(8, 3))
    with pytest.raises(BookError, match="cannot fold LpNorm into Linear"):
        fold(nn.Linear(2, 3), ours)


def test_registry():
    for name, p in P.items():
        made = norm_layer(name, 5, 2)
        assert isinstance(made, LpNorm)
        assert not isinstance(made, BATCH_NORMS)
        assert (made.p, made.num_features) == (p, 5)
    with pytest.raises(
        BookError, match="'none', 'batch', 'torch', 'naive', 'bare', 'l1', 'l2', 'linf'"
    ):
        Recipe(norm="l3")
