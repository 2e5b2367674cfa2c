"""The LeNet claims on made-up runs whose truth is known, and how claims are judged and shown."""

import copy
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from made_up import made_up_run

from bnlib.analysis.findings import difference, exact
from bnlib.analysis.learning import PRECISE, RUNNING, accuracy, arms_of, best, kind_spread
from bnlib.claims import Part, cards, claim, erratum
from bnlib.claims.arms import Experiments, NotTested, contrast, pace, pick
from bnlib.claims.judge import AT_MOST, MORE
from bnlib.claims.lenet import LENET
from bnlib.claims.margins import CIFAR, MNIST
from bnlib.recipe import Recipe, Timing
from bnlib.run import Run, Runs

SEEDS = range(10)
BASE = Recipe(model="lenet", lr=0.9)
HARD = {9: 0.9, 7: 0.91}


def lenet_runs(
    gain=0.0,
    at_best=0.0,
    padding=0.0,
    precise=0.0,
    naive=None,
    ours=1.0,
    hard=None,
    made="2026-01-02",
) -> dict[str, Runs]:
    """Runs of the LeNet chapter in which batch norm gains ``gain``, and so on (as shares)."""
    rng = np.random.default_rng(0)
    gains = {"none": 0.0, "batch": gain, "torch": gain}

    def run(recipe: Recipe, shift: float = 0.0) -> Run:
        best_gain = at_best - gain if recipe.norm != "none" and recipe.lr == 0.3 else 0.0
        noise = np.random.default_rng(recipe.seed).normal(0, 3e-4)  # ours and PyTorch's share it …
        noise += 1e-6 * recipe.seed * (recipe.norm == "torch")  # … but for rounding
        acc = (
            0.98
            + gains[recipe.norm]
            + best_gain
            + shift
            + noise * (1 - 2 * (recipe.norm == "none"))
        )
        by_digit = 0.98 + rng.normal(0, 1e-3, 10)
        for digit, value in (HARD if hard is None else hard).items():
            by_digit[digit] = value
        one = made_up_run(recipe, acc)
        val_acc = acc - (recipe.lr != 0.3) / 10  # by validation .3 is best …
        one.summary.update(
            test_acc_precise=acc + precise,
            val_acc=val_acc,
            val_acc_precise=1 - val_acc,  # … and under the other evaluation it is not
            class_acc=by_digit.tolist(),
        )
        one.provenance["made"] = made
        return one

    two = ("none", "batch")
    times = {"none": [1.0] * 5, "batch": [ours, 1.01 * ours] * 2 + [ours], "torch": [1.0] * 5}
    if naive:
        times["naive"] = [naive, 1.01 * naive] * 2 + [naive]
    timing = Run(
        Timing(recipe=BASE, repeats=5),
        times,
        {"diverged": False},
        {"made": made, "device_kind": "cpu"},
    )
    bare = BASE.but(image_size=28)
    return {
        "main": Runs(run(r) for r in BASE.grid(seed=SEEDS, norm=(*two, "torch"))),
        "sweep": Runs(run(r) for r in BASE.grid(lr=(0.1, 0.3, 0.9), seed=range(3), norm=two)),
        "best": Runs(run(r) for r in BASE.grid(lr=(0.3,), seed=SEEDS, norm=two)),
        "unpadded": Runs(run(r, -padding) for r in bare.grid(seed=SEEDS, norm=two)),
        "timing": Runs([timing]),
    }


def card(name: str, **made_up):
    return cards([c for c in LENET if c.id == name][:1], lenet_runs(**made_up))[0]


def words(name: str, **made_up) -> list[str]:
    return [answer.word for answer in card(name, **made_up).answers]


def test_no_benefit_is_asked_at_the_sources_resolution_at_a_tenth_and_at_the_best_rates():
    assert words("S2.19") == ["yes", "yes", "yes"]
    assert words("S2.19", gain=0.004) == ["yes", "no: higher", "yes"]
    assert words("S2.19", gain=0.004, at_best=0.004) == ["yes", "no: higher", "no: higher"]
    assert words("S2.19", gain=-0.004, at_best=-0.004) == ["yes", "no: lower", "no: lower"]
    assert words("S2.19", gain=0.02, at_best=0.02) == ["no: higher"] * 3
    split = card("S2.19", gain=0.004)
    assert split.word == "holds in part"
    assert (
        split.because == "in whole percents and at each arm's best rate; not to a tenth of a point"
    )
    assert split.main.size.startswith("+0.4")


