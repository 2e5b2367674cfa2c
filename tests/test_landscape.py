"""The landscape probe against closed forms: quadratics, Hessians, rescalings, dropout."""

import numpy as np
import pytest
import torch
from scipy.linalg import hadamard
from torch import Tensor, nn
from torch.nn import functional as F

from bnlib import data, models
from bnlib.measure import Watched
from bnlib.measure.landscape import Landscape
from bnlib.models.dropout import Dropout, Noise
from bnlib.recipe import Recipe
from bnlib.seeds import stream

RECIPE = Recipe(dataset="digits", model="mlp", probes=("landscape",))
SMALL_STEPS = (1e-7, 1e-6)  # in float64: as good as derivatives


def sampled(model: nn.Module, x: Tensor, y: Tensor, criterion=F.cross_entropy, samples=1, **fields):
    """The arrays of ``samples`` samples of a float64 network that stands still."""
    recipe = RECIPE.but(**fields)
    steps = samples * recipe.probe_every
    probe = Landscape(Watched(recipe, model.double(), None, criterion, steps, x.double(), y))
    for step in range(steps):
        if probe.due(step):
            with probe.prepared():
                probe.sample()
    return probe.result()


def quadratic(x: Tensor, outputs: int = 3, curvature: float = 1.0, **fields):
    """½ c ‖x̃ Wᵀ - y‖² / B of a linear layer, x̃ = (x, 1): arrays, W (weights, bias), y."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(x.shape[1], outputs)).double()
    y = torch.randn(len(x), outputs, dtype=torch.float64)

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return curvature * (output - target).square().sum() / (2 * len(x))

    found = sampled(model, x[:, None, :, None], y, loss, **fields)
    return found, torch.cat([model[1].weight, model[1].bias[:, None]], 1).detach(), y


def batch(count: int = 32) -> tuple[Tensor, Tensor]:
    train = data.load("digits").train
    return train.images[:count], train.labels[:count]


@pytest.mark.parametrize("etas", [(0.05, 0.4), (0.001, 3.0)])
def test_a_quadratic_has_the_closed_forms(etas):
    x = torch.randn(20, 5, dtype=torch.float64)
    found, w, y = quadratic(x, probe_etas=etas)
    x = torch.cat([x, torch.ones(20, 1)], 1)
    g, hessian = (w @ x.T - y.T) @ x / 20, x.T @ x / 20  # the Hessian takes v to v @ hessian
    eta = torch.logspace(*np.log10(etas), 8, dtype=torch.float64)
    assert found["etas"] == pytest.approx(eta)

    def losses(direction: Tensor, steps: Tensor) -> list[float]:
        return [float(((w - s * direction) @ x.T - y.T).square().sum() / 40) for s in steps]

    assert found["loss"] == pytest.approx(losses(g, [0.0]))
    assert found["weight_norm"] == pytest.approx(w.norm().item())
    assert found["gradient_norm"] == pytest.approx(g.norm().item())
    assert found["gradient_losses"][0] == pytest.approx(losses(g, eta))
    assert found["gradient_changes"][0] == pytest.approx(eta * (g @ hessian).norm())
    assert found["gradient_beta"] == pytest.approx(((g @ hessian).norm() / g.norm()).item())
    assert found["layer_norms"] == pytest.approx(g[:, :5].norm().item())
    assert found["layer_changes"][0, :, 0] == pytest.approx(eta * (g @ hessian)[:, :5].norm())

    units = torch.cat([w[:, :5].norm().expand(5), w[:, 5:].norm().expand(1)])
    d, eta = g * units**2, eta / 100
    assert found["scale_free_etas"] == pytest.approx(eta)
    assert found["scale_free_norm"] == pytest.approx((g * units).norm().item())
    assert found["scale_free_losses"][0] == pytest.approx(losses(d, eta))
    change = (d @ hessian * units).norm()
    assert found["scale_free_changes"][0] == pytest.approx(eta * change)
    assert found["scale_free_beta"] == pytest.approx((change / (g * units).norm()).item())


def test_the_random_direction_is_as_long_as_the_gradient_and_straight():
    """Where the Hessian is c times the identity, a step η in any direction changes g by η c ‖d‖."""
    x = torch.from_numpy(hadamard(8)[:, 1:].copy()).double()
    found, _, _ = quadratic(x, curvature=2.5, samples=10)
    eta, norm = found["etas"], found["gradient_norm"][:, None]
    assert found["random_norm"] == pytest.approx(norm[:, 0])
    assert found["random_changes"] == pytest.approx(2.5 * eta * norm)
    assert found["random_beta"] == pytest.approx([2.5] * 10)
    slope = (found["random_losses"] - found["loss"][:, None]) / eta - 2.5 * eta * norm**2 / 2
    assert slope == pytest.approx(np.tile(slope[:, :1], 8))
    assert (abs(slope) < norm**2).all()
    assert len(set(slope[:, 0])) > 3


def test_random_directions_have_no_preference():
    """The mean of ‖Hd‖² over all directions of length 1 is the mean of H's squared eigenvalues."""
    x = torch.randn(20, 5, dtype=torch.float64)
    squares = np.array([quadratic(x, seed=seed)[0]["random_beta"][0] ** 2 for seed in range(100)])
    x = torch.cat([x, torch.ones(20, 1)], 1)
    expected = float(torch.linalg.eigvalsh(x.T @ x / 20).square().mean())
    assert abs(squares.mean() - expected) < 5 * squares.std() / np.sqrt(len(squares))


