"""What the page on landscapes computes and writes, on made-up runs whose answer is known."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from made_up import made_up_run

from bnlib.analysis import landscape
from bnlib.book import boxes, landscape_figures, vgg_answer
from bnlib.book import landscape_tables as tables
from bnlib.book import vgg_readings as readings
from bnlib.book.measured import about, times, two_digits
from bnlib.recipe import Recipe
from bnlib.run import Runs

LR, SAMPLES = 0.1, 12
TIMES = np.array([0.5, 0.9, 2.0, 4.0])
BASE = Recipe(dataset="cifar10", model="vgg_a", activation="relu", epochs=2, lr=LR)
PLATEAU = 4  # samples
SLOPE = {"none": 3.0, "batch": 1.0}  # of the loss beyond the rate
FREE = 0.5  # of the spread, in scale-free units


def made_up(norm: str, seed: int):
    """Up to the learning rate the loss falls, three times as far with batch norm; beyond it rises
    above that of the start. The gradient changes by twice its length at most without batch norm,
    by half of it with."""
    none, rng = norm == "none", np.random.default_rng([seed, norm == "none"])
    size = np.exp(0.05 * rng.normal(size=(SAMPLES, 1)))
    loss = np.where(np.arange(SAMPLES) < PLATEAU, 2.3, 1.5) if none else np.full(SAMPLES, 1.0)
    falls = np.where(TIMES <= 1, (0.1 if none else 0.3) * TIMES, 0)
    rises = np.where((1 if none else 3) < TIMES, SLOPE[norm] * TIMES, -0.1 * (TIMES > 1))
    line = size * (rises - falls)
    changes = size * TIMES * (0.5 if none else 0.125)
    arrays = {"loss": loss, "etas": LR * TIMES, "scale_free_etas": LR * TIMES / 100}
    for name, factor in (("gradient", 1.0), ("scale_free", FREE), ("random", 1.0)):
        arrays[f"{name}_losses"] = loss[:, None] + factor * line
        arrays[f"{name}_changes"], arrays[f"{name}_norm"] = changes, size[:, 0]
        arrays[f"{name}_beta"] = (changes / arrays["etas"]).max(axis=1)
    at = np.linspace(-1, 1, 5)
    arrays |= {"plane_coordinates": at, "plane": np.hypot(*np.meshgrid(at, at)) + none}
    arrays |= {"steps": np.arange(SAMPLES), "consecutive_changes": np.ones(SAMPLES)}
    return made_up_run(BASE.but(norm=norm, seed=seed), **arrays)


MAIN = Runs(made_up(norm, seed) for norm in ("none", "batch") for seed in range(4))
NONE, BATCH = (MAIN.where(norm=name) for name in ("none", "batch"))
ENDS = dict.fromkeys(range(4), PLATEAU)


def test_a_step_raises_the_loss_where_it_was_made_to():
    assert landscape.raised(NONE, "gradient", ENDS).tolist() == [[0, 0, 1, 1]] * 4
    assert landscape.raised(BATCH, "gradient", ENDS).tolist() == [[0, 0, 0, 1]] * 4
    assert vgg_answer.raising(MAIN, 2, "gradient") == [100, 0]
    assert vgg_answer.raising(MAIN, 0.9, "scale_free") == [0, 0]


def test_samples_on_the_plateau_and_after_a_runs_end_do_not_count():
    run = made_up("none", 0)
    run.arrays["gradient_losses"][:PLATEAU] = 0  # lower, on the plateau
    run.arrays["gradient_losses"][PLATEAU, 2] = np.inf  # too large for float32: raised
    run.arrays["loss"][-1] = np.nan
    run.arrays["gradient_losses"][-1] = 0
    assert landscape.raised(Runs([run]), "gradient", ENDS).tolist() == [[0, 0, 1, 1]]


def test_a_network_that_never_leaves_its_plateau_has_no_figures_off_it():
    for run in (
        stays := Runs(made_up(norm, seed) for norm in ("none", "batch") for seed in (0, 1))
    ):
        run.arrays["loss"][:] = 2.3
    assert np.isnan(vgg_answer.raising(stays, 4, "gradient")).all()
    assert vgg_answer.within(stays) == "–"
    row = next(r for r in repr(tables.smoothness(stays)).splitlines() if r.startswith("β, random"))
    assert row.split()[2] == "–"
    landscape_figures.bands(stays)
    plt.close("all")


def test_short_of_the_learning_rate_batch_norm_varies_more():
    assert np.median(landscape.width_up_to(NONE, 1)) == pytest.approx(0.04, rel=0.1)
    assert np.median(landscape.width_up_to(BATCH, 1)) == pytest.approx(0.12, rel=0.1)
    assert vgg_answer.within(MAIN).startswith("0.3")
    whole = landscape.width_up_to(NONE, 4)
    assert whole == pytest.approx(landscape.width(NONE))


def test_relative_change_is_in_lengths_of_the_gradient():
    assert landscape.relative_change(NONE) == pytest.approx(np.tile(TIMES / 2, (4, 1)))


def test_beta_is_counted_where_its_quotient_is_largest():
    run = made_up("none", 0)
    bend = np.ones((SAMPLES, 1)) * [4, 3, 2, 1]
    run.arrays["gradient_changes"] = bend * run.arrays["etas"]
    run.arrays["gradient_changes"][:3, -1] = 9
    run.arrays["gradient_changes"][-1] = np.nan
    assert landscape.at_smallest_step(Runs([run])) == (SAMPLES - 4, SAMPLES - 1)


def test_the_limit_of_beta_says_both_arms_in_turn():
    said = vgg_answer.limited(MAIN)
    assert said.startswith("Without batch norm the median of β is 0.2")
    assert "with batch norm the median of β is 0.06" in said


def test_seeds_without_all_rates_are_left_out():
    runs = Runs(made_up_run(BASE.but(lr=lr, seed=s)) for lr in (0.1, 0.2) for s in range(3))
    short = Runs([*runs, made_up_run(BASE.but(lr=0.1, seed=7))])
    assert [some.values("seed") for some in landscape.by_seed(short)] == [[0], [1], [2]]


def test_a_ratio_is_the_geometric_mean_with_its_interval():
    none, other = np.array([2.0, 4.0, 8.0, 4.0]), np.array([1.0, 1.0, 2.0, 0.5])
    # log₂: 2 ± 2.447 × √(2/3) × √(2/4), of 6 degrees of freedom
    assert times(none, other) == "4.0× (1.5–11)"
    assert times(none[:2], other[:2]) == "2.8×"
    assert times(np.array([]), np.array([])) == "–"


def test_a_ratio_has_two_digits():
    shown = [two_digits(x) for x in (0.0371, 0.7, 0.996, 5.83, 9.97, 28.3, 173.0)]
    assert shown == ["0.037", "0.70", "1.0", "5.8", "10", "28", "170"]


def test_a_mean_has_an_interval_or_is_its_values():
    assert about(np.array([1.0, 1.1, 1.2])) == "1.10 ± 0.25"
    assert about(np.array([0.0, 0.5, 0.0])) == "0 · 0 · 0.50"
    assert about(np.array([3.0, 1.0])) == "1.00 · 3.00"
    assert about(np.array([10.0] * 9)) == "10.0"


def test_the_table_of_smoothness_has_every_measure_line_and_phase():
    shown = repr(tables.smoothness(MAIN))
    spread = np.ptp([-0.09, 12.0]) / np.ptp([-0.27, 4.0])  # at 4 times, and the fall at .9
    row = next(line for line in shown.splitlines() if line.startswith("spread, gradient"))
    assert f"{spread:.1f}" in row
    assert shown.count("×") == 2 * 9


def test_a_range_of_losses_that_a_run_misses_is_empty():
    shown = repr(tables.at_equal_loss(MAIN, (0.5, 1.2, 1.6))).splitlines()
    assert all(line.split()[3:] == ["–"] * 4 for line in shown[2:])


def test_the_plane_has_its_floor_and_its_rise_near_and_far():
    """Within half of a filter's length lie the centre and four points at .5; the axes end at 1."""
    none, batch = repr(tables.plane(MAIN)).splitlines()[2:]
    assert none.split()[2:] == ["1.00", "0.40", "1.00"]
    assert batch.split()[2:] == ["0", "0.40", "1.00"]


