"""The deep linear network: a recipe of its own, a slow loop beside it, records and scale."""

import json

import numpy as np
import pytest
import torch

from bnlib.book.smoke import thin
from bnlib.errors import BookError
from bnlib.price.trace import total
from bnlib.price.work import work_of
from bnlib.recipe import DeepLinear, Recipe
from bnlib.records.store import read
from bnlib.run import Runs
from bnlib.study import Study
from bnlib.training.deep_linear import build, loss_of, task, train

SHORT = DeepLinear(layers=5, samples=40, steps=9, watched=(2, 4), probe_every=4, lr=1e-4)


@pytest.mark.parametrize(("fields", "said"), [
    ({"watched": (1, 9)}, "watched layers are 2 to 25, not (1, 9)"),
    ({"watched": (26,)}, "2 to 25"),
    ({"norm": "torch"}, "norm='torch'"),
    ({"lr": 0.0}, "lr=0.0"),
    ({"depth": 3}, "unknown field 'depth'"),
])  # fmt: skip
def test_mistakes_are_one_line(fields, said):
    with pytest.raises(BookError) as wrong:
        DeepLinear(**fields)
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_its_id_is_its_own_and_it_comes_back_from_json():
    again = DeepLinear.restore(json.loads(json.dumps(SHORT.changed())))
    assert again == SHORT
    assert again.id == SHORT.id
    assert len({DeepLinear().id, Recipe().id, SHORT.id, SHORT.but(seed=1).id}) == 4


def test_the_task_and_the_start():
    x, y = task(DeepLinear())
    a = torch.linalg.lstsq(x, y).solution
    assert x.shape == y.shape == (1000, 10)
    assert torch.allclose(x @ a, y)
    assert x.std() == pytest.approx(1, abs=0.05)
    assert a.std() == pytest.approx(1, abs=0.3)
    plain, normed = build(DeepLinear()), build(DeepLinear(norm="batch"))
    weights = [p for p in normed.parameters() if p.dim() == 2]
    assert len(weights) == len(list(plain.parameters())) == 25
    assert len(list(normed.parameters())) == 25 + 2 * 24  # no norm behind the last
    bound = np.sqrt(6 / 20)
    for mine, its in zip(plain.parameters(), weights, strict=True):
        assert torch.equal(mine, its)
        assert mine.abs().max() <= bound
    with torch.no_grad():
        expected = float((plain(x) - y).pow(2).sum())
        assert float(loss_of(plain, x, y)) == pytest.approx(expected)


def slow(recipe: DeepLinear) -> dict[str, list]:
    """Definition 2.1 from networks built anew, a layer and a step at a time."""

    def network(point: list[torch.Tensor]) -> torch.nn.Module:
        net = build(recipe)
        with torch.no_grad():
            for p, value in zip(net.parameters(), point, strict=True):
                p.copy_(value)
        return net

    def gradient(point):
        net = network(point)
        loss = loss_of(net, x, y)
        return loss.item(), torch.autograd.grad(loss, list(net.parameters()))

    x, y = task(recipe)
    theta = [p.detach().clone() for p in build(recipe).parameters()]
    weights = [place for place, p in enumerate(theta) if p.dim() == 2]
    found: dict[str, list] = {"loss": [], "difference": [], "cosine": [], "norm": [], "change": []}
    for step in range(recipe.steps):
        loss, g = gradient(theta)
        after = [p - recipe.lr * d for p, d in zip(theta, g, strict=True)]
        if step % recipe.probe_every == 0:
            found["loss"].append(loss)
            rows = []
            for layer in recipe.watched:
                place = weights[layer - 1]
                one, two = g[place], gradient(after[:place] + theta[place:])[1][place]
                moved = [b - a for a, b in zip(theta[:place], after[:place], strict=True)]
                old, new = (
                    sum(float(t.square().sum()) for t in some) for some in (theta[:place], moved)
                )
                cosine = float((one * two).sum() / one.norm() / two.norm())
                rows.append(
                    (float((one - two).norm()), cosine, float(one.norm()), (new / old) ** 0.5)
                )
            for name, values in zip(
                ("difference", "cosine", "norm", "change"), zip(*rows, strict=True), strict=True
            ):
                found[name].append(values)
        theta = after
    return found


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_its_shift_is_that_of_a_slow_loop(norm):
    recipe = SHORT.but(norm=norm)
    run = train(recipe)
    expected = slow(recipe)
    assert run.arrays["shift_steps"].tolist() == [0, 4, 8]
    assert run.arrays["shift_layers"].tolist() == ["layer 2", "layer 4"]
    for name, values in expected.items():
        assert run.arrays[f"shift_{name}"] == pytest.approx(np.array(values), rel=1e-8), name
    assert run.history["loss"] == run.arrays["shift_loss"].tolist()
    assert not run.summary["diverged"]
    assert run.summary["loss"] == run.history["loss"][-1]
    assert min(run.arrays["shift_difference"].ravel()) > 0


def test_a_run_that_diverges_is_a_result():
    run = train(SHORT.but(lr=10.0, steps=30))
    assert run.summary["diverged"]
    assert run.history["loss"][-1] is None


def test_a_study_trains_and_records_it(tmp_path):
    study = Study("made", "laptop", root=tmp_path)
    recipes = SHORT.grid(norm=("none", "batch"), seed=range(2))
    runs = study.run({"deep": recipes})["deep"]
    assert [run.recipe for run in runs] == recipes
    assert study.missing(recipes) == []
    path = study.store.path_of(recipes[0])
    assert json.loads(path.read_text())["kind"] == "DeepLinear"
    assert read(path).arrays["shift_norm"].tobytes() == runs[0].arrays["shift_norm"].tobytes()
    assert repr(runs[0]) == f"Run({recipes[0].id}, DeepLinear)"
    assert runs.where(norm="batch").values("seed") == [0, 1]


def test_its_scale_is_one_line(tmp_path):
    runs = Study("made", "laptop", root=tmp_path).run({"deep": SHORT.grid(seed=range(2))})["deep"]
    assert str(Runs(runs, "paper").scale) == (
        "paper · deep linear network, 5 layers of 10 × 10 · 9 steps, 40 samples · n = 2 · "
        "one CPU thread"
    )


def test_it_is_made_thin_and_has_a_price():
    recipes = DeepLinear().grid(lr=(1e-6, 1e-7), norm=("none", "batch"), seed=range(5))
    (some,) = thin({"deep": recipes}).values()
    assert len(some) == 2 * 2 * 2
    assert {recipe.steps for recipe in some} == {100}
    assert total(work_of(DeepLinear(norm="batch")), "launches") > total(
        work_of(DeepLinear()), "launches"
    )
    # forward, and backward by weights and by inputs, but for the first layer's input
    per_step = 2 * 1000 * 10 * 10 * (25 + 25 + 24)
    assert total(work_of(DeepLinear(steps=7)), "flop") == 7 * per_step
