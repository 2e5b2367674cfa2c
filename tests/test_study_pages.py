"""What the controlled study's page computes and writes, on made-up runs."""

import re

import numpy as np
import pytest
from matplotlib import pyplot as plt
from study_runs import CHANCE, NAME, run_of, study, usual

from bnlib import claims
from bnlib.analysis.learning import RUNNING, learned
from bnlib.book import data_pictures
from bnlib.book import study_answers as answers
from bnlib.book import study_figures as figures
from bnlib.book import study_tables as tables
from bnlib.book.study_duels import duels, every_size
from bnlib.claims.ledger import CLAIMS
from bnlib.errors import BookError
from bnlib.records.store import Store
from bnlib.run import Runs

RUNS = study()


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def judged(runs=RUNS):
    return claims.cards(CLAIMS[NAME], runs)


def test_the_duels_are_those_recorded_with_the_sources_numbers():
    found = {duel.name: duel for duel in duels(RUNS)}
    assert "SVHN" not in found
    assert found["CIFAR-10"].finding.value == pytest.approx(3, abs=0.5)
    assert found["CIFAR-10"].read == 1.6
    assert found["learning rate 0.1"].finding.value == pytest.approx(55, abs=1)
    assert [name for name, duel in found.items() if duel.stuck] == [
        "sigmoids",
        "learning rate 0.1",
        "weights from N(0, 1)",
    ]
    sizes = [name for name in found if "batches" in name]
    assert sizes == [f"MLP, batches of {b}" for b in (2, 8, 32, 64, 128, 256, 512, 1024)]


def test_the_smallest_batches_come_with_the_sweep_once():
    merged = every_size(RUNS)
    assert len(merged) == len(RUNS["sizes"]) + len(RUNS["smallest"]) - 6  # 8 images in both
    assert every_size(RUNS | {"smallest": Runs([])}).values("batch_size") == [
        *(8, 32, 64, 128, 256, 512, 1024)
    ]


def test_the_short_answer_counts_the_claims_and_names_the_rescues():
    said = answers.short_answer(RUNS, judged()).data
    assert f"Of {len(CLAIMS[NAME])} claims" in said
    assert "does, with sigmoids, learning rate 0.1 and weights from N(0, 1)." in said
    assert "4 of 4 runs learn without them" in said
    assert "*indicative*" in said
    every = len(duels(RUNS))
    assert f"Ahead in {every} of the {every} duels that we ran, behind in 0, undecided in 0" in said
    level = study(lambda name, recipe: 0.6)
    assert "No rescue." in answers.short_answer(level, judged(level)).data


def test_the_rescues_are_counted_with_the_runs_that_diverge():
    runs = study()
    for run in runs["normal"].where(norm="none"):
        run.summary["diverged"] = True
    said = answers.rescues(runs)
    assert "With sigmoids 0 of 4 plain runs learn, 4 of 4 with BN;" in said
    assert said.endswith(
        "from N(0, 1) 0 of 4 plain runs learn, 4 of 4 with BN (4 plain ones diverge)."
    )


def test_the_wild_start_and_what_undoes_it():
    said = answers.undone(RUNS)
    assert "cost −10" in said or "cost −9.9" in said
    assert "squared, −0." in said or "squared, +0." in said


def test_sentences_that_cannot_be_said_say_why():
    diverged = study()
    for run in diverged["cnn"]:
        run.summary["test_acc"] = run.summary["test_acc_precise"] = None
    assert "cannot be said" in answers.undone(diverged)
    assert "not recorded" in answers.group(RUNS | {"smallest": Runs([])})


def test_fluctuations_that_precise_statistics_remove_are_the_evaluations():
    calm = study()
    for run in calm["sigmoid"]:
        for how in ("", "_precise"):
            zigzag = np.array([0.2, 0.5, 0.2, 0.5, 0.2]) if how == "" else np.full(5, 0.4)
            run.history[f"val_acc{how}"] = (zigzag + 1e-4 * np.arange(5) ** 2).tolist()
    assert "mostly the evaluation" in answers.fluctuations(calm)
    assert "mostly the evaluation" not in answers.fluctuations(RUNS)