def test_the_plane_is_read_near_and_far():
    runs = Runs(made_up(norm, seed) for norm in ("none", "batch") for seed in range(3))
    for run in runs.where(norm="none"):
        run.arrays["plane"] = (run.arrays["plane"] - 1) ** 2 + 1  # 1/4 at 1/2: flat, then as far
    said = readings.plane(runs)
    assert "rises by 0.40 nats on average, without batch norm by 0.20; at the ends" in said
    assert "1 length away, by 1.0 against 1.0" in said
    for run in runs.where(norm="none"):
        run.arrays["plane"] *= 3
    assert "which is flatter depends on how far" not in readings.plane(runs)
    for run in runs.where(norm="batch"):
        run.arrays["plane"] *= 2
    said = readings.plane(runs)
    assert "by 2.0 against 3.0: which is flatter depends on how far one looks" in said


def test_the_plateau_is_read_with_what_the_other_network_has_reached():
    runs = Runs(made_up(norm, seed) for norm in ("none", "batch") for seed in range(4))
    for run in runs:
        run.arrays["random_norm"] = np.full(SAMPLES, 3.0 if run.recipe.norm == "batch" else 2.0)
    said = readings.rough(runs)
    assert f"4 seeds, {PLATEAU} looks each; the network with batch norm is already at a" in said
    assert "loss of 1.0. The random step" in said
    assert "1.5 times as long with batch norm" in said


