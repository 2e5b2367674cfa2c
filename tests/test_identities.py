"""What chapter 2 proves about batch norm, checked in float64."""

import math

import pytest
import torch
from norm_pairs import DOUBLE, gap
from torch import nn

from bnlib.norm import BatchNorm
from bnlib.norm.functional import batch_norm

SCALED = pytest.mark.parametrize("alpha", [0.01, 0.5, 3.0, 100.0])


def random(*shape):
    return torch.randn(*shape, dtype=DOUBLE)


def layer_gradients(w, x, eps, dy, gamma=None):
    """y = BN(x w) and the gradients of <dy, y> with respect to x and w."""
    w, x = w.clone().requires_grad_(), x.clone().requires_grad_()
    y, _, _ = batch_norm(x @ w, gamma, None, eps)
    return y.detach(), *torch.autograd.grad(y, (x, w), dy)


@SCALED
def test_scale_drops_out_without_eps_forward_and_backward(alpha):
    w, x, dy = random(5, 4), random(32, 5), random(32, 4)
    y, dx, dw = layer_gradients(w, x, 0.0, dy)
    ya, dxa, dwa = layer_gradients(alpha * w, x, 0.0, dy)
    assert gap([y, dx, dw], [ya, dxa, alpha * dwa]) < 1e-10
    y_minus, dx_minus, _ = layer_gradients(-alpha * w, x, 0.0, dy)
    assert gap([y, dx], [-y_minus, -dx_minus]) < 1e-10  # why alpha has to be positive


@SCALED
def test_with_eps_a_scaled_weight_is_an_unscaled_one_with_another_eps(alpha):
    """BN_eps(alpha w) = BN_{eps/alpha²}(w): the exact size of the violation."""
    eps = 1e-2
    w, x, dy = random(5, 4), random(32, 5), random(32, 4)
    ya, dxa, dwa = layer_gradients(alpha * w, x, eps, dy)
    y, dx, dw = layer_gradients(w, x, eps / alpha**2, dy)
    assert gap([y, dx, dw], [ya, dxa, alpha * dwa]) < 1e-10
    plain = layer_gradients(w, x, eps, dy)[0]
    var = (x @ w).var(0, correction=0)
    assert gap([ya], [plain * torch.sqrt((var + eps) / (var + eps / alpha**2))]) < 1e-12


def test_a_bias_before_batch_norm_does_nothing_and_learns_nothing():
    z, b = random(32, 4), random(4).requires_grad_()
    y, _, _ = batch_norm(z + b)
    assert gap([y.detach()], [batch_norm(z)[0]]) < 1e-12
    assert gap(torch.autograd.grad(y, b, random(32, 4)), [torch.zeros(4)]) < 1e-12


@pytest.mark.parametrize("eps", [0.0, 0.3])
def test_gradient_of_the_weight_is_orthogonal_to_it_up_to_eps(eps):
    """<w, dL/dw> = gamma · dgamma · eps/(var + eps) per channel."""
    w, x, dy, gamma = random(5, 4), random(32, 5), random(32, 4), random(4)
    y, _, dw = layer_gradients(w, x, eps, dy, gamma)
    var = (x @ w).var(0, correction=0)
    dgamma_times_gamma = (dy * y).sum(0)
    assert gap([(w * dw).sum(0)], [dgamma_times_gamma * eps / (var + eps)]) < 1e-10


@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.3])
def test_theorem_4_1_is_an_equality(eps):
    x, dy, gamma = random(32, 4, 3), random(32, 4, 3), random(4)
    x.requires_grad_()
    y, _, var = batch_norm(x, gamma, None, eps)
    (dx,) = torch.autograd.grad(y, x, dy)
    m = 32 * 3
    x_hat = (y / gamma.view(1, -1, 1)).detach()

    def dot(a, b):  # per channel
        return (a * b).sum((0, 2))

    inside = dot(dy, dy) - dot(dy, torch.ones_like(dy)) ** 2 / m
    inside = inside - (1 + eps / (var + eps)) * dot(dy, x_hat) ** 2 / m
    assert gap([dot(dx, dx)], [gamma**2 / (var + eps) * inside]) < 1e-10
    if not eps:  # the two directions that the backward pass removes
        assert gap([dot(dx, torch.ones_like(dx)), dot(dx, x_hat)], [torch.zeros(4)] * 2) < 1e-10


