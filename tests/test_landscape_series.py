"""What is computed from recorded landscapes, on made-up arrays, against loops and by hand."""

import math

import numpy as np
import pytest
from made_up import made_up_run

from bnlib.analysis import landscape
from bnlib.analysis.landscape import OFF, ON
from bnlib.recipe import Recipe
from bnlib.run import Runs

pytestmark = pytest.mark.filterwarnings("error")
BASE = Recipe(dataset="cifar10", model="vgg_a", lr=0.1)
ETAS = np.geomspace(0.05, 0.4, 8)
LINES = ("gradient", "scale_free")


def arm(samples: int = 12, seeds: int = 3, **changes: np.ndarray) -> Runs:
    """Runs with random arrays; ``changes`` replace those of the first."""
    runs = []
    for recipe in BASE.grid(seed=range(seeds)):
        rng = np.random.default_rng(recipe.seed)
        arrays = {"loss": rng.uniform(0, 3, samples), "etas": ETAS, "scale_free_etas": ETAS / 100}
        for line in LINES:
            arrays[f"{line}_losses"] = rng.uniform(0, 9, (samples, 8))
            arrays[f"{line}_changes"] = rng.uniform(0, 9, (samples, 8))
            arrays[f"{line}_beta"] = rng.uniform(0, 9, samples)
        for name in ("changes", "moves"):
            arrays[f"consecutive_{name}"] = rng.uniform(1, 2, samples)
        runs.append(made_up_run(recipe, **arrays))
    runs[0].arrays.update(changes)
    return Runs(runs)


@pytest.mark.parametrize("line", LINES)
def test_width_change_and_beta_sample_by_sample(line):
    runs = arm()
    width, change, beta = (f(runs, line) for f in landscape.MEASURES.values())
    assert width.shape == change.shape == beta.shape == (3, 12)
    for i, run in enumerate(runs):
        for j in range(12):
            losses = run.arrays[f"{line}_losses"][j].tolist()
            assert width[i, j] == pytest.approx(max(losses) - min(losses))
            assert change[i, j] == max(run.arrays[f"{line}_changes"][j].tolist())
            assert beta[i, j] == run.arrays[f"{line}_beta"][j]


@pytest.mark.parametrize("too_large", [np.nan, np.inf])
def test_a_line_that_runs_into_infinity_is_infinitely_wide(too_large):
    runs = arm()
    for name in ("losses", "changes"):
        runs[0].arrays[f"gradient_{name}"][3, 7] = too_large
    runs[0].arrays["gradient_losses"][5] = too_large  # nowhere a number
    runs[0].arrays["gradient_beta"][3] = np.nan
    for measure in landscape.MEASURES.values():
        values = measure(runs)
        assert values[0, 3] == np.inf
        assert np.isfinite(np.delete(values, [3, 5], axis=1)).all()
    assert landscape.width(runs)[0, 5] == np.inf


def test_after_the_end_of_a_run_there_is_nothing():
    runs = arm()
    for name, values in runs[1].arrays.items():
        if "etas" not in name:
            runs[1].arrays[name] = values[:7]
    for measure in landscape.MEASURES.values():
        values = measure(runs)
        assert np.isnan(values[1, 7:]).all()
        assert np.isfinite(values[:, :7]).all()
        assert np.isnan(landscape.over_the_run(values)).tolist() == [False, True, False]


def test_saturation_is_beta_times_the_smallest_step():
    runs = arm()
    raw, free = (landscape.saturation(runs, line) for line in LINES)
    np.testing.assert_allclose(raw, 0.05 * runs.array("gradient_beta"))
    np.testing.assert_allclose(free, 0.0005 * runs.array("scale_free_beta"))


def test_a_gradient_that_is_replaced_at_once_saturates_at_one():
    """Whatever the step, nothing is left of the gradient: it changes by about √2 of its length."""
    rng = np.random.default_rng(0)
    g, others = rng.normal(size=1000), rng.normal(size=(8, 1000))
    changes = np.linalg.norm(others - g, axis=1)
    beta = (changes / (ETAS * np.linalg.norm(g))).max()
    runs = arm(gradient_beta=np.full(12, beta))
    assert landscape.SATURATED < landscape.saturation(runs)[0, 0] < 1.6


def headrooms(after: list[float], times: float) -> float:
    losses = np.full((len(after), 8), -1.0)
    losses[:, {0.9: 2, 4: 7}[times]] = after
    runs = arm(len(after), 1, loss=np.ones(len(after)), gradient_losses=losses)
    return landscape.headroom(runs, times)[0]


