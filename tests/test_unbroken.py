"""No line of a page ends between a number and its sign."""

import runpy

import pytest

from bnlib.book.layout import Book

keep_together = runpy.run_path(str(Book().root / "_ext" / "unbroken.py"))["keep_together"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("<p>at 95 % of 3 runs</p>", "<p>at 95\u00a0% of 3 runs</p>"),
        ("0.3 ± 1.2 (n = 5)", "0.3 ±\u00a01.2 (n\u00a0=\u00a05)"),
        ("n ≥ 3; in = 3", "n\u00a0≥\u00a03; in = 3"),
        ("100 or 5 of 6", "100 or 5 of 6"),
    ],
)
def test_a_number_keeps_its_sign(said, kept):
    assert keep_together(said) == kept
    assert keep_together(kept) == kept


@pytest.mark.parametrize(
    "said",
    [
        '<pre>n = 5 % 3\n<span class="k">x</span> 5 % 2</pre>',
        '<img alt="95 % of n = 5">',
        '<script>{"a": "95 %"}</script>',
        "<code>n = 5</code>",
    ],
)
def test_code_and_tags_are_left_alone(said):
    assert keep_together(f"7 %{said}8 %") == f"7\u00a0%{said}8\u00a0%"
