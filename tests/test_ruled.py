"""The pictures of rulers show what was found."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bnlib.book import ruled
from bnlib.measure.rulers import LayerShift, LossLine

LINE = LossLine(
    line="gradient",
    steps=np.array([0.1, 0.2, 0.4]),
    loss=2.0,
    losses=np.array([1.5, 1.0, 3.0]),
    norm=4.0,
    changes=np.array([1.0, 2.0, 6.0]),
    beta=3.75,
)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_line_in_units_of_the_rate_and_of_the_gradients_length():
    ruled.line(LINE, rate=0.2)
    above, below = plt.gcf().axes
    for ax, values in ((above, [1.5, 1.0, 3.0]), (below, [0.25, 0.5, 1.5])):
        assert ax.lines[0].get_xdata() == pytest.approx([0.5, 1, 2])
        assert ax.lines[0].get_ydata() == pytest.approx(values)
    assert "spread 2" in [text.get_text() for text in above.texts]


def test_shifts_by_layer():
    two = {name: np.array([1.0, 2.0]) for name in ("norm", "norm_after", "change")}
    found = LayerShift(
        0.1, 1.0, ("a", "b"), difference=np.array([0.5, 3.0]), cosine=np.array([1.0, 0.2]), **two
    )
    ruled.shifts({"one": found})
    left, right = plt.gcf().axes
    assert left.lines[0].get_xdata() == pytest.approx([0.5, 1.5])
    assert right.lines[0].get_xdata() == pytest.approx([1.0, 0.2])
    assert [label.get_text() for label in left.get_yticklabels()] == ["a", "b"]


def test_mistakes_in_units_of_what_is_right():
    ruled.mistakes({"too large": (2.0, 20.0), "too small": (2.0, 0.5)})
    (ax,) = plt.gcf().axes
    crosses = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "X"]
    assert crosses == pytest.approx([10, 0.25])
    assert [text.get_text() for text in ax.texts] == ["20, not 2", "0.5, not 2"]


def test_what_is_said_is_what_is_printed():
    ruled.said(LINE)
    assert plt.gca().texts[0].get_text() == repr(LINE)
