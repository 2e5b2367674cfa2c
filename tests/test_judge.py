"""Words, headlines and clauses from made-up effects whose truth is known."""

import functools
import math

import numpy as np
import pytest
from scipy import stats

from bnlib.analysis.counts import share, shares
from bnlib.analysis.findings import (
    Estimate,
    Range,
    difference,
    exact,
    mean,
    sessions,
    spread,
)
from bnlib.analysis.learning import PRECISE, RUNNING
from bnlib.claims.arms import NotTested, need
from bnlib.claims.judge import (
    AT_LEAST,
    AT_MOST,
    EQUAL,
    LESS,
    MORE,
    Part,
    headline,
    what_splits,
    word,
)
from bnlib.claims.margins import CIFAR, MNIST, RATIO, RUNS, three_digits


def between(low: float, high: float) -> Estimate:
    """An effect whose 95 % interval is this, with so many degrees of freedom that it is normal."""
    error = (high - low) / 2 / stats.norm.ppf(0.975)
    return Estimate(value=(low + high) / 2, n=(5, 5), method="made up", error=error, df=1e9)


@pytest.mark.parametrize(("low", "high", "more", "equal"), [
    (1.1, 2.0, "yes", "no: higher"),
    (0.1, 2.0, "yes, perhaps small", "open"),
    (-2.0, -0.1, "the reverse", "open"),
    (-2.0, -1.1, "the reverse", "no: lower"),
    (-0.5, 0.6, "no difference", "yes"),
    (-1.05, 0.9, "no difference", "yes"),  # the 90 % interval is inside, this one is not
    (-0.5, 2.0, "open", "open"),
    (math.nan, math.nan, "open", "open"),
])  # fmt: skip
def test_the_table_of_words(low, high, more, equal):
    assert word(MORE, between(low, high), 1) == more
    assert word(LESS, between(-high, -low), 1) == more  # flipping the runs and the claim
    assert word(EQUAL, between(low, high), 1) == equal


@pytest.mark.parametrize(("low", "high", "at_most", "at_least"), [
    (1.0, 2.9, "yes", "no"),
    (1.0, 3.1, "yes", "open"),  # one-sided: the 90 % interval ends below 3
    (1.0, 4.0, "open", "open"),
    (3.1, 4.0, "no", "yes"),
])  # fmt: skip
def test_bounds_are_one_sided(low, high, at_most, at_least):
    assert word(AT_MOST, between(low, high), 1, 3) == at_most
    assert word(AT_LEAST, between(low, high), 1, 3) == at_least


REPEATS = 600


@functools.cache
def rates(kind: str, truth: float, n: int = 5, sd: float = 0.5) -> dict[str, float]:
    """How often each word is said of arms whose true difference is ``truth`` margins."""
    rng, said = np.random.default_rng(7), {}
    for _ in range(REPEATS):
        arms = rng.normal(0, sd, (8, n))
        found = difference(arms[0] + truth, arms[1], spread(arms))
        what = word(kind, found, 1.0)
        said[what] = said.get(what, 0) + 1 / REPEATS
    return said


def often(promised: float) -> float:
    """The most that chance makes of a rate, once in a thousand such tests."""
    return stats.binom.ppf(0.999, REPEATS, promised) / REPEATS


def test_no_effect_is_called_one_as_rarely_as_promised():
    said = rates(MORE, 0)
    assert said.get("yes", 0) + said.get("yes, perhaps small", 0) <= often(0.025)
    assert said.get("the reverse", 0) <= often(0.025)
    assert rates(EQUAL, 0)["yes"] > 0.75  # power: the half-width is .65 margins
    assert "no: higher" not in rates(EQUAL, 0)


def test_at_the_margin_nothing_is_settled_about_the_margin():
    more, equal = rates(MORE, 1), rates(EQUAL, 1)
    assert more.get("yes", 0) <= often(0.025)  # clearly above the margin
    assert more.get("no difference", 0) <= often(0.05)
    assert equal.get("yes", 0) <= often(0.05)
    assert equal.get("no: higher", 0) <= often(0.025)
    assert equal["open"] > 0.8


def test_at_twice_the_margin_the_answer_comes():
    more, equal = rates(MORE, 2), rates(EQUAL, 2)
    assert more.get("yes", 0) + more.get("yes, perhaps small", 0) > 0.99
    assert more["yes"] > 0.8
    assert equal["no: higher"] > 0.8
    assert equal.get("yes", 0) == 0
    assert rates(MORE, -2)["the reverse"] > 0.99