class Net(nn.Module):
    """Two scale-invariant weights and an ordinary last layer."""

    def __init__(self, eps):
        super().__init__()
        self.w1 = nn.Parameter(random(6, 16) / 3)
        self.w2 = nn.Parameter(random(16, 16) / 4)
        self.bn1, self.bn2 = BatchNorm(16, eps=eps).double(), BatchNorm(16, eps=eps).double()
        self.last = nn.Linear(16, 1).double()

    def forward(self, x):
        x = torch.tanh(self.bn1(x @ self.w1))
        return self.last(torch.tanh(self.bn2(x @ self.w2)))


def train(net, x, target, rate, decay, steps=15):
    """SGD; rate(step) and decay for the invariant weights, lr 0.1 for all others."""
    outputs = []
    for step in range(steps):
        y = net(x)
        loss = (y - target).square().mean()
        gradients = torch.autograd.grad(loss, list(net.parameters()))
        outputs.append(y.detach())
        with torch.no_grad():
            for (name, p), g in zip(net.named_parameters(), gradients, strict=True):
                if name in ("w1", "w2"):
                    p.sub_(rate(step) * (g + decay * p))
                else:
                    p.sub_(0.1 * g)
    return torch.stack(outputs)


def twin(net, alpha, eps):
    other = Net(eps)
    other.load_state_dict(net.state_dict())
    with torch.no_grad():
        other.w1.mul_(alpha), other.w2.mul_(alpha)
    return other


@SCALED
@pytest.mark.parametrize("eps", [0.0, 1e-3])
def test_same_function_trajectory_with_alpha_w_and_alpha_squared_lr(alpha, eps):
    """With eps > 0 it is exact when eps is scaled by alpha² as well."""
    x, target = random(64, 6), random(64, 1)
    net = Net(eps)
    other = twin(net, alpha, eps * alpha**2)
    a = train(net, x, target, lambda step: 0.1, 0.0)
    b = train(other, x, target, lambda step: 0.1 * alpha**2, 0.0)
    assert (a[0] - a[-1]).abs().max() > 0.1  # it has learnt something
    assert gap([a], [b]) < 1e-9
    assert gap([other.w1], [alpha * net.w1]) < 1e-9 * alpha


def test_weight_decay_is_a_growing_learning_rate():
    """With c = 1 - lr·decay, decay at lr does what lr·c^-(2t+1) does without decay."""
    x, target = random(64, 6), random(64, 1)
    lr, decay = 0.1, 0.5
    c = 1 - lr * decay
    net = Net(0.0)
    other = twin(net, 1.0, 0.0)
    a = train(net, x, target, lambda step: lr, decay)
    b = train(other, x, target, lambda step: lr * c ** -(2 * step + 1), 0.0)
    without = train(twin(net, 1.0, 0.0), x, target, lambda step: lr, 0.0)
    assert gap([a], [b]) < 1e-9
    assert gap([a], [without]) > 1e-3


def test_gradients_grow_by_pi_over_pi_minus_1_per_layer():
    torch.manual_seed(0)
    width, batch, depth = 768, 512, 14
    y = torch.randn(batch, width)
    layers = []
    for _ in range(depth):
        y = batch_norm(torch.relu(y) @ torch.randn(width, width, requires_grad=True))[0]
        y.retain_grad()
        layers.append(y)
    y.backward(torch.randn_like(y))
    squared = torch.tensor([y.grad.square().sum() for y in layers]).log()
    growth = math.exp((squared[0] - squared[-3]) / (depth - 3))  # the last layers are not typical
    assert abs(growth - math.pi / (math.pi - 1)) < 0.03
