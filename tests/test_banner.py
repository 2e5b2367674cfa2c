"""The end of a page: the scale of each experiment, and where its runs were made."""

from html.parser import HTMLParser

import pytest
from made_up import SMALL, made_up_run
from markdown_it import MarkdownIt

from bnlib.book.banner import banner, text
from bnlib.run import Runs


class Page(HTMLParser):
    """What a reader sees of rendered Markdown: the elements, and the text of them all."""

    def __init__(self, markdown: str):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(MarkdownIt("gfm-like", {"linkify": False}).render(markdown))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def two_runs():
    one, two = made_up_run(), made_up_run(SMALL.but(seed=3))
    two.provenance.update(made="2026-02-03T00:00:00+00:00", dirty=True)
    return one, two


def test_it_says_what_is_shown_and_how_to_repeat_it():
    one, two = two_runs()
    page = Page(banner({"a": Runs([one, two], "paper"), "b": Runs([])}, "09_made_up", "auto"))
    for words in (
        "a: paper · MLP · 2 epochs · digits, 1,348 images · n = 2 · one CPU thread",
        "b: not recorded",
        "2 runs, recorded 2026-01-02 to 2026-02-03 on a made-up processor (one thread each)",
        "torch 2.14.1",
        "code 0123456, 0123456+",
        "papermill chapters/09_made_up.ipynb out.ipynb --cwd chapters -p fresh True",
    ):
        assert words in page.text
    assert "mean nothing" not in page.text


def test_a_profile_that_was_chosen_is_repeated_with_it():
    said = banner({"a": Runs([made_up_run()], "smoke")}, "09_made_up", "smoke")
    assert "--cwd chapters -p profile smoke -p fresh True" in said
    assert "mean nothing" in said
    assert "recorded 2026-01-02 on" in said


def test_eight_experiments_are_a_short_list():
    shared = {f"many_{i}": Runs([made_up_run()], "laptop") for i in range(6)}
    other = {"wide": Runs([made_up_run(SMALL.but(epochs=9))], "paper"), "none": Runs([])}
    page = Page(banner(shared | other, "09_made_up", "auto"))
    assert page.tags.count("li") == 3  # those of one scale stand together
    assert "many_0, many_1, many_2, many_3, many_4, many_5: laptop · MLP" in page.text
    assert "em" not in page.tags


def test_nothing_recorded_is_said():
    page = Page(banner({"a": Runs([])}, "09_made_up", "auto"))
    assert "a: not recorded" in page.text
    assert "runs, recorded" not in page.text


NASTY = [
    "<script>alert(1)</script>",
    "**bold** _and_ `code`",
    "[link](https://example.org) ![picture](x.png)",
    "a | b | c",
    "<!-- nothing --> &lt; &amp;",
    "$x^2$ {math}`y` ~~gone~~",
    "# heading",
    r"back\slash \*",
]


@pytest.mark.parametrize("nasty", NASTY)
def test_a_records_words_are_text(nasty):
    assert Page(f"on {text(nasty)}").tags == ["p"]
    assert Page(f"on {text(nasty)}").text.strip() == f"on {nasty}"
    plain = Page(banner({"a": Runs([made_up_run()], "paper")}, "09_made_up", "auto"))
    run = made_up_run()
    run.provenance.update(
        device=nasty, device_kind=nasty, versions={"torch": nasty}, commit=nasty, made=nasty
    )
    page = Page(banner({"a": Runs([run], "paper")}, "09_made_up", "auto"))
    assert page.tags == plain.tags
    assert page.text.count(nasty) >= 2  # the runs' device, torch; the scale keeps no markup at all
    assert "\n- b" not in text("a\n- b")
