"""The shift probe against closed forms and networks moved by hand."""

import copy

import numpy as np
import pytest
import torch
from probing import SMALLEST, take, watched
from torch import Tensor, nn
from torch.nn import functional as F

from bnlib import models
from bnlib.catalogue import NETS
from bnlib.data import as_input
from bnlib.measure import Watched
from bnlib.measure.before import Layer, layers_of, some
from bnlib.measure.shift import Shift
from bnlib.models.dropout import Noise
from bnlib.recipe import Recipe
from bnlib.seeds import stream

RECIPE = Recipe(dataset="digits", model="mlp", probes=("shift",), probe_every=1)


def smallest(name: str, **fields) -> Recipe:
    width = SMALLEST["width"] if NETS[name].scales else 1.0
    return RECIPE.but(**SMALLEST | {"model": name, "width": width} | fields)


def nudge(model: nn.Module) -> None:
    """A step to somewhere else."""
    rng = stream(1, "a test")
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.01 * torch.randn(p.shape, generator=rng).to(p))


def sampled(w: Watched, step=nudge) -> dict[str, np.ndarray]:
    """The arrays of one sample; ``step`` moves the network."""
    batch = w.images.clone(), w.labels.clone()
    w.images.zero_(), w.labels.zero_()  # the buffers are not yet filled when a run makes its probes
    probe = Shift(w)
    assert not probe.due(0)
    w.images.copy_(batch[0]), w.labels.copy_(batch[1])
    probe.keep(0)
    step(w.model)
    w.images.zero_(), w.labels.zero_()  # the next batch
    assert probe.due(1)
    take(probe)
    return probe.result()


def linear(before: tuple[Tensor, ...], behind: tuple[Tensor, ...], x: Tensor, y: Tensor) -> Tensor:
    """The gradient of ‖W₂(W₁x + b₁) + b₂ − y‖² / 2B by W₂."""
    (w, b), (v, c) = before, behind
    h = x @ w.T + b
    return (h @ v.T + c - y).T @ h / len(x)


def test_two_linear_layers_have_the_closed_form():
    rng = stream(5, "a test")
    x, y = (torch.randn(20, n, generator=rng, dtype=torch.float64) for n in (5, 3))
    model = nn.Sequential(nn.Flatten(), nn.Linear(5, 4), nn.Linear(4, 3)).double()
    one, two = ([p.detach().clone() for p in model[i].parameters()] for i in (1, 2))

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square().sum() / (2 * len(x))

    w = Watched(RECIPE, model, None, loss, 10, x[:, None, :, None].clone(), y.clone())
    found = sampled(w)
    moved = [p.detach() for p in model[1].parameters()]
    g, there = linear(one, two, x, y), linear(moved, two, x, y)
    exact = {"rel": 1e-10, "abs": 1e-10}
    assert found["shift_layers"].tolist() == ["2"]
    assert found["shift_steps"].tolist() == [0]
    assert found["shift_norm"] == pytest.approx(g.norm().item(), **exact)
    assert found["shift_norm_after"] == pytest.approx(there.norm().item(), **exact)
    assert found["shift_difference"] == pytest.approx((g - there).norm().item(), **exact)
    cosine = (g * there).sum() / g.norm() / there.norm()
    assert found["shift_cosine"] == pytest.approx(cosine.item(), **exact)
    change = sum((a - b).square().sum() for a, b in zip(one, moved, strict=True)).sqrt()
    size = sum(p.square().sum() for p in one).sqrt()
    assert found["shift_change"] == pytest.approx((change / size).item(), **exact)


@pytest.mark.parametrize("name", ["lenet", "resnet18"])
@pytest.mark.parametrize("norm", ["none", "batch", "torch"])
def test_a_step_that_leads_nowhere_shifts_nothing(name, norm):
    found = sampled(watched(smallest(name, norm=norm), steps=10), step=lambda model: None)
    assert (found["shift_norm"] > 0).all()
    assert (found["shift_difference"] == 0).all()
    assert (found["shift_cosine"] == 1).all()
    assert (found["shift_change"] == 0).all()
    assert (found["shift_norm"] == found["shift_norm_after"]).all()


