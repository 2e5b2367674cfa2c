"""Rulers on anyone's network: what they say has closed forms, and they leave no trace."""

import random

import numpy as np
import pytest
import torch
from any_networks import TORCHVISION, Encoder, images
from probing import SMALLEST, take, watched
from torch import nn
from torch.nn import functional as F

from bnlib.catalogue import NETS
from bnlib.data import as_input
from bnlib.errors import BookError
from bnlib.measure import PROBES
from bnlib.measure.rulers import gradient_norms, landscape, sharpness, shift, variance_shift
from bnlib.recipe import Recipe
from bnlib.seeds import stream

FAMILIES = {net.module: name for name, net in reversed(NETS.items())}  # its first net
EXACT = {"rel": 1e-10, "abs": 1e-12}


def digits_net(name: str, **fields) -> Recipe:
    width = SMALLEST["width"] if NETS[name].scales else 1.0
    return Recipe(**SMALLEST | {"model": name, "width": width} | fields)


OURS = [digits_net(name, norm=norm) for name in FAMILIES.values() for norm in ("none", "batch")]
OURS += [digits_net("alexnet", norm="batch", dropout=0.5)]


def of_recipe(recipe: Recipe):
    w = watched(recipe, steps=10)
    return w.model, (as_input(w.images), w.labels)


NETWORKS = {str(recipe): lambda recipe=recipe: of_recipe(recipe) for recipe in OURS}
NETWORKS |= {name: lambda make=make: (make(), images()) for name, make in TORCHVISION.items()}


def every_ruler(model: nn.Module, batch) -> None:
    for line in ("gradient", "random", "scale_free"):
        landscape(model, F.cross_entropy, batch, steps=[0.01], line=line)
    shift(model, F.cross_entropy, batch, step=0.01)
    gradient_norms(model, F.cross_entropy, batch)
    sharpness(model, F.cross_entropy, batch, iterations=1)
    if any(hasattr(m, "running_mean") for m in model.modules()):
        variance_shift(model, batch[0])


def trace_of(make, measured: bool) -> dict[str, object]:
    """All there is to see of a network after two training steps, with rulers held to it or not."""
    torch.manual_seed(5), random.seed(5)
    model, batch = make()
    model.train()
    frozen = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)][:1]
    for layer in frozen:
        layer.eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for _ in range(2):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(batch[0]), batch[1])
        if measured:
            every_ruler(model, batch)  # while the training's graph waits for its backward pass
        loss.backward()
        optimizer.step()
    tensors = {f"state {name}": t for name, t in model.state_dict().items()}
    tensors |= {f"grad {name}": p.grad for name, p in model.named_parameters()}
    seen = {name: t.numpy().tobytes() for name, t in tensors.items()}
    flags = [m.training for m in model.modules()]
    hooks = [len(m._forward_pre_hooks) for m in model.modules()]
    return seen | {
        "flags": flags,
        "hooks": hooks,
        "next": [*torch.rand(2).tolist(), random.random()],
    }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in ("densenet121", "resnet18") else name
        for name in NETWORKS
    ],
)
def test_a_training_with_rulers_is_the_same_to_the_last_bit(name):
    plain, measured = (trace_of(NETWORKS[name], measured) for measured in (False, True))
    assert plain == measured


def test_a_network_whose_own_noise_is_drawn_comes_back():
    """A generator that a layer keeps, running averages made anew, a random number of Python's."""

    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.rng = torch.Generator().manual_seed(1)
            self.weight = nn.Parameter(torch.ones(4))
            self.register_buffer("mean", torch.zeros(4))

        def forward(self, x):
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
            noise = torch.rand(4, generator=self.rng) + random.random()
            return (x + noise + self.mean) * self.weight

    model, x = Noisy(), torch.randn(6, 4)
    mean, state, python = model.mean, model.rng.get_state(), random.getstate()
    found = landscape(model, loss_of_squares, (x, None), steps=[1e-9])
    assert found.losses[0] == pytest.approx(found.loss, rel=1e-5)
    assert model.mean is mean
    assert (mean == 0).all()
    assert torch.equal(model.rng.get_state(), state)
    assert random.getstate() == python


