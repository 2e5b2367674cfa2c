"""Networks with the ℓp norms: trained, watched by probes, and evaluated twice."""

import pytest
import torch
from made_up import SMALL
from norm_pairs import gap
from training import bits, trained

from bnlib import models
from bnlib.data import Split, as_input
from bnlib.recipe import Recipe
from bnlib.training import precise

each_norm = pytest.mark.parametrize("norm", ["l1", "l2", "linf"])


@each_norm
def test_precise_statistics_are_the_average_over_batches(norm, monkeypatch):
    monkeypatch.setattr(precise, "BATCH", 100)
    net = models.build(Recipe(norm=norm, image_size=28))
    images = torch.randn(300, 28, 28, 1)
    before = bits(net)
    twin = precise.precise(net, Split(images, torch.zeros(300).long()))
    assert bits(net) == before
    assert len(precise.averaging(net)) == 4
    batches = torch.stack([net.conv1(as_input(part)) for part in images.split(100)]).double()
    norms = {
        "l1": batches.abs().mean((1, 3, 4)),
        "l2": batches.square().mean((1, 3, 4)).sqrt(),
        "linf": batches.abs().amax((1, 3, 4)),
    }
    want = batches.mean((0, 1, 3, 4)), norms[norm].mean(0)
    assert gap([twin.norm1.running_mean, twin.norm1.running_norm], want) <= 1e-5


@each_norm
def test_trains_and_a_probe_changes_no_bit(norm):
    small = SMALL.but(norm=norm, epochs=3)
    run, net = trained(small)
    losses = run.history["train_loss"]
    assert losses[-1] < 0.8 * losses[0]
    assert {"test_acc", "test_acc_precise"} <= run.history.keys()
    watched, same = trained(small.but(probes=("affine", "unit_inputs")))
    assert bits(same) == bits(net)
    assert gap([torch.tensor(watched.arrays["gamma1"])], [net.norm1.weight]) == 0
