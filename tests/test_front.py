"""The front page's answers from made-up effects, and the pages computed from the ledger."""

import functools

import numpy as np
import pytest
from scipy import stats

from bnlib.analysis.findings import Estimate, difference
from bnlib.analysis.learning import EVALUATIONS, PRECISE
from bnlib.book import front, method, notebooks
from bnlib.book.chapter import experiments_of
from bnlib.book.layout import Book
from bnlib.book.ledger import Ledger, judged
from bnlib.book.stacked import Table
from bnlib.claims import margins
from bnlib.claims.answers import Effect, Question, in_a_word, questions
from bnlib.claims.arms import NotTested
from bnlib.claims.card import ErratumCard
from bnlib.claims.claim import Erratum
from bnlib.claims.judge import MORE, Answer, Part
from bnlib.claims.ledger import together
from bnlib.claims.margins import CIFAR


def between(low: float, high: float) -> Estimate:
    """An effect whose 95 % interval is this."""
    error = (high - low) / 2 / stats.norm.ppf(0.975)
    return Estimate(value=(low + high) / 2, n=(5, 5), method="made up", error=error, df=1e9)


def more(finding: Estimate) -> Answer:
    return Part("a difference", MORE, CIFAR, lambda how: finding).judged()


def untested() -> Answer:
    def find(how: str):
        raise NotTested("There is no run.")

    return Part("a difference", MORE, CIFAR, find).judged()


LARGE, SMALL, NONE, BACK = (2, 3), (0.2, 1.5), (-0.5, 0.5), (-3, -2)
UNCLEAR = (-2, 4)


@pytest.mark.parametrize(("intervals", "word"), [
    ([LARGE], "yes"),
    ([LARGE, SMALL], "yes"),
    ([SMALL, SMALL], "a little, perhaps"),
    ([LARGE, NONE], "partly"),
    ([SMALL, BACK], "partly"),
    ([NONE, NONE], "no difference"),
    ([BACK], "the reverse"),
    ([NONE, BACK], "no"),
    ([UNCLEAR], "open"),
    ([UNCLEAR, LARGE], "yes"),  # what is open changes no word
    ([UNCLEAR, BACK], "the reverse"),
    ([], "not tested"),
])  # fmt: skip
def test_an_answer_in_a_word_follows_from_the_intervals(intervals, word):
    assert in_a_word([more(between(*some)) for some in intervals]) == word


def test_what_is_not_tested_changes_no_word():
    assert in_a_word([untested()]) == "not tested"
    assert in_a_word([untested(), more(between(*LARGE))]) == "yes"


def test_runs_that_change_sides_turn_the_answer():
    rng = np.random.default_rng(0)
    with_bn, without = rng.normal(72, 0.5, 5), rng.normal(68, 0.5, 5)
    assert in_a_word([more(difference(with_bn, without))]) == "yes"
    assert in_a_word([more(difference(without, with_bn))]) == "the reverse"
    assert in_a_word([more(difference(with_bn, with_bn[::-1]))]) == "no difference"


def test_a_chapter_answers_from_its_own_effects():
    question = Question(
        "Better?",
        {
            "LeNet": Effect("03", more(between(*SMALL))),
            "VGG": Effect("07", more(between(*LARGE))),
        },
    )
    assert question.chapters == ["03", "07"]
    words = {name: question.within(name).word for name in question.chapters}
    assert words == {"03": "a little, perhaps", "07": "yes"}


def test_a_table_escapes_text_and_names_each_cell():
    shown = Table(("a < b", "why"), [("1 < 2", "it is")])._repr_html_()
    assert '<td data-label="a &lt; b">1 &lt; 2</td>' in shown
    assert "<br>" in Table(("a",), [("1<br>2",)], markup=True)._repr_html_()


# On the records


@functools.cache
def recorded() -> Ledger:
    return judged([])


def test_every_question_is_answered_by_parts_of_the_chapters():
    asked = questions(recorded().cards, recorded().runs)
    stems = {path.stem for path in Book().chapters()}
    assert all(question.effects and set(question.chapters) <= stems for question in asked)
    judged_there = [a for card in together(recorded().cards).judged for a in card.answers]
    shown = [effect.answer for question in asked for effect in question.effects.values()]
    assert sum(any(a is b for b in judged_there) for a in shown) > len(shown) / 2


def test_the_table_of_answers_shows_each_word_and_size():
    page = front.answers(recorded())._repr_html_()
    for question in questions(recorded().cards, recorded().runs):
        assert f">{question.word}</span>" in page
        for effect in question.effects.values():
            assert (effect.answer.size or effect.answer.why) in page


def asked(word: str) -> Question:
    (one,) = (q for q in questions(recorded().cards, recorded().runs) if word in q.text)
    return one


def test_the_speed_is_shown_by_both_evaluations():
    shown = asked("fewer epochs").effects
    ends = [name.removesuffix(f", {PRECISE}") for name in shown if name.endswith(PRECISE)]
    assert len(ends) == 2
    assert set(shown) == {f"{end}, {how}" for end in ends for how in EVALUATIONS}
    sizes = [effect.answer.size for effect in shown.values()]
    assert len(set(sizes)) == len(sizes)