def test_what_goes_wrong_leaves_no_trace_either():
    model, batch = NETWORKS["resnet18"]()
    model.eval()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    memory = [p.data_ptr() for p in model.parameters()]

    def fails(output, target):
        raise ZeroDivisionError

    for ruler in (
        lambda: landscape(model, fails, batch, [0.1]),
        lambda: shift(model, fails, batch, 1),
    ):
        with pytest.raises(ZeroDivisionError):
            ruler()
        assert not any(m.training or m._forward_pre_hooks for m in model.modules())
        assert [p.data_ptr() for p in model.parameters()] == memory
        for name, t in model.state_dict().items():
            assert torch.equal(t, before[name])


def loss_of_squares(output, _):
    return output.square().sum() / (2 * len(output))


def a_quadratic(outputs: int = 3):
    """‖x Wᵀ‖² / 2B of a linear layer in float64: the layer, x, W, its gradient and Hessian."""
    rng = stream(8, "a test")
    model, x = (
        nn.Linear(5, outputs, bias=False).double(),
        torch.randn(20, 5, generator=rng).double(),
    )
    hessian, w = x.T @ x / 20, model.weight.detach()
    return model, x, w, w @ hessian, hessian


def test_a_quadratic_has_the_landscapes_closed_form():
    model, x, w, g, hessian = a_quadratic()
    steps = [0.3, 0.01, 2.0]
    for line, unit in (("gradient", 1.0), ("scale_free", w.norm().item())):
        found = landscape(model, loss_of_squares, (x, None), steps, line=line)
        losses = [loss_of_squares(x @ (w - s * unit**2 * g).T, None).item() for s in steps]
        change = unit**3 * (g @ hessian).norm().item()
        assert found.steps.tolist() == steps
        assert found.loss == pytest.approx(loss_of_squares(x @ w.T, None).item(), **EXACT)
        assert found.losses == pytest.approx(losses, **EXACT)
        assert found.norm == pytest.approx(unit * g.norm().item(), **EXACT)
        assert found.changes == pytest.approx([s * change for s in steps], **EXACT)
        assert found.beta == pytest.approx(change / found.norm, **EXACT)
        assert found.spread == pytest.approx(max(losses) - min(losses), **EXACT)
    drawn = [
        landscape(model, loss_of_squares, (x, None), [0.5], "random", seed=i) for i in (0, 1, 0)
    ]
    assert drawn[0].beta == drawn[2].beta != drawn[1].beta
    eigenvalues = torch.linalg.eigvalsh(hessian)
    assert all(eigenvalues[0] <= one.beta <= eigenvalues[-1] for one in drawn)


def test_the_probes_are_the_rulers_at_work():
    recipe = digits_net("vgg_a", norm="batch", probes=("landscape", "shift"), probe_every=1)
    w = watched(recipe, steps=10)
    batch = as_input(w.images.clone()), w.labels.clone()
    path, moves = PROBES["landscape"][0](w), PROBES["shift"][0](w)
    take(path)
    seen, measured = path.result(), {}
    for line, steps in (("gradient", seen["etas"]), ("scale_free", seen["scale_free_etas"])):
        found = measured[line] = landscape(w.model, F.cross_entropy, batch, steps, line=line)
        for figure in ("losses", "changes", "norm", "beta"):
            mine = seen[f"{line}_{figure}"][0]
            assert getattr(found, figure) == pytest.approx(mine, rel=1e-6), (line, figure)
    found = shift(w.model, F.cross_entropy, batch, step=0.1)
    moves.keep(0)
    g = torch.autograd.grad(
        F.cross_entropy(w.model.train()(batch[0]), batch[1]), list(w.model.parameters())
    )
    with torch.no_grad():
        torch._foreach_sub_(list(w.model.parameters()), torch._foreach_mul(g, 0.1))
    take(moves)
    seen = moves.result()
    assert list(found.layers) == seen["shift_layers"].tolist()
    for figure in ("norm", "norm_after", "difference", "cosine", "change"):
        mine = seen[f"shift_{figure}"][0]
        assert getattr(found, figure) == pytest.approx(mine, rel=1e-4, abs=1e-6), figure


