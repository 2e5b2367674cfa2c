"""ResNets against torchvision's, hand-counted parameters, and what a timing of them refuses."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet as theirs

from bnlib import models
from bnlib.errors import BookError
from bnlib.recipe import Recipe, Timing

RESNET = Recipe(dataset="cifar10", model="resnet18", activation="relu")
BLOCKS = {  # in each stage
    "resnet18": [2, 2, 2, 2],
    "resnet34": [3, 4, 6, 3],
    "resnet50": [3, 4, 6, 3],
    "resnet101": [3, 4, 23, 3],
    "resnet152": [3, 8, 36, 3],
}
PARAMETERS = {
    "resnet18": 11_173_962,
    "resnet34": 21_282_122,
    "resnet50": 23_520_842,
    "resnet101": 42_512_970,
    "resnet152": 58_156_618,
}
NORMS = {"none": lambda channels: nn.Identity(), "batch": nn.BatchNorm2d, "torch": nn.BatchNorm2d}


def torchvisions(name: str, norm) -> theirs.ResNet:
    """Its network, with a stem for small pictures and without memory for its weights."""
    kind = theirs.Bottleneck if int(name[6:]) >= 50 else theirs.BasicBlock
    with torch.device("meta"):
        net = theirs.ResNet(kind, BLOCKS[name], num_classes=10, norm_layer=norm)
        net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    net.maxpool = nn.Identity()
    return net


def by_formula(name: str) -> int:
    """Weights, and a gamma and a beta for each output of a convolution."""

    def conv(inputs: int, outputs: int, size: int) -> int:
        return inputs * outputs * size**2 + 2 * outputs

    total, width = conv(3, 64, 3), 64
    for stage, blocks in enumerate(BLOCKS[name]):
        units = 64 * 2**stage
        for block in range(blocks):
            if int(name[6:]) >= 50:
                outputs = 4 * units
                total += conv(width, units, 1) + conv(units, units, 3) + conv(units, outputs, 1)
            else:
                outputs = units
                total += conv(width, units, 3) + conv(units, units, 3)
            if block == 0 and width != outputs:
                total += conv(width, outputs, 1)
            width = outputs
    return total + width * 10 + 10


@pytest.mark.parametrize("name", BLOCKS)
def test_parameters_as_published_counted_and_torchvisions(name):
    with torch.device("meta"):
        ours = models.structure(RESNET.but(model=name, norm="batch"))
    for net in (ours, torchvisions(name, nn.BatchNorm2d)):
        assert sum(p.numel() for p in net.parameters()) == by_formula(name) == PARAMETERS[name]


def test_names_of_resnet18s_weights():
    names = ["stem"]
    for stage in (1, 2, 3, 4):
        for block in (1, 2):
            names += [f"block{stage}_{block}.{part}" for part in ("first", "second")]
            names += [f"block{stage}_{block}.shortcut"] * (stage > 1 and block == 1)
    found = dict(models.build(RESNET.but(norm="batch", width=1 / 32)).named_parameters())
    parts = ("conv.weight", "norm.weight", "norm.bias")
    assert [*found] == [f"{n}.{p}" for n in names for p in parts] + ["fc.weight", "fc.bias"]


@pytest.mark.parametrize(
    ("name", "norm"), [(n, norm) for n in ("resnet18", "resnet50") for norm in NORMS]
)
def test_resnet_is_torchvisions_with_a_stem_for_small_pictures(name, norm):
    recipe = RESNET.but(model=name, norm=norm, init="he")  # "he" leaves the biases at 0
    ours = models.build(recipe).double()
    for p in ours.parameters():
        if p.dim() == 1 and norm != "none":
            nn.init.normal_(p)
    net = torchvisions(name, NORMS[norm])
    state = {k: v.clone() for k, v in ours.state_dict().items() if not k.endswith("conv.bias")}
    net.load_state_dict(dict(zip(net.state_dict(), state.values(), strict=True)), assign=True)
    x = torch.randn(3, 3, 16, 16).double()
    torch.testing.assert_close(ours(x), net(x))  # in training
    for one, other in zip(ours.buffers(), net.buffers(), strict=True):
        torch.testing.assert_close(one, other)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), net.eval()(x))


def test_resnet_takes_the_recipes_activation():
    net = models.build(Recipe(model="resnet18", width=1 / 32, activation="tanh"))
    assert "ReLU" not in str(net)
    assert "Tanh" in str(net)


@pytest.mark.parametrize("fields", [{"image_size": 64}, {"dropout": 0.5}], ids=str)
def test_a_timing_with_an_arm_that_is_no_recipe_is_refused_at_once(fields):
    with pytest.raises(BookError, match="alexnet"):
        Timing(recipe=Recipe(model="alexnet", **fields), models=("alexnet", "resnet18"))