def test_clipping_is_counted_against_no_clipping():
    assert "learns in 5 of 5 against 0 of 4 runs without the cut" in answers.clipped(RUNS)


def test_weight_decay_is_said_with_its_time_and_its_gain():
    said = answers.decayed(RUNS)
    # 45 epochs of 703 batches; (1 − .9) / (2 · .01 · 5e-4) = 10,000 steps a time constant
    assert "31,635 steps, 3.2 time constants" in said
    # two points in both arms, and a little noise
    gains = [float(x) for x in re.findall(r"([+−]\S+) points", said)]
    assert gains == pytest.approx([2, 2], abs=0.4)


def test_speed_is_put_into_time_by_the_timing_of_the_nearest_batch():
    assert "takes more epochs in 2" in answers.speed(
        RUNS
    )  # some runs end below the mean of their arm
    runs = study()
    for run in runs["cnn"]:
        top = 0.7 + 0.001 * run.recipe.seed
        curve = [0.5, 0.6, top, top, top] if run.recipe.norm == "none" else [top] * 5
        run.history["val_acc"] = run.history["val_acc_precise"] = curve
        run.history["val_acc"][-1] = 0.7
    said = answers.speed(runs)
    assert "as many epochs" in said
    assert "In time that leaves" in said
    assert "{" not in said.replace("{numref}", "")
    assert "In time" not in answers.speed(runs | {"timing": Runs([])})
    for run in runs["timing"]:
        if run.recipe.recipe.batch_size != 32:
            run.history["torch"] = [50.0] * 5
    assert answers.speed(runs) == said  # 32 is nearest to 64


def test_group_norm_on_the_smallest_batches():
    runs = study(lambda name, r: usual(name, r) + 0.01 * (r.norm == "group"))
    said = answers.group(runs)
    at_two, at_eight = said.split(" With ")
    levels = [float(x) for x in re.findall(r"(\d+\.\d) %", at_two)]
    none, batch, precise, other = levels
    assert batch - none == pytest.approx(3, abs=0.4)
    assert precise == pytest.approx(batch, abs=1.5)
    assert other - none == pytest.approx(4, abs=0.4)
    (gain,) = re.findall(r"\+(\d\.\d+) points", at_two)
    assert float(gain) == pytest.approx(other - batch, abs=0.06)
    assert at_eight.startswith("8 images a batch")


def test_rows_of_the_tables():
    score = tables.scoreboard(RUNS, judged())
    assert next(iter(score)) == "baseline"
    assert score["baseline"]["ours: BN / none (%)"] == "63.0 / 60.0"
    assert score["time"]["verdict on S1"].startswith("S1.16 holds")
    data = tables.data_sets(RUNS)
    assert data["SVHN"]["batch norm (%)"] == "not recorded"
    assert data["CIFAR-10"]["classes"] == "10"
    assert "rate 0.1, no norm, clipped" in tables.settings(RUNS)
    time = tables.overhead(RUNS["timing"])
    assert time["32"]["PyTorch's BN"].startswith("1.18× (")
    assert time["32"]["S1: an epoch"] == "1.20×"
    assert list(time) == ["32", "128", "512"]
    chosen = [row for row in tables.schedules(RUNS) if "chosen" in row]
    assert chosen == ["rate 0.01 (chosen: BN, no norm)"]
    found = tables.contradictions(RUNS)
    assert {len(row) for row in found.values()} == {3}
    assert "of an MLP, 3.2" in found["Does weight decay help batch norm?"]["what may separate them"]