def test_dropout_is_shown_on_the_way_and_at_the_end():
    """What the running averages lose behind the convolutions is not all lost."""
    effects = list(asked("clash").effects.values())
    drop = recorded().runs["04_alexnet"]["dropout"].where(norm="batch")
    with_it, without = (
        drop.where(dropout=rate, dropout_at=place).final("test_acc_precise").mean()
        for rate, place in ((0.5, "conv"), (0.0, "fc"))
    )
    fall = effects[-1].answer.finding
    assert fall.value == pytest.approx(100 * (with_it - without))
    assert [effect.answer.side for effect in effects] == [True, False, True, True]


def test_the_page_in_short_has_its_numbers_from_the_effects():
    said = front.in_short(recorded()).data
    factors = [2**e.answer.finding.value for e in asked("fewer epochs").effects.values()]
    assert f"{min(factors):.1f} to {max(factors):.1f} times fewer" in said
    better = asked("same number of epochs").effects
    for net in ("LeNet", "AlexNet"):
        gain = better[net].answer
        assert f"{gain.size.partition(' (')[0]} ({gain.word})" in said
    assert "do not learn without it" in said
    empty = Ledger(recorded().runs, {}, {})
    assert front.in_short(Ledger(empty.runs, {}, recorded().cards)).data == said


def test_rates_that_work_are_counted_with_the_margin_of_the_data():
    easy = questions(recorded().cards, recorded().runs)[0].effects
    lenet, vgg = (
        next(e for name, e in easy.items() if name.startswith(net)) for net in ("LeN", "VGG")
    )
    assert [name.split("at most ")[1].split(" ")[0] for name in easy] == ["0.1", "1"]
    sweep = recorded().runs["03_lenet"]["sweep"]
    plain, batch = (sweep.where(norm=norm) for norm in ("none", "batch"))
    top = max(plain.where(lr=lr).final("val_acc").mean() for lr in plain.values("lr"))
    near = [
        int((found >= top - 0.001).sum())
        for found in (batch.final("val_acc_precise"), plain.final("val_acc"))
    ]
    assert lenet.answer.size == "{} of 21 against {} of 21 runs".format(*near)
    assert vgg.chapter == "07_vgg_landscape"


def test_every_chapter_has_a_card_with_its_title():
    page = front.Contents(recorded())._repr_html_()
    for path in Book().chapters():
        assert f'href="chapters/{path.stem}.html"' in page
        assert front.title(Book().root / path) in page
        assert f'src="_images/thumbnail-{path.stem}.png"' in page


def test_a_chapters_main_runs_are_those_that_it_names_first():
    for path in Book().chapters():
        offered = experiments_of(path)("laptop") if path.stem in recorded().runs else {}
        there = [name for name in offered if name in recorded().runs[path.stem]]
        assert [name for name in recorded().runs[path.stem] if name in offered] == there
    page = front.Contents(recorded())._repr_html_()
    assert "Main runs: laptop · VGG-A" in page
    assert "Main runs: laptop · deep CNN" in page


@pytest.mark.parametrize(("words", "minutes"), [(1, 1), (199, 1), (200, 2), (1000, 6)])
def test_minutes_to_read_follow_from_the_words(book, words, minutes):
    path = book.root / book.chapters()[0]
    notebook = notebooks.read(path)
    notebook.cells[0].source = "$a + b$ " + "word " * words
    notebooks.write(notebook, path)
    assert front.minutes(path) == minutes


def test_the_citation_is_that_of_the_file(book):
    (book.root / "CITATION.cff").write_text(
        "title: A Book\nauthors:\n  - name: A. Author\n  - name: B. Author\n"
        'version: 1.2.3\ndate-released: "2031-01-02"\n'
    )
    said = front.cite(book).data
    assert said.startswith("A. Author and B. Author (2031). *A Book*, version 1.2.3.")
    assert "title = {A Book}" in said


def test_every_unit_of_the_book_is_in_the_table_of_margins():
    every = {unit for unit in vars(margins).values() if isinstance(unit, margins.Unit)}
    assert set(method.MEASURES.values()) == every
    shown = dict(method.margins().rows)
    assert shown["ratios: times, widths, distances"] == "a factor of 1.25×"
    assert shown["accuracy on MNIST"] == "0.1 points"
    assert shown["accuracy on CIFAR-10 and CIFAR-100"] == "1 point"


def test_the_state_of_the_book_counts_its_parts():
    answers = [a for c in together(recorded().cards).judged for a in c.answers if a.finding]
    settled = sum(answer.side is not None for answer in answers)
    assert f"{settled} of {len(answers)} testable parts" in method.state(recorded())


def test_errata_are_the_same_where_no_claim_is_judged():
    alone = judged([], kind=Erratum)
    assert method.errata(alone).rows == method.errata(recorded()).rows
    assert not together(alone.cards).judged


def test_the_errata_are_those_of_the_chapters_and_two_more():
    rows = method.errata(recorded()).rows
    slips = [c for c in together(recorded().cards) if isinstance(c, ErratumCard)]
    assert {c.claim.id for c in slips} | {"S3.21", "S3.28"} == {row[0] for row in rows}
    assert len(rows) == len(slips) + 2


def test_a_front_page_that_is_a_notebook_is_no_chapter(book):
    (book.root / "intro.ipynb").write_bytes((book.root / book.chapters()[0]).read_bytes())
    (book.root / "intro.md").unlink()
    assert [path.stem for path in book.notebooks()] == ["intro", "01_one", "02_two"]
    assert [path.stem for path in book.chapters()] == ["01_one", "02_two"]
    assert [path.stem for path in book.pick([])] == ["01_one", "02_two"]
    assert [path.stem for path in book.pick(["intro"], book.notebooks())] == ["intro"]