def two_layers():
    rng = stream(6, "a test")
    x, y = (torch.randn(20, n, generator=rng).double() for n in (5, 3))
    return nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)).double(), x, y


def test_the_shift_of_two_linear_layers_has_its_closed_form():
    model, x, y = two_layers()
    (w, b, v, c), rate = (p.detach() for p in model.parameters()), 0.3
    h = x @ w.T + b
    error = 2 * (h @ v.T + c - y) / (20 * 3)
    back = error @ v
    moved = x @ (w - rate * back.T @ x).T + b - rate * back.sum(0)
    g, there = error.T @ h, (2 * (moved @ v.T + c - y) / 60).T @ moved
    found = shift(model, F.mse_loss, (x, y), step=rate)
    assert found.layers == ("1",)
    assert found.norm[0] == pytest.approx(g.norm().item(), **EXACT)
    assert found.difference[0] == pytest.approx((g - there).norm().item(), **EXACT)
    assert found.relative[0] == pytest.approx(((g - there).norm() / g.norm()).item(), **EXACT)
    cosine = (g * there).sum() / g.norm() / there.norm()
    assert found.cosine[0] == pytest.approx(cosine.item(), **EXACT)

    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    start = {name: p.clone() for name, p in model.state_dict().items()}
    F.mse_loss(model(x), y).backward()
    optimizer.step()
    after = {name: p.clone() for name, p in model.state_dict().items()}
    model.load_state_dict(start)
    again = shift(model, F.mse_loss, (x, y), step=after, layers=["1"])
    assert again.difference == pytest.approx(found.difference, **EXACT)


@pytest.mark.parametrize("name", ["resnet18", "vit"])
def test_a_rate_of_zero_shifts_nothing(name):
    """Exactly, with dropout too."""
    torch.manual_seed(1)
    model, batch = NETWORKS[name]()
    for p in model.parameters():  # a new vision transformer's last layer is 0
        nn.init.normal_(p, std=0.05) if not p.any() else None
    found = shift(model, F.cross_entropy, batch, step=0)
    assert len(found.layers) == 4
    assert (found.difference == 0).all()
    assert (found.cosine == 1).all()
    assert (found.change == 0).all()


def test_only_the_scale_free_line_survives_a_rescaling():
    """The next layer divides by what batch norm multiplies by; what is in front does not matter."""
    torch.manual_seed(3)
    norm = nn.BatchNorm1d(16, eps=1e-30)
    model = nn.Sequential(nn.Linear(8, 16, bias=False), norm, nn.ReLU(), nn.Linear(16, 4)).double()
    batch = torch.randn(32, 8).double(), torch.randint(4, (32,))

    def betas() -> dict[str, float]:
        return {
            line: landscape(model, F.cross_entropy, batch, [1e-4, 1e-3], line=line).beta
            for line in ("gradient", "scale_free")
        }

    before = betas()
    with torch.no_grad():
        model[0].weight.mul_(0.05)
        norm.weight.mul_(3.0), norm.bias.mul_(3.0), model[3].weight.div_(3.0)
    after = betas()
    assert after["scale_free"] == pytest.approx(before["scale_free"], rel=1e-6)
    assert abs(after["gradient"] / before["gradient"] - 1) > 0.5


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_sharpness_is_the_largest_eigenvalue(sign):
    """Also where one below zero is larger in size."""
    model, x, _, _, hessian = a_quadratic(outputs=1)
    tilt = 0.4 * torch.eye(5, dtype=torch.float64)

    def loss(output, _):
        return (
            sign * loss_of_squares(output, None) + (model.weight @ tilt @ model.weight.T).sum() / 2
        )

    found = sharpness(model, loss, (x, None), tolerance=1e-9, iterations=10_000)
    eigenvalues = torch.linalg.eigvalsh(sign * hessian + tilt)
    assert (abs(eigenvalues[0]) > eigenvalues[-1]) == (sign < 0)
    assert found.settled
    assert found.value == pytest.approx(eigenvalues[-1].item(), abs=1e-8)
    rough = sharpness(model, loss, (x, None), tolerance=1e-9, iterations=1)
    assert not rough.settled
    assert rough.value <= eigenvalues[-1]
    assert "NOT settled" in repr(rough)


