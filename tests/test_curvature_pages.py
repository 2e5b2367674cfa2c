"""The figure, the table and the sentence on curvature, from made-up looks."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from vgg_runs import BASE, trained

from bnlib.analysis import curvature
from bnlib.book import curvature_pages as pages
from bnlib.run import Run, Runs

LOOKS = 8
RATES = {"none": (0.05, 0.2), "batch": (0.05, 0.2, 0.8)}


def looked_at(recipe, level: float) -> Run:
    """A run whose curvature is ``level`` in the second half of its looks, and 99 before."""
    late = np.arange(LOOKS) >= LOOKS // 2
    wobble = 1 + 0.01 * (recipe.seed - 1) * np.ones(LOOKS)

    def series(value: float) -> np.ndarray:
        return np.where(late, value, 99.0) * wobble

    arrays = {"curvature_steps": np.arange(LOOKS), "curvature_loss": series(1.5)}
    for unit, size in (("raw", 1.0), ("scale_free", 100.0)):
        arrays[f"curvature_{unit}_along"] = series(level * size / 2)
        arrays[f"curvature_{unit}_largest"] = series(level * size)
        arrays[f"curvature_{unit}_error"] = series(level * size * 0.004)
    return trained(recipe, 0.5, **arrays)


def follows(norm: str, lr: float) -> float:
    """Without norm half of what the rate allows, at any rate; with it the same at every rate."""
    return 1 / lr if norm == "none" else 5.0


RUNS = Runs(
    looked_at(recipe, follows(norm, recipe.lr))
    for norm, rates in RATES.items()
    for recipe in BASE.grid(norm=(norm,), lr=rates, seed=range(3))
)


def test_the_second_half_counts_as_a_share_of_two_over_the_rate():
    arm = RUNS.where(norm="none", lr=0.2)
    assert curvature.late(arm, curvature.LARGEST) == pytest.approx(5 * np.array([0.99, 1, 1.01]))
    assert curvature.share_of_limit(arm, curvature.LARGEST)[1] == pytest.approx(0.5)
    assert curvature.share_of_limit(arm, curvature.ALONG)[1] == pytest.approx(0.25)
    assert curvature.unsettled(arm) == pytest.approx(0.004)


def test_what_follows_the_rate_falls_by_as_much():
    said = pages.said(RUNS)
    assert "From a rate of 0.05 to one of 0.2, 4 times as large" in said
    assert "along the gradient falls 4.0× (3.9–4.1) without batch norm and 1.0× (" in said
    assert "better than 1 %" in said
    assert pages.said(RUNS.where(lr=0.2)) == ""  # one rate says nothing


def test_the_table_has_a_row_a_rate_and_no_ratio_without_a_pair():
    shown = repr(pages.shares(RUNS))
    rows = {line.split("  ")[0]: line for line in shown.splitlines() if line.startswith("rate")}
    assert list(rows) == ["rate 0.05", "rate 0.2", "rate 0.8"]
    assert "4.0× (3.9–4.1)" in rows["rate 0.05"]  # 20 against 5, scale-free
    assert rows["rate 0.8"].split()[-1] == "–"
    assert "0.5" in rows["rate 0.2"]


def test_the_figure_has_both_arms_and_the_limit_in_each_panel():
    pages.against_the_rate(RUNS)
    axes = plt.gcf().axes
    assert len(axes) == 2
    for ax in axes:
        limit = next(line for line in ax.get_lines() if line.get_linestyle() == ":")
        x, y = limit.get_data()
        assert np.asarray(x) * np.asarray(y) == pytest.approx(2)
        means = [line for line in ax.get_lines() if len(line.get_xdata()) in (2, 3)][:2]
        assert {len(line.get_xdata()) for line in means} == {2, 3}
    plt.close("all")