def test_scale_free_steps_are_given_in_their_own_size():
    said = readings.headroom(MAIN)
    assert "over the 2 shortest scale-free steps 0.3" in said
    assert "(The scale-free steps go from 0.0005 to 0.004.)" in said
    mpl.use("agg")
    landscape_figures.headroom(MAIN)
    raw, free = plt.gcf().axes
    assert [line.get_xdata()[0] for line in free.get_lines()[:1]] == pytest.approx([0.0005])
    assert [line.get_xdata()[0] for line in raw.get_lines()[:1]] == pytest.approx([0.5])
    assert free.get_xlabel().startswith("scale-free step")
    plt.close("all")


@pytest.mark.parametrize("draw", ["bands", "headroom", "relative_change", "reached", "planes"])
def test_a_figure_shows_both_arms(draw):
    mpl.use("agg")
    getattr(landscape_figures, draw)(MAIN, *[MAIN] * (draw == "relative_change"))
    axes = plt.gcf().axes
    assert len(axes) >= 2
    assert all(ax.has_data() for ax in axes)
    plt.close("all")


def test_boxes_and_tables_show_text_as_it_is():
    shown = boxes.table({"a": {"x<": "1", "y": "2"}, "b": {"y": "3"}}, "one < two", "n = 3")
    assert shown.data.startswith(":::{table} one &lt; two (n = 3)\n")
    assert "| \xa0 | x&lt; | y |" in shown.data
    assert "–" in repr(shown)
    assert "<p>a &lt; b</p>" in boxes.box("Title", "a < b")._repr_html_()
    assert shown.data in boxes.in_numbers(shown).data
    assert repr(boxes.in_numbers(shown)) == repr(shown)
    odd = boxes.table({"a|b": {"*": "_"}}, "c")
    assert odd.data.splitlines()[2:] == ["| \xa0 | \\* |", "| --- | --- |", r"| a\|b | \_ |", ":::"]