def test_sharpness_of_a_network_is_its_hessians():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3)).double()
    x, y = torch.randn(12, 4).double(), torch.randint(3, (12,))
    params = dict(model.named_parameters())

    def loss(flat):
        pieces = flat.split([p.numel() for p in params.values()])
        point = {n: f.view(p.shape) for (n, p), f in zip(params.items(), pieces, strict=True)}
        return F.cross_entropy(torch.func.functional_call(model, point, x), y)

    flat = torch.cat([p.detach().flatten() for p in params.values()])
    truth = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat))[-1].item()
    found = sharpness(model, F.cross_entropy, (x, y), tolerance=1e-5, iterations=5000)
    assert found.settled
    assert found.value == pytest.approx(truth, rel=1e-4)


def test_a_criterion_with_terms_of_its_own():
    """A penalty on the weights is part of the loss at every point."""
    model, x, w, g, hessian = a_quadratic()

    def criterion(output, target):
        return loss_of_squares(output, target) + 0.7 * model.weight.square().sum() / 2

    found = landscape(model, criterion, (x, None), [0.1, 1.0])
    slope, curved = g + 0.7 * w, hessian + 0.7 * torch.eye(5, dtype=torch.float64)
    assert found.norm == pytest.approx(slope.norm().item(), **EXACT)
    assert found.beta == pytest.approx(((slope @ curved).norm() / slope.norm()).item(), **EXACT)


def test_frozen_parameters_stay_out_of_it():
    model, x, y = two_layers()
    for p in model[0].parameters():
        p.requires_grad_(False)
    found = gradient_norms(model, F.mse_loss, (x, y))
    assert found.names == ("1.weight", "1.bias")
    h = model[0](x)
    g = (2 * (model[1](h) - y) / 60).T @ h
    assert found.norms[0] == pytest.approx(g.norm().item(), **EXACT)
    assert found.sizes[0] == pytest.approx(model[1].weight.norm().item(), **EXACT)
    alone = landscape(model[1], F.mse_loss, (h, y), [0.2])
    assert landscape(model, F.mse_loss, (x, y), [0.2]).changes == pytest.approx(alone.changes)
    with pytest.raises(BookError, match="trainable parameters before it"):
        shift(model, F.mse_loss, (x, y), step=0.1)


def word_loss(output, words):
    return F.cross_entropy(output.flatten(0, 1), words.flatten())


def test_tied_weights_several_inputs_and_masks_that_stay():
    torch.manual_seed(4)
    model, words = Encoder(), torch.randint(20, (6, 9))
    places = torch.randn(9, 16)
    steps = [1e-4, 1e-3]
    one, tuple_, named = (
        landscape(model, word_loss, (inputs, words), steps)
        for inputs in (words, (words, places), {"places": places, "words": words})
    )
    assert tuple_.losses.tolist() == named.losses.tolist() != one.losses.tolist()
    assert (one.changes < 0.1 * one.norm).all()  # other masks would change it by its own length
    names = gradient_norms(model, word_loss, (words, words)).names
    assert "embed.weight" in names
    assert "head.weight" not in names
    found = shift(model, word_loss, (words, words), step=0.1, layers=["encoder.layers.1.linear1"])
    assert found.difference[0] > 0
    assert sharpness(model, word_loss, (words, words), iterations=2).iterations >= 2


def test_gradient_norms_and_variances_are_those_of_a_training_step():
    torch.manual_seed(6)
    model, (x, y) = NETWORKS["densenet121"]()
    found = gradient_norms(model, F.cross_entropy, (x, y))
    twin = NETWORKS["densenet121"]()[0]
    twin.load_state_dict(model.state_dict())
    F.cross_entropy(twin.train()(x), y).backward()
    truth = [p.grad.norm().item() for p in twin.parameters()]
    assert found.norms == pytest.approx(truth, rel=1e-5)
    assert found.total == pytest.approx(np.linalg.norm(truth), rel=1e-5)
    after = variance_shift(twin.eval(), x)
    first = twin.features.conv0(x).var((0, 2, 3), correction=0).detach().numpy()
    assert after.layers[0] == "features.norm0"
    for mode in (after.training, after.evaluation):
        assert mode[0] == pytest.approx(first, rel=1e-4)
    assert after.ratio[0] == pytest.approx(1.0)
    assert (abs(np.log(after.ratio[2:])) > 0.1).any()


