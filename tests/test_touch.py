"""The figures that can be touched, by keyboard in a real browser: each alone on a small page."""

import json
import re
from dataclasses import dataclass

import pytest
import torch
from conftest import PATIENCE

from bnlib.book.boxes import Html
from bnlib.book.layout import ROOT
from bnlib.book.playground import playground
from bnlib.book.rate_slider import accuracies, errors
from bnlib.norm import BatchNorm
from bnlib.recipe import Recipe
from bnlib.run import Run, Runs

pytestmark = pytest.mark.browser
RATES = (0.01, 0.1, 1.0)


def made_up_sweep() -> Runs:
    runs = []
    rng = torch.Generator().manual_seed(0)
    for norm in ("none", "batch"):
        for lr in RATES:
            for seed in range(4):
                recipe = Recipe(norm=norm, lr=lr, seed=seed, epochs=3)
                row = torch.rand(3, generator=rng).mul(0.9).add(0.05).tolist()
                if (norm, lr, seed) == ("none", 1.0, 0):
                    row[1:] = None, None  # it diverged
                summary = {"test_acc": row[-1], "class_acc": [0.5] * 10}
                runs.append(Run(recipe, {"test_acc": row}, summary, {"device_kind": "cpu"}))
    return Runs(runs)


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page with one figure and every script of the book; it must not complain."""
    contexts, said = [], []

    def open_page(figure: Html | None, script: bool = True):
        scripts = "".join(
            f'<script src="{path.as_uri()}"></script>'
            for path in sorted((ROOT / "_static").glob("*.js"))
        )
        body = figure.shown if figure else "<p>nothing to touch</p>"
        path = tmp_path / "page.html"
        head = f'<meta charset="utf-8"><title>one figure</title>{scripts}'
        path.write_text(f'<!doctype html><html lang="en">{head}<body>{body}', encoding="utf-8")
        context = browser.new_context(offline=True, java_script_enabled=script)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def embedded(page) -> dict:
    return json.loads(page.locator(".touch script").text_content())


def press(page, name: str, *keys: str) -> None:
    page.locator(f"input[name={name}]").first.focus()
    for key in keys:
        page.keyboard.press(key)


def markup(page, selector: str) -> str:
    """Without the spaces in it, and numbers to a tenth: the last digit is rounding's."""
    text = re.sub(r"\s+", " ", page.locator(selector).inner_html())
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.1f}", text)


FIGURES = {
    "accuracy": lambda: accuracies(made_up_sweep(), start=0.1),
    "error": lambda: errors(made_up_sweep(), start=0.1),
    "playground": lambda: playground(0),
}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_without_script_a_figure_shows_what_the_script_first_draws(opened, figure):
    still, alive = opened(figure(), script=False), opened(figure())
    assert not still.locator(".touch-controls").is_visible()
    assert alive.locator(".touch-controls").is_visible()
    for selector in (".touch-drawing", "output >> nth=0", "output >> nth=-1"):
        assert markup(still, selector) == markup(alive, selector)
    label = still.get_by_role("img").first.get_attribute("aria-label")
    assert alive.get_by_role("img").first.get_attribute("aria-label") == label


def test_the_scripts_do_nothing_where_nothing_is_to_touch(opened):
    assert opened(None).locator("body").inner_text().strip() == "nothing to touch"


@pytest.mark.parametrize("figure", [accuracies, errors])
def test_the_rate_is_moved_by_keys_and_shows_the_recorded_curves(opened, figure):
    runs = made_up_sweep()
    page = opened(figure(runs, start=RATES[1]))
    data = embedded(page)
    slider = page.get_by_role("slider", name="learning rate")
    assert slider.get_attribute("aria-valuetext") == "0.1"
    for key, at in (("ArrowRight", 2), ("Home", 0), ("ArrowRight", 1), ("End", 2)):
        press(page, "rate", key)
        assert slider.get_attribute("aria-valuetext") == f"{RATES[at]:g}"
        assert page.locator(".touch-value").inner_text() == f"{RATES[at]:g}"
        drawing = page.locator(".touch-drawing")
        assert drawing.get_attribute("aria-label") == data["labels"][at]
        shown = page.locator(".touch-says").all_inner_texts()
        assert shown == [arm["says"][at] for arm in data["arms"]]
        paths = drawing.locator(".touch-seeds").evaluate_all("es => es.map(e => e.outerHTML)")
        for norm, path in zip(("none", "batch"), paths, strict=True):
            kept = runs.where(norm=norm, lr=RATES[at]).history("test_acc")
            percent = 100 * kept if figure is accuracies else 100 - 100 * kept
            truth = [value for value in percent.ravel().tolist() if value == value]
            assert heights(path, data["axes"]) == pytest.approx(truth, rel=0.005, abs=0.06)


def heights(path: str, axes: dict) -> list[float]:
    """The values that a drawn path stands for."""
    shares = [1 - float(y) / 1000 for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]
    low, high = axes["low"], axes["high"]
    if axes["log"]:
        return [low * (high / low) ** share for share in shares]
    return [low + (high - low) * share for share in shares]


@dataclass
class Truth:
    """What bnlib's own layer makes of the page's numbers at the setting of its inputs."""

    x: torch.Tensor
    y: torch.Tensor
    elsewhere: list[float]
    averages: tuple[float, float]


