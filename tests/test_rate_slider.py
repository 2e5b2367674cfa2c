"""The learning-rate slider: its numbers on made-up runs and against the files of the records."""

import functools
import json
import re
from collections import defaultdict
from html import unescape

import numpy as np
import pytest
from scipy import stats

from bnlib.book import rate_curves, rate_slider
from bnlib.book.ledger import judged
from bnlib.paths import RECORDED
from bnlib.recipe import Recipe
from bnlib.run import Run, Runs

LENET = Recipe(dataset="mnist", model="lenet", epochs=2)


def run(norm, lr, seed, *accuracies, **fields):
    recipe = LENET.but(norm=norm, lr=lr, seed=seed, epochs=len(accuracies), **fields)
    summary = {"test_acc": accuracies[-1], "class_acc": [0.5] * 10}
    return Run(recipe, {"test_acc": list(accuracies)}, summary, {"device_kind": "cpu"})


FIRST = Runs([run("none", 0.1, 0, 0.5, 0.9), run("torch", 0.1, 0, 0.75, 0.99)])
SECOND = Runs(
    [
        run("none", 1.0, 0, 0.25, None),
        run("none", 0.1, 1, 0.6, 0.8),
        run("none", 0.1, 0, 0.1, 0.1, probes=("affine",)),  # the first one given counts
    ]
)


def test_curves_are_percent_by_rate_and_each_seed_counts_once():
    found = rate_curves.curves("test accuracy", (FIRST, SECOND))
    assert found["rates"] == ["0.1", "1"]
    plain, torch = found["arms"]
    assert plain["norm"] == "none"
    assert plain["seeds"] == [[[50, 90], [60, 80]], [[25, None]]]
    assert plain["mean"] == [[55, 85], [25, None]]
    assert plain["says"] == ["85.0 % (n = 2: 80.0 · 90.0)", "1 of 1 runs diverged"]
    assert torch["norm"] == "torch"
    assert torch["seeds"] == [[[75, 99]], []]
    assert torch["says"] == ["99.0 % (n = 1)", "trained at 0.1 only"]
    errors = rate_curves.curves("test error", (FIRST, SECOND))["arms"][0]
    assert errors["seeds"][0] == [[50, 10], [40, 20]]


def test_many_seeds_have_an_interval_and_few_are_named():
    assert rate_curves.says(np.array([1.0, 2, 3, 4])) == "2.50 ± 2.05 % (n = 4)"  # t = 3.182
    assert rate_curves.says(np.array([10.0, 2, 3])) == "5.00 % (n = 3: 2.00 · 3.00 · 10.0)"


@pytest.mark.parametrize("made", [rate_slider.accuracies, rate_slider.errors])
def test_a_curve_at_a_tick_is_as_high_as_the_tick(made):
    levels = [0.25, 0.75, 0.5] if made is rate_slider.accuracies else [0.99, 0.9, 0.7]
    ticks = ["25", "75", "50"] if made is rate_slider.accuracies else ["1", "10", "30"]
    page = made(Runs([run("batch", 0.1, 0, *levels)]), start=0.1).shown
    inner = re.search(r'<svg x="0" y="(\d+)" width="100%" height="(\d+)"', page)
    top, height = map(int, inner.groups())
    path = re.search(r'class="touch-mean"[^>]* d="([^"]+)"', page[inner.start() :]).group(1)
    drawn = [top + height * float(y) / 1000 for y in re.findall(r"[ML]\S+ (\S+)", path)]
    for tick, place in zip(ticks, drawn, strict=True):
        named = re.search(rf'y="([\d.]+)" text-anchor="end" fill="currentColor">{tick}<', page)
        assert float(named.group(1)) == pytest.approx(place + 4, abs=0.2)  # its letters' foot


def test_it_opens_at_the_rate_nearest_to_the_wanted_one():
    page = rate_slider.accuracies(FIRST, SECOND, start=0.4).shown
    assert 'value="1"' in page
    assert "at learning rate <b>1</b>" in page


def test_what_is_embedded_cannot_end_its_script():
    data = re.findall(r'application/json">(.*?)</script>', rate_slider.errors(FIRST, start=1).shown)
    assert len(data) == 1
    assert "<" not in data[0]
    assert json.loads(data[0])["arms"][0]["says"][0] == "10.0 % (n = 1)"


# On the records


@functools.cache
def lenet():
    return judged(["3"]).runs["03_lenet"]


def on_disk():
    """Test accuracies over the epochs by norm, rate and seed, from the records' own files: of LeNet
    as the chapter has it, which is all that a recipe without further fields can be."""
    found = defaultdict(dict)
    for path in (RECORDED / "lenet").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        recipe = {"lr": 0.1, "norm": "none", "seed": 0, "probes": []} | record["recipe"]
        if set(recipe) == {"lr", "norm", "seed", "probes"}:
            arm = found[recipe["norm"], recipe["lr"]]
            arm[recipe["seed"]] = record["history"]["test_acc"]
    return found


def test_the_pages_numbers_are_those_of_the_records():
    data = rate_curves.curves("test error", (lenet()["main"], lenet()["best"], lenet()["sweep"]))
    truth, compared = on_disk(), 0
    for arm in data["arms"]:
        for rate, curves, says in zip(data["rates"], arm["seeds"], arm["says"], strict=True):
            there = truth.get((arm["norm"], float(rate)), {})
            errors = np.array([100 - 100 * np.array(there[seed]) for seed in sorted(there)])
            assert np.shape(curves)[:1] == (len(there),)
            if not there:
                continue
            assert curves == pytest.approx(errors, abs=0.0051)
            compared += np.size(curves)
            ends = errors[:, -1]
            words = [float(number) for number in re.findall(r"[\d.]+", says)]
            assert words[0] == pytest.approx(ends.mean(), abs=0.051)
            if len(ends) > 3:
                low, high = stats.t.interval(
                    0.95, len(ends) - 1, ends.mean(), ends.std(ddof=1) / len(ends) ** 0.5
                )
                assert words[1] == pytest.approx((high - low) / 2, abs=0.0051)
                assert words[2] == len(ends)
            else:
                assert words[1] == len(ends)
                assert words[2:] == pytest.approx(np.sort(ends), abs=0.051)
    # 10 epochs: 5 rates of 2 arms and 3 seeds, the best of 2 and 10; .9: 38, 52, PyTorch's 10
    assert compared == 10 * (5 * 2 * 3 + 2 * 10 + 38 + 52 + 10)


def test_the_scale_counts_the_seeds_that_are_shown():
    page = rate_slider.errors(lenet()["main"], lenet()["best"], lenet()["sweep"], start=0.9)
    assert "n = 3 to 52 ·" in unescape(page.shown)
