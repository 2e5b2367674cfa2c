"""The probe of curvature against dense Hessians, closed forms and rescalings."""

import numpy as np
import pytest
import torch
from probing import SMALLEST, take, watched
from torch import Tensor, nn
from torch.nn import functional as F

from bnlib.measure import Watched
from bnlib.measure.curvature import PRODUCTS, Curvature
from bnlib.measure.hessian import products, tridiagonal
from bnlib.norm import BatchNorm
from bnlib.recipe import Recipe

RECIPE = Recipe(dataset="digits", model="mlp", probes=("curvature",), probe_every=1)


def sampled(model: nn.Module, x: Tensor, y: Tensor, criterion=F.cross_entropy):
    """One sample of a float64 network; its images have one column."""
    images = x.double()[:, :, None, None]  # (B, H, 1, 1)
    probe = Curvature(Watched(RECIPE, model.double(), None, criterion, 1, images, y))
    take(probe)
    return {name.removeprefix("curvature_"): values for name, values in probe.result().items()}


def small_net() -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(2)
    layers = nn.Linear(4, 6), BatchNorm(6), nn.Tanh(), nn.Linear(6, 3)
    model = nn.Sequential(nn.Flatten(), *layers).double()
    return model, torch.randn(12, 4), torch.randint(3, (12,))


def dense(model: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradient, Hessian and each parameter's tensor's norm, by PyTorch's batch norm."""
    theirs = nn.Sequential(*model).double()
    theirs[2] = nn.BatchNorm1d(6).double()
    theirs[2].load_state_dict(model[2].state_dict())
    params = dict(theirs.named_parameters())

    def loss(flat: Tensor) -> Tensor:
        pieces = flat.split([p.numel() for p in params.values()])
        point = {n: f.view(p.shape) for (n, p), f in zip(params.items(), pieces, strict=True)}
        return F.cross_entropy(torch.func.functional_call(theirs, point, x.double()), y)

    flat = torch.cat([p.detach().flatten() for p in params.values()])
    (g,) = torch.autograd.functional.jacobian(loss, flat)[None]
    sizes = torch.cat([p.detach().norm().expand(p.numel()) for p in params.values()])
    return g, torch.autograd.functional.hessian(loss, flat), sizes


def test_a_network_has_the_curvature_of_its_dense_hessian():
    model, x, y = small_net()
    g, hessian, sizes = dense(model, x, y)
    found = sampled(model, x, y)
    for unit, scale in (("raw", torch.ones_like(sizes)), ("scale_free", sizes)):
        matrix, slope = scale[:, None] * hessian * scale, scale * g
        eigenvalues = torch.linalg.eigvalsh(matrix)
        along = (slope @ matrix @ slope / slope.square().sum()).item()
        assert found[f"{unit}_along"] == pytest.approx(along, rel=1e-9)
        largest, error = found[f"{unit}_largest"][0], found[f"{unit}_error"][0]
        assert largest <= eigenvalues[-1] + 1e-9
        assert (eigenvalues - largest).abs().min() <= error + 1e-9
        assert largest == pytest.approx(eigenvalues[-1].item(), rel=0.02)


def test_so_many_products_as_dimensions_are_all_eigenvalues():
    rng = torch.Generator().manual_seed(3)
    half = torch.randn(9, 9, generator=rng, dtype=torch.float64)
    matrix, start = half + half.T, torch.randn(9, generator=rng, dtype=torch.float64)
    inside, beside = tridiagonal(lambda v: [matrix @ v[0]], [start], 9)
    found = torch.diag(inside) + torch.diag(beside[:-1], 1) + torch.diag(beside[:-1], -1)
    truth = torch.linalg.eigvalsh(matrix)
    assert torch.linalg.eigvalsh(found).tolist() == pytest.approx(truth.tolist())
    assert beside[-1] < 1e-9


def test_a_product_is_that_of_the_matrix():
    rng = torch.Generator().manual_seed(4)
    half = torch.randn(5, 5, generator=rng, dtype=torch.float64)
    point, v = torch.randn(2, 5, generator=rng, dtype=torch.float64)
    point.requires_grad_()
    g, product = products(point @ half @ point / 2 + 3 * point.sum(), [point])
    matrix = (half + half.T) / 2
    assert g[0].tolist() == pytest.approx((matrix @ point + 3).tolist())
    assert product([v])[0].tolist() == pytest.approx((matrix @ v).tolist())


def test_a_plane_has_no_curvature():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    found = sampled(model, torch.ones(3, 4), torch.zeros(3), lambda output, _: output.sum())
    assert found["raw_along"] == 0


def test_a_rescaling_changes_the_raw_curvature_alone():
    model, x, y = small_net()
    before = sampled(model, x, y)
    with torch.no_grad():
        model[1].weight *= 10
        model[1].bias *= 10
        model[2].eps *= 100  # the function is the same to the last digit but few
    after = sampled(model, x, y)
    assert after["loss"] == pytest.approx(before["loss"])
    for name in ("along", "largest"):
        assert after[f"scale_free_{name}"] == pytest.approx(before[f"scale_free_{name}"], rel=1e-6)
    assert after["raw_along"] != pytest.approx(before["raw_along"], rel=1e-3)


def test_a_loss_that_is_no_number_has_no_curvature():
    model, x, y = small_net()
    with torch.no_grad():
        model[4].bias[0] = np.nan
    found = sampled(model, x, y)
    for name in ("raw_along", "raw_largest", "raw_error", "scale_free_largest"):
        assert np.isnan(found[name]).all()


def test_a_run_is_looked_at_every_so_many_steps():
    recipe = RECIPE.but(norm="batch", probe_every=4, **SMALLEST | {"width": 1.0})
    probe = Curvature(watched(recipe, steps=10))
    for step in range(10):
        if probe.due(step):
            take(probe)
    found = probe.result()
    assert found["curvature_steps"].tolist() == [0, 4, 8]
    assert all(len(values) == 3 for values in found.values())
    assert probe.rows.tables["raw_inside"].shape == (3, PRODUCTS)
    assert (found["curvature_raw_largest"] >= found["curvature_raw_along"] - 1e-4).all()