@pytest.mark.parametrize("times", [0.9, 4])
@pytest.mark.parametrize(
    ("after", "share"),
    [([0.5, 0.9, 1.0], 0), ([1.1, 0.9, 1.2, 0.1], 0.5), ([np.nan, np.inf, 2], 1)],
)
def test_headroom_counts_the_samples_whose_loss_a_step_raises(times, after, share):
    assert headrooms(after, times) == share


def test_headroom_leaves_out_what_comes_after_the_end():
    losses = np.where(np.arange(12)[:, None] < 3, 5.0, 0.0) * np.ones(8)
    loss = np.where(np.arange(12) < 6, 1.0, np.nan)
    assert landscape.headroom(arm(loss=loss, gradient_losses=losses), 4)[0] == 0.5


def test_the_last_layer_has_no_next_step_after_the_last_sample():
    runs = arm()
    expected = runs.array("consecutive_changes")[:, :11] / runs.array("consecutive_moves")[:, :11]
    np.testing.assert_array_equal(landscape.last_layer_beta(runs), expected)
    assert landscape.last_layer(runs).shape == (3, 11)


def test_the_band_lies_between_the_rates_of_a_seed():
    losses = {(0.1, 0): [1, 2, 3], (0.2, 0): [2, 2, 9], (0.1, 1): [0, 0, 1], (0.2, 1): [3, 1, 1]}
    runs = Runs(
        made_up_run(BASE.but(lr=lr, seed=seed), loss=np.array(row, float))
        for (lr, seed), row in reversed(losses.items())
    )
    assert landscape.band(runs) == pytest.approx([7 / 3, 4 / 3])  # seed 0: 1, 0, 6; 1: 3, 1, 0
    runs[0].arrays["loss"][1] = np.nan
    assert np.isnan(landscape.band(runs)).tolist() == [False, True]


def plateaus(*losses: list[float]) -> Runs:
    return Runs(
        made_up_run(BASE.but(seed=seed), loss=np.array(row)) for seed, row in enumerate(losses)
    )


def test_the_plateau_ends_once_and_by_the_loss():
    runs = plateaus([2.3, 2.3, 2.1, 2.5, 1.0], [2.3] * 5, [2.0] * 5, [9.0, 2.3, 2.3, 2.3, 2.19])
    assert landscape.plateau_ends(runs) == {0: 2, 1: 5, 2: 0, 3: 4}
    assert landscape.seeds_in(ON, runs) == [1, 3]
    assert landscape.seeds_in(OFF, runs) == [0, 2]
    assert landscape.plateau_ends(plateaus([2.3, np.nan])) == {0: 2}


def test_a_phase_is_the_same_steps_in_both_arms():
    """Four samples on the plateau for seed 5 and two for seed 2, in whatever order they come."""
    series = np.array([[1, 2, 3, 40, 50, 60.0], [10, 20, 3, 4, 5, 6.0]])
    for order in ([5, 2], [2, 5]):
        runs = Runs(made_up_run(BASE.but(seed=seed)) for seed in order)
        rows = series if order == [5, 2] else series[::-1]
        on, off = (landscape.in_phase(runs, rows, phase, {5: 4, 2: 2}) for phase in (ON, OFF))
        expected = {5: (2.5, 55), 2: (15, 4.5)}
        assert list(zip(on, off, strict=True)) == [expected[seed] for seed in order]


def test_infinite_samples_count_and_missing_ones_spoil_a_phase():
    runs = Runs([made_up_run(BASE)])
    rows = [[1, 2, np.inf, np.inf, 1.0], [1, 2, np.inf, np.inf, np.inf], [1, 2, 3, np.nan, 4]]
    middles = [landscape.in_phase(runs, np.array([row]), OFF, {0: 0})[0] for row in rows]
    assert middles[:2] == [2, np.inf]
    assert math.isnan(middles[2])


def test_at_equal_loss():
    runs = arm(6, 2)
    for run, losses in zip(runs, ([2.5, 1.9, 1.1, 1.0, 0.4, 9], [0.1] * 6), strict=True):
        run.arrays["loss"] = np.array(losses)
    series = np.array([[1, 2, 3, 5, 7, 8], [1, 2, 3, 4, 5, np.inf]])
    found = landscape.at_loss(runs, series, np.array([0, 1, 2, 3]))
    expected = [[7, 3, 1], [3.5, np.nan, np.nan]]  # 1.9, 1.1 and 1.0 lie between 1 and 2
    np.testing.assert_array_equal(found, expected)