def test_the_smoothness_is_the_largest_over_the_step_sizes():
    """Of a loss of the fourth degree, where each step size has a smoothness of its own."""
    x = torch.ones(1, 1, 1, 1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 3, bias=False)).double()
    w = np.array([1.0, -0.5, 2.0])
    with torch.no_grad():
        model[1].weight.copy_(torch.from_numpy(w[:, None]))
    found = sampled(model, x, None, lambda z, _: z.pow(4).sum() / 4, probe_etas=(0.1, 3.0))
    for line, unit in (("gradient", 1.0), ("scale_free", np.linalg.norm(w))):
        g, etas = w**3, np.geomspace(0.1, 3.0, 8) * (1 if line == "gradient" else 0.01)
        changes = [np.linalg.norm((w - eta * unit**2 * g) ** 3 - g) for eta in etas]
        betas = changes / etas / np.linalg.norm(g)
        assert betas.max() > 1.1 * betas.min()
        assert found[f"{line}_beta"] == pytest.approx([betas.max()])


@pytest.mark.parametrize("norm", ["none", "batch", "torch"])
def test_small_steps_see_the_hessian_of_a_network(norm):
    """All parameters, γ and β too; the statistics of the batch take part in the derivative."""
    model = models.build(Recipe(dataset="digits", model="lenet", norm=norm)).double().train()
    images, labels = batch()
    found = sampled(model, images, labels, probe_etas=SMALL_STEPS)
    params = list(model.parameters())
    loss = F.cross_entropy(model(images.double().permute(0, 3, 1, 2)), labels)
    g = torch.autograd.grad(loss, params, create_graph=True)
    product = sum((one * one.detach()).sum() for one in g)
    curved = torch.autograd.grad(product, params)
    slope = (found["loss"] - found["gradient_losses"][0]) / found["etas"]
    assert found["loss"] == pytest.approx(loss.item())
    assert slope == pytest.approx(float(product), rel=1e-4)
    beta = torch.stack([h.norm() for h in curved]).norm() / product.sqrt()
    assert found["gradient_beta"] == pytest.approx(beta.item(), rel=1e-4)
    assert found["layers"].tolist() == ["conv1", "conv2", "conv3", "fc1", "fc2"]
    weights = [i for i, p in enumerate(params) if p.dim() > 1]
    for place, i in enumerate(weights):
        assert found["layer_norms"][0, place] == pytest.approx(g[i].norm().item())
        rates = found["layer_changes"][0, :, place] / found["etas"]
        assert rates == pytest.approx(curved[i].norm().item(), rel=1e-3)


def rescaled(model: nn.Sequential, norm: str) -> None:
    """Other weights, the same function: exact with ReLU and, where there are norms, without eps."""
    weights = [m for m in model if isinstance(m, nn.Conv2d | nn.Linear)]
    norms = [m for m in model if hasattr(m, "running_mean")]
    with torch.no_grad():
        for place, after in enumerate(weights[1:]):
            factor = (3.0, 0.4, 1.7)[place % 3]
            scaled = norms[place] if norms else weights[place]
            scaled.weight.mul_(factor), scaled.bias.mul_(factor)
            after.weight.div_(factor)
            if norms:
                weights[place].weight.div_(
                    10
                )  # a hundred times the curvature  # a hundred times the curvature


@pytest.mark.parametrize("norm", ["none", "batch", "torch"])
@pytest.mark.parametrize("name", ["mlp", "lenet"])
def test_only_the_scale_free_smoothness_survives_a_rescaling(name, norm):
    """At short steps, where the others are the curvature, which must grow or shrink by a lot."""
    recipe = Recipe(dataset="digits", model=name, norm=norm, activation="relu", seed=4)
    model, rng = models.build(recipe).double(), stream(4, "a test")
    for layer in model:
        if hasattr(layer, "running_mean"):
            layer.eps = 1e-30  # PyTorch refuses 0
            nn.init.normal_(layer.bias, generator=rng)
    images, labels = batch()
    before = sampled(model, images, labels, probe_etas=(1e-4, 1e-3))
    rescaled(model, norm)
    after = sampled(model, images, labels, probe_etas=(1e-4, 1e-3))
    assert after["loss"] == pytest.approx(before["loss"], rel=1e-9)
    for figure in ("norm", "losses", "changes", "beta"):
        same = before[f"scale_free_{figure}"]
        assert after[f"scale_free_{figure}"] == pytest.approx(same, rel=1e-6), figure
    for line in ("gradient", "random"):
        assert abs(after[f"{line}_beta"] / before[f"{line}_beta"] - 1) > 0.5


def test_dropout_masks_are_the_same_at_every_point(monkeypatch):
    drop = Dropout(0.5, Noise(3))
    model = nn.Sequential(nn.Flatten(), nn.Linear(1024, 50), drop, nn.Linear(50, 10))
    found = sampled(model, *batch(), probe_etas=SMALL_STEPS)
    for line in ("gradient", "random", "scale_free"):
        assert (found[f"{line}_changes"] < 1e-4 * found[f"{line}_norm"]).all()
    monkeypatch.setattr(Noise, "hold", lambda noise: None)  # fresh masks
    found = sampled(model, *batch(), probe_etas=SMALL_STEPS)
    for line in ("gradient", "random", "scale_free"):
        assert (found[f"{line}_changes"] > 0.1 * found[f"{line}_norm"]).all()