def part(
    found, kind: str = MORE, unit=CIFAR, at: str = "here", text: str = "accuracy", **more
) -> Part:
    find = found if callable(found) else lambda how: found
    return Part(text, kind, unit, find, at={"place": at}, **more)


def answers(**found):
    return [part(finding, at=at).judged() for at, finding in found.items()]


YES, NO, OPEN_ = between(2, 3), between(-3, -2), between(-2, 3)


def test_eighteen_true_parts_of_five_seeds_hold():
    rng = np.random.default_rng(3)
    words = []
    for _ in range(40):
        arms = rng.normal(0, 0.6, (36, 5))
        kind = spread(arms)
        found = [difference(arms[i] + 2, arms[i + 18], kind) for i in range(18)]
        words.append(headline([part(f, at=str(i)).judged() for i, f in enumerate(found)]))
    assert words == ["holds"] * 40


def test_headlines_look_at_settled_parts_only():
    assert headline(answers(a=YES, b=OPEN_)) == "holds"
    assert headline(answers(a=NO, b=OPEN_, c=between(-0.3, 0.3))) == "does not hold"
    assert headline(answers(a=YES, b=NO, c=OPEN_)) == "holds in part"
    assert headline(answers(a=OPEN_)) == "open"
    assert headline([]) == "not tested"

    def missing(how):
        raise NotTested("no runs")

    assert headline([part(missing).judged()]) == "not tested"
    assert headline([part(missing).judged(), *answers(a=OPEN_)]) == "open"


def test_flipping_the_effect_flips_the_word():
    assert headline(answers(a=YES, b=YES)) == "holds"
    assert headline(answers(a=NO, b=NO)) == "does not hold"


def test_the_clause_names_what_splits_the_parts():
    assert what_splits(answers(one=YES, two=NO, three=NO, four=OPEN_)) == "one; not two or three"
    many = {f"p{i}": YES for i in range(6)}
    assert what_splits(answers(**many, last=NO)) == "but not last"
    assert what_splits(answers(**dict.fromkeys(many, NO), last=YES)) == "only last"
    assert what_splits(answers(**many, **{f"q{i}": NO for i in range(5)})) == "6 of 11 parts"


def test_the_clause_prefers_a_condition_to_a_list_of_parts():
    split = [
        Part(
            "accuracy", MORE, CIFAR, lambda how, f=f: f, at={"start": start, "data": data}
        ).judged()
        for start, f in (("from He's start", YES), ("from PyTorch's", NO))
        for data in ("on CIFAR-10", "on CIFAR-100")
    ]
    assert what_splits(split) == "from He's start; not from PyTorch's"
    by_text = [part(YES, text="faster").judged(), part(NO, text="better").judged()]
    assert what_splits(by_text) == "faster; not better"


def test_a_failed_need_is_untestable_and_a_missing_experiment_not_tested():
    def rises(how):
        need(False, "a test loss that rises")
        return YES

    def missing(how):
        raise NotTested("The experiment “x” is not recorded.")

    answer = part(rises).judged()
    assert (answer.word, answer.why) == ("untestable here", "It needs a test loss that rises.")
    assert answer.side is None
    assert part(missing).judged().word == "not tested"


def test_another_word_under_the_other_evaluation_is_a_flag_and_no_second_part():
    by_evaluation = {PRECISE: YES, RUNNING: OPEN_}
    answer = part(by_evaluation.__getitem__).judged()
    assert (answer.word, answer.flag) == ("yes", "turns with running averages: open")
    turned = part(by_evaluation.__getitem__, primary=RUNNING).judged()
    assert (turned.word, turned.flag) == ("open", "turns with precise statistics: yes")
    assert (answer.evaluation, turned.evaluation) == (PRECISE, RUNNING)
    assert (part(YES).judged().flag, part(YES).judged().evaluation) == ("", "")


