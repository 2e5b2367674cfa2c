"""Crops and flips against a slow reference, picture by picture."""

import pytest
import torch
from torch.nn import functional as F

from bnlib import data
from bnlib.data.augment import augmented, draws
from bnlib.recipe import Recipe


def slowly(image, down: int, right: int, flip: bool, background):
    """One (H, W, C) picture: padded by 4 pixels of background, cut out, mirrored."""
    height, width, channels = image.shape
    planes = [
        F.pad(image[..., c], (4, 4, 4, 4), value=float(background[c])) for c in range(channels)
    ]
    padded = torch.stack(planes, -1)
    cut = padded[4 + down : 4 + down + height, 4 + right : 4 + right + width]
    return cut.flip(1) if flip else cut


@pytest.mark.parametrize("shape", [(32, 32, 3), (7, 5, 2)], ids=str)
def test_every_shift_and_flip_is_the_slow_one(shape):
    every = torch.cartesian_prod(torch.arange(-4, 5), torch.arange(-4, 5), torch.arange(2))
    shifts, flips = every[:, :2], every[:, 2].bool()
    images, background = torch.randn(len(every), *shape), torch.randn(shape[-1])
    kept, out = images.clone(), torch.empty_like(images)
    assert augmented(images, shifts, flips, background, out=out) is out
    assert torch.equal(images, kept)
    for image, (down, right, flip), found in zip(images, every.tolist(), out, strict=True):
        assert torch.equal(found, slowly(image, down, right, flip, background))
    augmented(images, shifts, flips, background, out=images)  # in place
    assert torch.equal(images, out)


def test_the_background_is_what_pictures_are_padded_with():
    digits = data.load("digits", 32)
    assert torch.equal(digits.test.images[7, 0, 0], digits.background)
    shifts, flips = torch.tensor([[-2, 1]]), torch.tensor([False])
    image = digits.test.images[7:8]
    moved = augmented(image, shifts, flips, digits.background, out=torch.empty_like(image))
    assert torch.equal(moved[0, 2:, :-1], image[0, :-2, 1:])  # a digit's frame is background


def test_the_host_reads_nothing():
    with torch.device("meta"):  # where there is nothing to read
        images, shifts = torch.empty(6, 32, 32, 3), torch.empty(6, 2, dtype=torch.long)
        flips, background = torch.empty(6, dtype=torch.bool), torch.empty(3)
        assert augmented(images, shifts, flips, background, out=images).shape == (6, 32, 32, 3)


def test_draws_of_an_epoch():
    shifts, flips = draws(seed=3, epoch=2, steps=40, batch_size=50)
    assert (shifts.shape, flips.shape) == ((40, 50, 2), (40, 50))
    assert (shifts.dtype, flips.dtype) == (torch.long, torch.bool)
    places = torch.bincount((shifts + 4).flatten(), minlength=9)
    assert len(places) == 9
    expected = shifts.numel() / 9
    assert ((places - expected).abs() < 5 * expected**0.5).all()
    assert abs(flips.sum() - 1000) < 5 * 500**0.5
    again = draws(seed=3, epoch=2, steps=40, batch_size=50)
    assert torch.equal(shifts, again[0])
    assert torch.equal(flips, again[1])
    for other in (draws(4, 2, 40, 50), draws(3, 1, 40, 50)):
        assert not torch.equal(shifts, other[0])
        assert not torch.equal(flips, other[1])


def test_it_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    draws(seed=0, epoch=0, steps=2, batch_size=5)
    assert torch.equal(torch.rand(3), expected)


def test_it_is_a_field_that_old_recipes_do_not_have():
    recipe = Recipe(dataset="cifar10")
    assert recipe.but(augment="none").id == recipe.id
    assert recipe.but(augment="crop_flip").id != recipe.id