@pytest.mark.parametrize("name", ["vgg_a", "resnet18"])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_what_is_before_a_layer_moves_and_nothing_else(name, norm):
    """Each network is put together by hand from the two at the ends of the step: the layers looked
    at are no shortcuts, and all named earlier is before them."""
    w = watched(smallest(name, norm=norm), steps=10, dtype=torch.float64)
    images, labels, start = as_input(w.images.clone()), w.labels.clone(), copy.deepcopy(w.model)
    found = sampled(w)
    for place, layer in enumerate(found["shift_layers"]):
        names = [name for name, _ in start.named_parameters()]
        mixed, first = copy.deepcopy(start).train(), names.index(f"{layer}.weight")
        with torch.no_grad():
            for earlier in names[:first]:
                mixed.get_parameter(earlier).copy_(w.model.get_parameter(earlier))
        gradients = []
        for net in (copy.deepcopy(start).train(), mixed):
            loss = F.cross_entropy(net(images), labels)
            gradients += torch.autograd.grad(loss, net.get_parameter(f"{layer}.weight"))
        difference = (gradients[0] - gradients[1]).norm().item()
        assert found["shift_difference"][0, place] == pytest.approx(difference, rel=1e-8)
        assert found["shift_norm"][0, place] == pytest.approx(gradients[0].norm().item(), rel=1e-8)


SHOWN = {  # counted over weight layers in the order of their use
    "mlp": ["fc2", "fc3", "fc4"],
    "lenet": ["conv2", "conv3", "fc1", "fc2"],
    "vgg_a": ["conv3", "conv5", "conv7", "fc2"],
    "resnet18": ["block1_2.second.conv", "block2_2.second.conv", "block3_2.second.conv", "fc"],
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_layers_are_the_fifth_the_tenth_and_others_far_apart(name):
    assert sampled(watched(smallest(name), steps=10))["shift_layers"].tolist() == SHOWN[name]


def chain(count: int, loose: tuple[int, ...] = (1,)) -> list[Layer]:
    before = {place: () if place in loose else (0,) for place in range(1, count + 1)}
    return [Layer(str(place), torch.ones(1), some) for place, some in before.items()]


@pytest.mark.parametrize(
    ("layers", "places"),
    [
        (chain(1), []),
        (chain(2), [2]),
        (chain(8), [2, 3, 5, 8]),
        (chain(11), [3, 5, 7, 10]),
        (chain(25), [5, 10, 17, 25]),
        (chain(11, loose=(1, 2, 3, 4, 5)), [6, 7, 8, 10]),
    ],
)
def test_which_layers_of_a_chain(layers, places):
    assert [layer.name for layer in some(layers)] == [str(place) for place in places]


def test_of_two_branches_neither_is_before_the_other():
    model = models.build(smallest("resnet18", norm="batch"))
    params, names = zip(*((p, name) for name, p in model.named_parameters()), strict=True)
    layers = layers_of(model, params, lambda: model(torch.randn(2, 1, 32, 32)))
    before = {layer.name: {names[place] for place in layer.before} for layer in layers}
    order = list(before)
    into = {n for n in names if n.startswith(("stem", "block1"))}
    assert order[0] == "stem.conv"
    assert before["stem.conv"] == set()
    assert before["block2_1.first.conv"] == into
    assert before["block2_1.shortcut.conv"] == into
    assert order.index("block2_1.shortcut.conv") == order.index("block2_1.second.conv") + 1
    assert before["block2_1.second.conv"] == into | {
        n for n in names if n.startswith("block2_1.first")
    }
    assert before["block2_2.first.conv"] == into | {n for n in names if n.startswith("block2_1")}
    assert before["fc"] == set(names) - {"fc.weight", "fc.bias"}


def test_masks_are_those_of_the_step_for_both_gradients(monkeypatch):
    recipe = smallest("alexnet", dropout=0.5)

    def still() -> dict[str, np.ndarray]:
        return sampled(watched(recipe, steps=10), step=lambda model: None)

    assert (still()["shift_difference"] == 0).all()
    monkeypatch.setattr(Noise, "hold", lambda noise: None)  # fresh masks
    found = still()
    assert (found["shift_difference"] > 0.1 * found["shift_norm"]).any()