def test_the_figures_draw_what_they_say():
    fig = figures.scoreboard(RUNS)
    titles = [ax.get_title() for ax in fig.axes]
    assert titles == ["both networks learn", "no plain run learns"]
    rows = [len(ax.get_yticks()) for ax in fig.axes]
    assert sum(rows) == len(duels(RUNS))
    alone = study(lambda name, r: usual(name, r) if name != "fast" else 0.5)
    assert len(figures.scoreboard(alone).axes) == 2
    panels = figures.extremes(RUNS).axes
    names = [t.get_text() for t in panels[0].figure.legends[0].get_texts()]
    every = {"BN, baseline", "no norm", "batch norm", "BN without γ, β", "no norm, clipped"}
    assert set(names) == every | {"BN, rates undone"}
    assert len(figures.units(RUNS).axes) == 3
    left, _ = figures.gradients(RUNS).axes
    assert left.get_yscale() == "log"
    ghosts = [t.get_text() for t in figures.matched(RUNS).axes[0].get_legend().get_texts()]
    assert ghosts == ["no norm", "BN over all 256", "BN over 64", "BN over 16"]
    (ax,) = figures.by_rate(RUNS["rates"]).axes
    assert len(ax.get_lines()) == 2 * (1 + 6)  # a line through the means, dots for six rates
    left, _ = figures.by_size(RUNS).axes
    assert "group norm" in [t.get_text() for t in left.get_legend().get_texts()]


def test_a_level_of_guessing_is_stuck_and_one_run_that_learns_is_not():
    runs = study(lambda name, r: CHANCE if r.norm == "none" and r.seed else usual(name, r))
    assert "CIFAR-10" not in [duel.name for duel in duels(runs) if duel.stuck]


def test_the_picture_of_the_data_is_drawn_once(tmp_path, monkeypatch):
    monkeypatch.setattr(data_pictures, "SETS", ("digits", "shapes"))
    store = Store(tmp_path)
    first = data_pictures.show(store)
    path = tmp_path / data_pictures.NAME
    made = path.stat().st_mtime_ns
    assert data_pictures.show(store).data == first.data
    assert path.stat().st_mtime_ns == made


def test_a_machine_without_the_data_sets_draws_those_that_are_built_in(monkeypatch):
    def without_svhn(name):
        if name == "svhn":
            raise BookError("no network here")
        return name

    monkeypatch.setattr(data_pictures.data, "load", without_svhn)
    for sets, found in {("digits", "svhn"): ["digits"], ("svhn",): ["digits", "shapes"]}.items():
        monkeypatch.setattr(data_pictures, "SETS", sets)
        assert list(data_pictures._there()) == found


def test_saturation_is_blamed_only_where_there_is_some():
    assert "30.5 % without" in answers.flat_units(RUNS).replace("30.4", "30.5").replace(
        "30.6", "30.5"
    )
    assert "not saturation" not in answers.flat_units(RUNS)
    runs = study()
    for run in runs["sigmoid"]:
        run.arrays["units_saturated"] = np.zeros((6, 11))
    assert "it is not saturation that stops" in answers.flat_units(runs)


def test_short_runs_say_nothing_of_fluctuations(recwarn):
    runs = study()
    short = Runs(run_of("cnn", run.recipe.but(epochs=2), usual) for run in runs["cnn"])
    assert "It needs runs of 4 epochs." in answers.fluctuations(runs | {"sigmoid": short})
    assert not recwarn.list


def test_rates_are_said_with_the_largest_at_which_all_learn():
    said = answers.by_rate(RUNS)
    for norm, name in (("batch", "with batch norm"), ("none", "without")):
        arm = RUNS["rates"].where(norm=norm)
        learn = [lr for lr in arm.values("lr") if learned(arm.where(lr=lr), RUNNING).all()]
        assert f"{max(learn):g} {name}" in said
    assert "at 0.01" in said  # the best in these runs, in both arms


def test_a_table_of_several_experiments_has_the_seeds_of_all():
    assert "n = 3 to 5" in str(tables.scale(RUNS, "cnn", "elu"))
    assert str(tables.scale(RUNS, "cnn")) == str(RUNS["cnn"].scale)


def test_a_duel_whose_interval_holds_zero_is_undecided():
    def truth(name, recipe):
        return 0.6 if name == "cnn" else usual(name, recipe)

    assert "undecided in 1." in answers.short_answer(study(truth), judged()).data.replace(
        "**,", "."
    )