def test_the_best_rates_come_from_validation_under_the_evaluation_judged_by():
    found = card("S2.19", at_best=0.004).answers[2].finding
    assert found.note == "BN 0.3, none 0.3"
    assert found.n == (10, 10)
    sweep = lenet_runs()["sweep"].where(norm="batch")
    assert best(sweep, "lr", RUNNING) == 0.3
    assert best(sweep, "lr", PRECISE) != 0.3


def test_a_gain_with_precise_statistics_alone_is_flagged():
    gained = card("S2.19", precise=0.004)
    assert [a.word for a in gained.answers][:2] == ["yes", "yes"]
    assert gained.answers[1].flag == "turns with precise statistics: no: higher"


def test_time_is_not_tested_until_a_naive_one_is_timed():
    untimed = card("S2.20")
    assert [a.word for a in untimed.answers] == ["yes", "not tested", "yes"]
    assert untimed.because == "1 part not tested"
    assert words("S2.20", naive=4.0) == ["yes", "no: higher", "yes"]
    assert words("S2.20", naive=1.1, ours=0.5) == ["yes", "yes", "no: lower"]


def test_padding():
    assert card("S2.21", padding=0.005).word == "holds"
    assert card("S2.21", padding=-0.005).word == "does not hold"
    assert words("S2.21", padding=0) == ["no difference"] * 2


def test_hard_digits_are_counted_run_by_run():
    assert card("S2.22").word == "holds"
    part = card("S2.22", hard={9: 0.9, 6: 0.91})
    assert (part.word, part.because) == ("holds in part", "the digit 9; not the digit 7")
    assert part.answers[0].size == "10 of 10 runs"


def test_a_missing_experiment_or_arm_is_not_tested():
    runs = lenet_runs()
    for name in ("main", "sweep", "timing", "unpadded"):
        some = {key: value for key, value in runs.items() if key != name}
        assert len(cards(LENET, some)) == len(LENET)
    without = cards(LENET, {key: value for key, value in runs.items() if key != "unpadded"})[2]
    assert without.word == "not tested"
    assert without.because == "The experiment “unpadded” is not recorded."
    none_only = runs | {"main": runs["main"].where(norm="none")}
    assert cards(LENET, none_only)[0].word == "not tested"
    assert {c.label for c in cards(LENET, {}).judged} == {"not tested"}


# Arms and kinds


def arm(middle: float, n: int = 5, **fields) -> Runs:
    rng = np.random.default_rng(len(fields))
    recipes = Recipe(dataset="cifar10", model="alexnet", **fields).grid(seed=range(n))
    return Runs(made_up_run(r, middle + rng.normal(0, 0.005)) for r in recipes)


def test_arms_differ_in_more_than_seed_and_probes():
    watched = Runs(made_up_run(r) for r in Recipe(probes=("affine",)).grid(seed=range(5)))
    plain = Runs(made_up_run(r) for r in Recipe().grid(seed=range(3), lr=(0.1, 0.3)))
    found = arms_of(Runs([*watched, *plain]))
    assert sorted((some[0].recipe.lr, len(some)) for some in found) == [(0.1, 5), (0.3, 3)]


def test_a_kind_leaves_out_other_widths_and_arms_that_hardly_learn():
    one, other = arm(0.7), arm(0.68, lr=0.2)
    poor, narrow, longer = arm(0.3, lr=3), arm(0.7, width=0.5), arm(0.7, epochs=40)
    among = Runs([*one, *other, *poor, *narrow, *longer])
    found = kind_spread(among, one, other, accuracy, RUNNING)
    assert (found.arms, found.df) == (2, 8)
    assert kind_spread(among, one, poor, accuracy, RUNNING) is None
    assert kind_spread(among, one, narrow, accuracy, RUNNING) is None
    runs = {"a": Runs([*one, *other]), "b": poor}
    assert "8 df" in contrast(one, other, accuracy, RUNNING, runs).method
    assert "Welch" in contrast(one, poor, accuracy, RUNNING, runs).method