def test_an_open_part_says_how_many_seeds_it_wants_whatever_its_mean():
    rng = np.random.default_rng(0)
    pool = spread(rng.normal(0, 1, (30, 3)))
    need_ = math.ceil((stats.t.ppf(0.975, 60) * pool.sd * math.sqrt(2)) ** 2)
    labels = {
        part(Estimate(value=v, n=(3, 3), method="", error=pool.sd * math.sqrt(2 / 3), df=60))
        .judged()
        .label
        for v in (0.2, 0.7, 1.0)
    }
    assert labels == {f"open ({need_ - 3} more seeds)"}
    assert part(between(-0.3, 1.5), EQUAL).judged().label == "open (close to the margin)"
    assert part(between(-30, 30)).judged().label == "open (over 100 more seeds)"
    assert part(shares([1] * 3, [0] * 3), unit=RUNS).judged().label == "open"


def test_an_interval_as_narrow_as_the_margin_wants_seeds_that_settle_it_wherever_the_effect_lies():
    def found(value, n):
        return Estimate(value=value, n=(n, n), method="", error=1.5 * math.sqrt(2 / n), df=1000)

    close = part(found(-0.6, 20), LESS).judged()
    assert close.word == "open"
    assert close.finding.interval()[1] < 1
    wanted = close.wanted
    assert wanted == part(found(0.7, 20), MORE).judged().wanted
    everywhere = np.linspace(-1.5, 1.5, 301)
    for kind in (MORE, LESS):
        assert {part(found(v, wanted), kind).judged().side for v in everywhere} == {True, False}
        fewer = {part(found(v, wanted * 4 // 5), kind).judged().word for v in everywhere}
        assert "open" in fewer


def test_p_values_agree_with_the_words():
    for finding, kind in (
        (between(1e-6, 2), MORE),  # just above 0
        (between(-2, -1e-6), MORE),
        (between(1 + 1e-6, 3), EQUAL),  # just outside the margin
    ):
        assert part(finding, kind).judged().p == pytest.approx(0.05, abs=1e-5)
    edge = 1 - 1e-6  # the 90 % interval just inside ± 1
    inside = between(*(x * stats.norm.ppf(0.975) / stats.norm.ppf(0.95) for x in (-edge, edge)))
    assert part(inside, EQUAL).judged().p == pytest.approx(0.05, abs=1e-5)
    counted = part(share([True] * 5), AT_LEAST, RUNS, bound=0.5).judged()
    assert (counted.word, counted.p) == ("yes", 1 / 32)
    none = part(share([False] * 6), AT_LEAST, RUNS, bound=0.5).judged()
    assert (none.word, none.p) == ("no", pytest.approx(2 / 64))
    assert math.isnan(part(sessions([np.array([1.0, 1.1])]), MORE, RATIO).judged().p)
    assert math.isnan(part(OPEN_).judged().p)


def test_sizes_are_in_natural_units_and_inside_their_range():
    factor = Range(value=math.log2(6), low=2, high=3, n=(3,), method="")
    assert part(factor, MORE, RATIO).judged().size == "6.00× (4.00–8.00)"
    assert part(factor, AT_LEAST, RATIO, bound=3.5).judged().word == "yes"
    assert part(factor, AT_LEAST, RATIO, bound=9).judged().word == "no"
    assert part(between(0.17, 0.57), MORE, MNIST).judged().size == "+0.37 points (0.17 to 0.57)"
    assert part(between(-2e-4, 3e-4), MORE, MNIST).judged().size == "0 points (0 to 0)"
    wild = mean([10.0, 90.0, 20.0])  # ± 108
    assert part(wild).judged().size == "+40.0 points (−68.3 to 100)"
    assert (
        part(shares([1, 1, 0], [0, 0, 0]), unit=RUNS).judged().size == "2 of 3 against 0 of 3 runs"
    )
    assert part(exact(3e-12), AT_MOST, MNIST, bound=1e-10).judged().word == "yes"


@pytest.mark.parametrize(("x", "text"), [
    (0, "0"), (0.37123, "0.37"), (-0.0301, "−0.030"), (5.96, "5.96"), (99.96, "100"),
    (123.4, "123"), (12345, "12,300"), (0.0999, "0.10"), (9.996, "10.0"), (3e-14, "3.0·10⁻¹⁴"),
])  # fmt: skip
def test_numbers_have_three_digits_at_most(x, text):
    assert three_digits(x) == text
    assert three_digits(abs(x), sign=True).lstrip("+") == text.lstrip("−")


def test_a_part_of_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="larger"):
        part(YES, "larger")
