"""What makes pages light takes away nothing that a page shows."""

import io
import runpy

import numpy as np
import pytest
from PIL import Image

from bnlib.book.layout import Book

LIGHT = runpy.run_path(str(Book().root / "_ext" / "light_pages.py"))
MOON = 'moon:[384,512,[127769,"night"],"f186","M1 2c-3 4z"]'
FACE = '"face-smile":[512,512,[],"f118",["M5 6z","M7 8z"]]'
SUN = '"sun":[512,512,[9728],"f185","M9 9z"]'


def png(pixels: np.ndarray) -> bytes:
    picture = io.BytesIO()
    Image.fromarray(pixels).save(picture, "png")
    return picture.getvalue()


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        ({"moon"}, [MOON]),
        ({"night", "other"}, [MOON]),  # by its other name
        ({"face-smile", "sun"}, [FACE, SUN]),
        ({"unknown"}, []),
    ],
)
def test_only_the_icons_that_are_named_stay(names, kept):
    for order in ((MOON, FACE, SUN), (SUN, MOON, FACE)):
        script = "a={" + ",".join(order) + "},b={x:[1,2],y:1}"
        there = ",".join(icon for icon in order if icon in kept)
        assert LIGHT["only"](script, names) == "a={" + there + "},b={x:[1,2],y:1}"


def test_names_are_found_in_pages_and_scripts():
    pages = [
        '<i class="fa-solid fa-moon"></i>',
        "e.innerHTML='<i class=\\'fa fa-circle-half-stroke'",
    ]
    assert {"moon", "circle-half-stroke"} <= LIGHT["named"](pages)


def test_a_drawing_has_fewer_colours_and_looks_the_same():
    x = np.linspace(0, 1, 300)
    drawing = np.full((300, 300, 3), 255, np.uint8)
    drawing[:, :, 0] = np.where(np.abs(x[:, None] - x) < 0.01, 30, 255)
    drawing[140:160, 20:90] = (200, 90, 40)
    light = LIGHT["fewer_colours"](png(drawing))
    assert Image.open(io.BytesIO(light)).mode == "P"
    shown = np.array(Image.open(io.BytesIO(light)).convert("RGB"), int)
    assert np.abs(shown - drawing).max() <= 2
    assert LIGHT["fewer_colours"](light) is None  # it is light already


def test_what_would_change_to_the_eye_stays():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 4), np.uint8)
    assert LIGHT["fewer_colours"](png(noise[:, :, :3])) is None
    assert LIGHT["fewer_colours"](png(noise)) is None  # see-through


def test_source_code_has_no_table_of_contents():
    bars = ["navbar-logo.html", "search-button-field.html", "sbt-sidebar-nav.html"]
    for page, shown in (("_modules/bnlib/run", bars[:2]), ("chapters/03_lenet", bars)):
        context = {"sidebars": list(bars)}
        LIGHT["code_without_contents"](None, page, "page.html", context, None)
        assert context["sidebars"] == shown