def test_a_run_that_diverged_cannot_be_averaged():
    broken = arm(0.5)
    broken[2].summary["test_acc"] = None
    find = lambda how: contrast(broken, arm(0.6), accuracy, how, {"a": broken})  # noqa: E731
    answer = Part("accuracy", MORE, CIFAR, find).judged()
    assert answer.word == "untestable here"
    assert "diverge" in answer.why


def test_what_is_picked_is_there():
    with pytest.raises(NotTested, match="lr 7"):
        pick(arm(0.5), lr=7)
    with pytest.raises(NotTested, match="“x” is not recorded"):
        Experiments({"x": Runs([])})["x"]
    assert pace(lenet_runs(ours=2)["timing"], "batch", "torch").value == 1  # log₂


# Claims and cards


def made_up_claim(*found, needs=("a",), **texts):
    @claim(
        texts.get("id", "X1"),
        source="<s>",
        says="a < b",
        rule="r & s",
        needs=needs,
        dated="2026-02-01",
    )
    def parts(runs):
        return [
            Part("accuracy", MORE, CIFAR, lambda how, f=f: f, at={"n": f"part {i}"})
            for i, f in enumerate(found)
        ]

    return parts


def gap(mean: float, n: int = 5):
    noise = np.random.default_rng(1).normal(0, 0.3, (2, n))
    return difference(noise[0] - noise[0].mean() + mean, noise[1] - noise[1].mean())


RUNS_ = {"a": arm(0.5)}


def test_a_card_says_how_much_is_settled_and_where():
    (shown,) = cards([made_up_claim(gap(5), gap(4), gap(0.9))], RUNS_)
    assert (shown.settled, shown.testable, shown.word) == (3, 3, "holds")
    (shown,) = cards([made_up_claim(gap(5), gap(4, 2))], RUNS_)
    assert (shown.label, shown.because) == ("holds, 1 of 2 settled (indicative)", "")
    assert list(map(str, shown.scales)) == [str(RUNS_["a"].scale)]
    paper = Runs(RUNS_["a"], "paper")
    assert cards([made_up_claim(gap(5))], {"a": paper})[0].label == "holds"
    assert shown.main.size.startswith("+5.00 points")
    assert repr(shown).startswith(
        "X1 holds, 1 of 2 settled (indicative)\n  accuracy, part 0: +5.00"
    )


def test_the_settled_share_and_holm_go_over_all_claims_once():
    made = [made_up_claim(gap(m), id=f"X{m}") for m in (8, 5, 0.39, 0.38)]
    some = cards([*made, made_up_claim(gap(5), gap(5, 2))], RUNS_)
    assert some.settled == (5, 6)
    ps = [shown.p for shown in some[:4]]
    assert ps[0] < ps[1] < 0.0125
    assert 0.05 / 2 < ps[2] < ps[3] < 0.05  # alone it would pass, corrected it does not
    assert some.holm() == {"X8": True, "X5": True, "X0.39": False, "X0.38": False, "X1": True}


def seeds(middle: float, n: int, made: str) -> list[Run]:
    some = list(arm(middle, n))
    for run in some:
        run.provenance["made"] = made
        run.summary["test_acc"] = middle + 0.02 * (run.recipe.seed % 3)
    return some


