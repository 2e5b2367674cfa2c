"""What the page on internal covariate shift computes and writes, on made-up runs."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from shift_runs import NAMES, leaves, linear_runs, noise_runs, shift_runs

from bnlib.analysis import layer_inputs, shift
from bnlib.book import (
    inputs_figures,
    shift_answer,
    shift_factors,
    shift_figures,
    shift_gradients,
    shift_inputs,
)
from bnlib.book import shift_tables as tables
from bnlib.run import Runs

LEVELS = np.array([0.05, 0.15, 0.5, 0.85, 0.95])
OFF, ON = "off the plateau", "on the plateau"


def with_inputs(runs: Runs, power: float = 1.0) -> Runs:
    """The inputs of batch norm's layers travel ``power`` factors of two further in a step, after
    it, and once more before it."""
    for run in runs:
        normed = run.recipe.norm != "none"
        looks = len(run.arrays["shift_loss"])
        far = 0.1 * np.exp(0.03 * np.random.default_rng(run.recipe.seed).normal(size=(looks, 4)))
        run.arrays.update(inputs_steps=np.arange(looks), inputs_layers=NAMES)
        run.arrays["inputs_levels"] = LEVELS
        for place, more in (("before", 1), ("after", 0)):
            values = far * 2.0 ** (normed * (power + more))
            quantiles = np.tile(np.linspace(-1, 1, 5), (looks, 4, 1))
            run.arrays[f"inputs_{place}_quantiles"] = quantiles
            for clock in ("step", "look"):
                for units in ("", "_raw"):
                    run.arrays[f"inputs_{place}_{clock}{units}"] = values.copy()
            run.arrays[f"inputs_{place}_step"][-1] = np.nan  # the run ended
            run.arrays[f"inputs_{place}_look"][0] = np.nan  # nothing before it
    return runs


MAIN = with_inputs(shift_runs(on=3, off={"distance": 2, "length": -1, "angle": 1}))


def row(shown, name: str) -> list[str]:
    (line,) = (line for line in repr(shown).splitlines() if line.startswith(name))
    return line[len(name) :].split()


def test_ratios_are_those_of_the_phase_or_of_equal_loss():
    found = tables.shifts(MAIN, 0.1)
    for layer in ("conv5", "fc2"):
        for name, off, on in (("distance", 4, 8), ("relative", 8, 8), ("angle", 2, 8)):
            cells = [c for c in row(found, f"{name}, {layer}") if "×" in c]
            sizes = [float(cell.rstrip("×")) for cell in cells]
            assert sizes == pytest.approx([off, off, on], rel=0.08)
    moved = row(found, f"{tables.SENSITIVE}, conv5")  # the weights move by a hundredth
    assert float(moved[0].rstrip("×")) == pytest.approx(8, rel=0.08)
    assert "n = 6" in repr(found)


def test_every_layer_and_rate_has_its_column():
    found = repr(tables.every_layer(MAIN))
    assert all(name in found for name in NAMES)
    assert all(f"{OFF}, rate {lr}" in found for lr in ("0.1", "0.03"))


def test_the_deep_linear_network_by_hand():
    found = tables.linear(linear_runs(2))
    for what in ("distance", "relative", "angle"):
        assert row(found, f"{what}, layer 17")[0].startswith(("3.", "4."))
    assert row(found, "loss at the end")[-1] == "1.0×"  # the same in both


def test_the_readings_stand_side_by_side():
    found = tables.readings(MAIN, 0.1)
    after, before = (c for c in row(found, "inputs travel in a step, in spreads") if "×" in c)
    assert (float(after[:-1]), float(before[:-1])) == pytest.approx((2, 4), rel=0.05)
    assert len([c for c in row(found, "inputs travel to a look, as it is") if "×" in c]) == 2
    shifted = row(found, "gradients shift, distance")
    assert 3 < float(shifted[0][:-1]) < 9  # 4 off the plateau, 8 on it


def test_what_has_no_number_counts_nothing():
    arm = MAIN.where(norm="batch", lr=0.1)
    values = layer_inputs.typical(arm, "after")
    assert np.isfinite(values).all()
    assert values == pytest.approx(0.2, rel=0.05)
    assert layer_inputs.typical(arm, "before", "look") == pytest.approx(0.4, rel=0.05)


def test_the_four_networks_with_and_without_noise():
    runs = with_inputs(noise_with_shift(noise_runs(on=-0.05)))
    found = tables.noise(runs)
    values = [float(x) for x in row(found, "noisy batch norm") if x[0].isdigit() and "." in x]
    assert values[0::2] == pytest.approx([58, 58, 53, 58, 53], abs=0.5)  # means, and half-widths
    assert row(found, "no norm")[-2:] == row(found, "noise alone")[-2:] == ["–", "–"]
    steady = tables.steadiness(runs)
    assert row(steady, "no norm")[-3:] == ["1", "1", "1"]
    assert "6 of 6 runs" in repr(steady)
    assert "0 of 6 runs" in repr(steady)


def noise_with_shift(runs: Runs) -> Runs:
    borrowed = shift_runs().where(norm="none", lr=0.1)
    for run in runs:
        of_seed = borrowed[run.recipe.seed]
        inputs = {k: v for k, v in run.arrays.items() if k.startswith("acc")}
        run.arrays.clear()
        run.arrays.update(of_seed.arrays | inputs)
    return runs


def test_the_measures_themselves_stand_by_rate_and_arm():
    slower = shift_runs(lrs=(0.02,))
    found = tables.levels(MAIN, slower)
    line = row(found, "0.1, no norm")
    values = [float(x) for x in line if x not in ("±", "·")]
    assert values[0] == pytest.approx(1, rel=0.05)  # of the relative distance, median look
    assert values[4] == pytest.approx(1, rel=0.05)  # degrees
    assert "0.02, He’s start, batch norm" in repr(found)


def test_the_slower_networks_say_how_many_learn():
    found = tables.slower(noise_runs(noise=0.1))
    assert row(found, "noise alone")[:4] == ["0", "of", "6", "runs"]
    assert row(found, "no norm")[:4] == ["6", "of", "6", "runs"]


def test_the_short_answer_has_its_numbers_from_the_runs():
    noisy = with_inputs(noise_with_shift(noise_runs(on=-0.05)))
    for run in noisy.where(norm="noisy"):
        run.arrays["inputs_after_step"] = 2 * run.arrays["inputs_after_step"]
    assert shift_inputs.moved(noisy).startswith(("3.9", "4.0", "4.1"))  # and as made, twice
    runs = {"shift": MAIN, "noise": noisy}
    assert shift_inputs.ahead(runs).startswith(("+7.", "+8."))
    assert shift_inputs.ahead(runs, "batch").startswith(("−1.", "−2."))
    assert shift_inputs.alone(noisy) == "With the noise alone 0 of 6 runs learn."
    assert shift_inputs.alone(noisy.where(norm="none")) == ""
    said = repr(shift_answer.short_answer(runs))
    assert "8.0×" in said or "7.9×" in said or "8.1×" in said  # the distance on the plateau
    assert said.count("×") > 8
    typical = shift_gradients.typical(MAIN)
    assert typical.startswith(("1.0 without", "0.99 without", "0.98 without"))
    assert "at learning rate 0.1, " in typical


def test_the_first_word_follows_the_intervals_of_all_factors():
    both = {"distance": 2, "length": 2, "angle": -1}
    for power, word in ((1, "No"), (0, "Not measurably"), (-3, "Yes"), (both, "In part")):
        said = shift_answer.left(shift_runs(on=3, off=power))
        assert said.startswith(f"{word}, by the gradients: ")
    assert "0.49 to 4.0 times as far in layer 5" in said  # by the angle; by the distance


def test_measures_are_sorted_by_their_intervals():
    some = MAIN.where(lr=0.1)
    assert shift_factors.told_apart(some, ON) == "more shift by every measure in both layers"
    fewer = shift_runs(off={"distance": -2, "length": -2, "angle": 0}).where(lr=0.1)
    said = shift_factors.told_apart(fewer, OFF)
    assert "less shift by the distance in both layers" in said
    assert said.endswith("by the relative distance in both layers and the angle in both layers")
    assert "tell, by" in said


def test_sentences_on_the_gradients_have_their_numbers_from_the_runs():
    main = shift_runs(on=3, off={"distance": 2, "length": -1, "angle": 1})
    for run in main:
        end = 0.5 if run.recipe.norm == "none" else 0.7
        run.history["train_acc"] = [0.2, end - 0.1, end, end]
    some = main.where(lr=0.1)
    assert shift_gradients.faster(some).endswith("passes 50.0 %, the plain network’s in the last "
                                              "epoch, in epoch 2 of 4")  # fmt: skip
    assert "in epoch 2 of 4" in shift_gradients.shifts_said(some)
    swapped = shift_runs(off=-1).where(lr=0.1)
    for run in swapped:
        run.history["train_acc"] = [0.3, 0.5 if run.recipe.norm == "none" else 0.4]
    assert shift_gradients.faster(swapped).endswith("in no epoch")
    for run in some.where(norm="none"):
        run.arrays["shift_cosine"] = np.full_like(run.arrays["shift_cosine"], -1)
    assert "at 100 % of the looks without and 0 % with" in shift_gradients.reached_said(some)
    assert shift_gradients.layer_by_layer(MAIN).startswith(("7.", "8."))


def test_the_deep_linear_network_in_words():
    more, alike = (shift_gradients.linear_said(linear_runs(power)) for power in (2, 0))
    assert more.count("6 of 6 factors lie above 1") == 2
    assert alike.count("0 of 6 factors lie above 1") == 2
    assert shift_gradients.linear_title(linear_runs()).endswith("1.0× at 10⁻⁶, 1.0× at 10⁻⁷")


def test_sentences_on_the_inputs_and_the_noise():
    noisy = with_inputs(noise_with_shift(noise_runs(on=-0.05)))
    for run in noisy:
        wide = 3.0 if run.recipe.norm == "noise" else 1.0
        moments = np.ones((9, 4, 4))
        moments[:, -1, 1] = wide
        run.arrays["inputs_after_moments"] = moments
        run.summary["diverged"] = run.recipe.norm == "noise"
    runs = {"shift": MAIN, "noise": noisy}
    said = shift_inputs.noise_alone(noisy, noise_runs(noise=0.4).where(lr=noisy[0].recipe.lr))
    assert "0 of 6 runs learn, and 6 diverge" in said
    assert "behind the first layer spread 1.0 times" in said
    assert "behind the last hidden one 3.0 times" in said
    assert said.count("6 of 6 runs learn.") == 1
    calm = Runs(run for run in noisy if run.recipe.norm != "noise")
    assert shift_inputs.noise_alone(calm, calm) == ""
    assert shift_inputs.slower_title(calm) == f"At learning rate {calm[0].recipe.lr:g}"
    assert "6 of 6 runs learn" in shift_inputs.unsteady_said(runs)
    tested = shift_inputs.at_test_time(runs)
    assert tested.count("+8.") + tested.count("+7.") == 2  # the noise off
    assert tested.count("+3.") + tested.count("+2.") == 2  # and on, five points less
    travel = shift_inputs.readings_said(MAIN.where(lr=0.1))
    assert travel.startswith("**By the distributions** the inputs travel 2.0×")
    assert shift_answer.explained(runs).count("\n- ") == 3


def test_the_plateaus_of_its_runs_are_found():
    none = MAIN.where(norm="none", lr=0.1)
    ends = shift.plateau_ends(none, shift.LOSSES)
    assert ends == {seed: leaves(seed) for seed in range(6)}


def with_curves(runs: Runs) -> Runs:
    for run in runs:
        for name in ("train_acc", "test_acc", "test_acc_precise"):
            run.history[name] = [0.1, 0.3, 0.4, 0.5]
    return runs


def test_its_figures_are_drawn_with_every_arm():
    mpl.use("Agg")
    shift_figures.definition()
    labels = [text.get_text() for text in plt.gca().texts]
    assert "slope 2" in labels[0]
    assert "slope 0.75" in labels[1]
    for draw in (
        lambda: shift_figures.course(MAIN, 0.1),
        lambda: shift_figures.reached(MAIN, 0.1),
        lambda: shift_figures.linear(linear_runs()),
        lambda: inputs_figures.by_layer(MAIN.where(lr=0.1)),
        lambda: shift_figures.noisy_course(with_curves(noise_runs())),
        lambda: inputs_figures.bands(MAIN, "conv5", ("none", "batch"), looks=9),
    ):
        draw()
        for ax in plt.gcf().axes:
            assert ax.lines
            assert ax.get_xlabel() or ax.get_ylabel() or len(plt.gcf().axes) > 1
        plt.close("all")


def test_the_drawn_slopes_are_those_of_two_weights():
    """L = (w₂ w₁ − 1)² / 2 at w₂ = 1, w₁ = 2 and, after a step of ½ along its own gradient, 1.5."""
    first, second = 2.0, 1.0
    residual = first * second - 1
    stepped = first - 0.5 * residual * second
    assert stepped == 1.5
    assert residual * first == 2.0
    assert (stepped * second - 1) * stepped == 0.75