NET, X, Y = nn.Linear(3, 2), torch.ones(4, 3), torch.zeros(4, 2)
FROZEN = nn.Linear(3, 2).requires_grad_(False)
NO_NORM = nn.Sequential(nn.Linear(3, 2))
DEEP = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("ruler", "says"),
    [
        (lambda: landscape(FROZEN, F.mse_loss, (X, Y), [0.1]), "no trainable parameter"),
        (lambda: landscape(nn.ReLU(), F.mse_loss, (X, Y), [0.1]), "no trainable parameter"),
        (lambda: landscape(NET, F.mse_loss, (X, Y), []), "step sizes above 0"),
        (lambda: landscape(NET, F.mse_loss, (X, Y), [0.1, 0.0]), r"above 0, not \[0.1, 0.0\]"),
        (lambda: landscape(NET, F.mse_loss, (X, Y), [float("nan")]), "above 0"),
        (lambda: landscape(NET, F.mse_loss, (X, Y), [0.1], line="up"), "gradient, random"),
        (lambda: landscape(NET, F.mse_loss, (X / 0, Y), [0.1]), "loss of this batch is"),
        (lambda: gradient_norms(NET, F.mse_loss, (X * torch.inf, Y)), "loss of this batch is"),
        (lambda: sharpness(NET, F.mse_loss, (X / 0, Y)), "loss of this batch is"),
        (lambda: sharpness(NET, F.mse_loss, (X, Y), tolerance=0), "tolerance is above 0"),
        (lambda: sharpness(NET, F.mse_loss, (X, Y), iterations=0), "iterations 1 or more"),
        (lambda: shift(DEEP, F.mse_loss, (X / 0, Y), 0.1), "loss of this batch is"),
        (lambda: shift(DEEP, F.mse_loss, (X, Y), -0.1), "not -0.1"),
        (lambda: shift(DEEP, F.mse_loss, (X, Y), {}), "no parameter '0.weight'"),
        (lambda: shift(DEEP, F.mse_loss, (X, Y), 0.1, layers=["0"]), "choose one or more of 1"),
        (lambda: shift(DEEP, F.mse_loss, (X, Y), 0.1, layers=[]), "choose one or more of 1"),
        (lambda: shift(NET, F.mse_loss, (X, Y), 0.1), "trainable parameters before it"),
        (lambda: variance_shift(NO_NORM, X), "no layer that keeps running averages"),
        (lambda: gradient_norms(NET, F.mse_loss, X), r"a batch is \(inputs, targets\)"),
        (lambda: gradient_norms(NET, lambda o, t: o, (X, Y)), "gives one number"),
        (lambda: gradient_norms(NET, lambda o, t: t.mean(), (X, Y)), "depends on the model's"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_said_in_one_line(ruler, says):
    with pytest.raises(BookError, match=says) as raised:
        ruler()
    assert "\n" not in str(raised.value)


def test_what_is_printed_explains_itself(capsys):
    batch = X, Y
    found = landscape(NET, F.mse_loss, batch, [0.1, 0.2])
    assert "along its gradient" in repr(found)
    assert "2 steps of 0.1 to 0.2" in repr(found)
    assert f"{found.beta:.4g}" in repr(found)
    text = repr(shift(DEEP, F.mse_loss, batch, step=0.25))
    assert "Definition 2.1" in text
    assert "0.25" in text
    assert "1 " in text.splitlines()[-1]
    wide = nn.Sequential(*(nn.Linear(3, 3) for _ in range(20)))
    assert len(repr(gradient_norms(wide, F.mse_loss, (X, X))).splitlines()) < 20
    assert "sharpness" in repr(sharpness(NET, F.mse_loss, batch))
    norm = nn.Sequential(nn.BatchNorm1d(3))
    assert "evaluation" in repr(variance_shift(norm, X + torch.randn(4, 3)))
    assert capsys.readouterr().err == ""
    landscape(NET, F.mse_loss, batch, [0.1, 0.2], progress=True)
    assert "landscape" in capsys.readouterr().err