@pytest.mark.parametrize(("after", "n", "word"), [
    (0.9, 5, "yes"), (0.3, 3, "no"), (0.49, 3, "open"), (0.9, 2, ""), (0.9, 0, ""),
])  # fmt: skip
def test_repeats_on_new_seeds(after, n, word):
    @claim("X", source="s", says="s", rule="r", needs=["a"], dated="2026-02-01")
    def above_half(runs):
        noise = np.random.default_rng(0).normal(0, 0.1, 5)
        find = lambda how: difference(accuracy(runs["a"], RUNNING) - 50, noise)  # noqa: E731
        return [Part("above", MORE, CIFAR, find)]

    old, new = seeds(0.9, 10, "2026-01-02T03"), seeds(after, n, "2026-02-01T03")
    (shown,) = cards([above_half], {"a": Runs([*old, *new])})
    assert shown.word == "holds"
    assert shown.repeated == word
    assert shown.post_hoc
    all_new = cards([above_half], {"a": Runs(new)})[0]
    assert not all_new.post_hoc
    assert all_new.repeated == ""  # there is nothing older to repeat


def test_flipping_the_runs_flips_the_word():
    runs = lenet_runs(padding=0.005)
    flipped = copy.copy(runs)
    for name, other in (("main", "unpadded"), ("unpadded", "main")):
        flipped[name] = runs[other].where(norm="none")
        flipped[name] = Runs([*flipped[name], *runs[other].where(norm="batch")])
    assert cards(LENET[2:3], runs)[0].word == "holds"
    assert cards(LENET[2:3], flipped)[0].word == "does not hold"


class Text(HTMLParser):
    """The text of a card and the classes of its elements."""

    def __init__(self, html: str):
        super().__init__()
        self.said, self.looks, self.open = "", [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.looks.append(dict(attrs).get("class"))
        if tag not in ("line", "rect", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("line", "rect", "circle"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.said += data


def test_a_card_is_well_formed_html_that_escapes_what_it_shows():
    html = cards(LENET, lenet_runs(gain=0.004))._repr_html_()
    read = Text(html)
    assert read.open == []
    assert "BN's advantages" in read.said
    assert {"verdict holds-in-part", "verdict erratum"} <= set(read.looks)
    assert "None" not in read.said
    assert "nan" not in read.said
    shown = cards([made_up_claim(gap(5))], RUNS_)._repr_html_()
    assert "a &lt; b" in shown
    assert "<s>" not in shown
    assert shown == cards([made_up_claim(gap(5))], RUNS_)._repr_html_()


def test_the_picture_puts_every_part_on_its_scale():
    html = cards([made_up_claim(gap(5), gap(-5), gap(0))], RUNS_)._repr_html_()
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)%"', html)]
    assert dots[1] < dots[2] < dots[0]
    assert dots[0] - dots[2] == pytest.approx(dots[2] - dots[1], abs=0.2)
    places = [float(x) for x in re.findall(r'(?:x|x1|x2|cx)="(-?[\d.]+)%"', html)]
    assert min(places) >= 0
    assert max(places) <= 100
    (left, width) = map(
        float, re.search(r'<rect x="([\d.]+)%" y="0" width="([\d.]+)%', html).groups()
    )
    assert left + width / 2 == pytest.approx(dots[2], abs=0.2)  # the margin lies around 0


def test_a_part_without_an_interval_or_with_a_bound_is_drawn_too():
    @claim("X", source="s", says="s", rule="r", needs=())
    def both(runs):
        return [
            Part("few", MORE, MNIST, lambda how: gap(0.2, 2)),
            Part("error", AT_MOST, CIFAR, lambda how: exact(0.01), bound=2),
        ]

    (shown,) = cards([both], {})
    assert [a.label for a in shown.answers] == ["open", "yes"]
    assert shown._repr_html_().count("<circle") == 2
    assert "at most 2" in shown._repr_html_()


def test_two_parts_of_one_name_are_refused():
    @claim("X", source="s", says="s", rule="r", needs=())
    def same(runs):
        return [Part("a", MORE, CIFAR, lambda how: gap(1))] * 2

    with pytest.raises(ValueError, match="one name"):
        cards([same], {})


def test_an_erratum_has_no_word_and_no_colour():
    @erratum("X9", source="s", says="42 epochs")
    def slip(runs):
        return f"It is {len(runs['a']) + 1}."

    some = cards([slip], RUNS_)
    assert repr(some) == "X9 erratum: It is 6."
    assert 'class="verdict erratum"' in some._repr_html_()
    assert some.settled == (0, 0)
    assert some.holm() == {}