@torch.no_grad()
def by_the_layer(page) -> Truth:
    data, at = embedded(page), {}
    for one in page.locator("input[type=range]").all():
        at[one.get_attribute("name")] = float(one.input_value())
    training = page.get_by_label("training", exact=True).is_checked()
    m, trained = int(at["m"]), data["trained"]

    def values(row) -> torch.Tensor:
        z = torch.tensor(row[:m], dtype=torch.float64)
        return (at["mean"] + at["spread"] * z).unsqueeze(1)

    bn = BatchNorm(1, eps=10 ** at["eps"]).double()
    bn.weight.fill_(at["gamma"])
    bn.bias.fill_(at["beta"])
    for step in range(int(at["trained"])):
        bn(values(trained[step % len(trained)]))
    averages = bn.running_mean.item(), bn.running_var.item()
    bn.train(training)
    batches = [values([data["marked"], *row]) for row in data["shown"]]
    outputs = []
    for batch in batches:
        outputs.append(bn(batch))
        bn.running_mean.fill_(averages[0])
        bn.running_var.fill_(averages[1])
    chosen = int(at["batch"]) - 1
    elsewhere = [y[0].item() for y in outputs]
    return Truth(batches[chosen], outputs[chosen], elsewhere, averages)


def words(page, name: str) -> list[float]:
    texts = page.locator(f"[data-name={name}]").all_text_contents()
    return [float(number) for number in texts[0].replace("−", "-").split(" · ")]


SETTINGS = {
    "as it opens": (),
    "two values": (("m", "Home"),),
    "many values": (("m", "End"), ("batch", "ArrowRight")),
    "moved": (("mean", "Home"), ("spread", "ArrowLeft", "ArrowLeft"), ("batch", "End")),
    "γ and β": (("gamma", "Home"), ("beta", "End")),
    "γ = 0": (("gamma", *["ArrowLeft"] * 10),),
    "large ε": (("eps", "End"), ("gamma", "End"), ("m", "ArrowRight")),
    "untrained": (("trained", "Home"), ("mean", "End"), ("spread", "End"), ("gamma", "End")),
    "long trained": (("trained", "End"), ("m", "PageUp")),
    "constant": (("spread", "Home"), ("eps", "ArrowRight")),
}


@pytest.mark.parametrize("keys", SETTINGS.values(), ids=SETTINGS)
def test_the_playground_shows_what_the_layer_computes(opened, keys):
    page = opened(playground(0))
    for name, *presses in keys:
        press(page, name, *presses)
    compare(page, by_the_layer(page))
    press(page, "mode", "ArrowRight")
    assert page.get_by_label("evaluation", exact=True).is_checked()
    compare(page, by_the_layer(page))


def compare(page, truth: Truth) -> None:
    shown = {
        "x": truth.x[0],
        "y": truth.y[0],
        "mean": truth.x.mean(),
        "var": truth.x.var(correction=0),
        "r_mean": truth.averages[0],
        "r_var": truth.averages[1],
        "y_mean": truth.y.mean(),
        "y_var": truth.y.var(correction=0),
    }
    for name, value in shown.items():
        assert words(page, name) == pytest.approx([float(value)], abs=0.00501), name
    assert words(page, "elsewhere") == pytest.approx(truth.elsewhere, abs=0.00501)
    drawn = page.locator(".touch-drawing circle").evaluate_all(
        "dots => dots.map(dot => parseFloat(dot.getAttribute('cx')))"
    )
    inside = torch.cat([truth.x, truth.y], 1).flip(0).clip(-9, 9)  # (m, 2), the marked image last
    assert drawn == pytest.approx((50 + 48 * inside / 9).flatten().tolist(), abs=0.0051)
    beyond = int((torch.cat([truth.x, truth.y]).abs() > 9).sum())
    assert words(page, "beyond") == [beyond]
    assert page.locator("[data-when=beyond]").is_visible() == (beyond > 0)


def test_companions_change_an_output_in_training_only(opened):
    page = opened(playground(0))
    for mode, different in (("training", 4), ("evaluation", 1)):
        page.get_by_label(mode, exact=True).focus()
        page.keyboard.press("Space")
        seen = []
        press(page, "batch", "Home")
        for _ in range(4):
            seen.append((words(page, "x")[0], words(page, "y")[0]))
            press(page, "batch", "ArrowRight")
        assert len({x for x, _ in seen}) == 1
        assert len({y for _, y in seen}) == different
        assert [y for _, y in seen] == words(page, "elsewhere")
        label = page.get_by_role("img").get_attribute("aria-label")
        assert f"batch norm in {mode}." in label


def test_every_input_has_a_name_and_says_its_value(opened):
    page = opened(playground(0))
    names = page.locator("input").evaluate_all("es => es.map(e => e.labels[0].textContent.trim())")
    assert len(names) == len(set(names)) == 10
    press(page, "eps", "End", "ArrowLeft", "ArrowLeft")
    slider = page.get_by_role("slider", name="ε (log scale)")
    assert slider.get_attribute("aria-valuetext") == "0.1"
    assert "0.1" in page.locator(".touch-value").all_inner_texts()
