"""The narrow picture of a figure: stacked panels that keep their names, and the figure's scale."""

import base64
import io
import itertools

import matplotlib.pyplot as plt
import pytest
from PIL import Image

from bnlib.book import narrow


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def size(text: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(text))).size


def test_panels_side_by_side_are_stacked_in_reading_order_and_keep_their_names():
    figure, axes = plt.subplots(2, 2, sharey=True, figsize=(7, 4), layout="constrained")
    for row in axes:
        row[0].set_ylabel("loss")
    narrow.narrow(figure)
    figure.canvas.draw()
    boxes = [ax.get_position() for ax in axes.flat]
    assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes))
    assert len({round(box.x0, 3) for box in boxes}) == 1
    assert all(ax.get_ylabel() == "loss" for ax in axes.flat)
    assert all(any(t.label1.get_visible() for t in ax.yaxis.get_major_ticks()) for ax in axes.flat)
    assert figure.get_figwidth() == narrow.WIDTH
    assert figure.get_figheight() == pytest.approx(8)


def test_panels_of_different_measures_keep_their_own_names():
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3))
    left.set_ylabel("loss")
    narrow.narrow(figure)
    assert (left.get_ylabel(), right.get_ylabel()) == ("loss", "")


def test_a_wide_figure_has_both_pictures_and_its_scale():
    figure, ax = plt.subplots(figsize=(7, 3))
    ax.plot([1, 2])
    figure.set_label("laptop · n = 3")
    wide, about = narrow.both(figure)
    assert about["scale"] == "laptop · n = 3"
    assert size(about["narrow"])[0] < size(wide)[0]


def test_the_first_panel_ends_where_nothing_is_drawn():
    figure, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
    for ax, name in zip(axes, ("left", "right"), strict=True):
        ax.plot([1, 2])
        ax.set(title=name, xlabel="epoch", ylabel="loss")
    about = narrow.both(figure)[1]
    picture = Image.open(io.BytesIO(base64.b64decode(about["narrow"]))).convert("L")
    end = about["panel"]
    assert 0.48 * picture.height < end < 0.53 * picture.height
    assert picture.crop((0, end - 2, picture.width, end)).getextrema() == (255, 255)


@pytest.mark.parametrize("kind", ["narrow already", "drawing"])
def test_what_is_narrow_or_drawn_by_hand_stays_as_it_is(kind):
    figure, ax = plt.subplots(figsize=(3.4 if kind == "narrow already" else 7, 3))
    ax.plot([1, 2])
    if kind == "drawing":
        ax.axis("off")
    assert set(narrow.both(figure)[1]) == {"width", "height"}
