"""The cells of a table of sentences have the names of their columns, and no others."""

import runpy

from bnlib.book.layout import Book

label = runpy.run_path(str(Book().root / "_ext" / "row_by_row.py"))["label"]
TABLE = (
    '<table class="{}" id="t"><thead><tr><th class="head"><p>the <b>source</b> says</p></th>'
    "<th><p>R &amp; D</p></th></tr></thead><tbody><tr><td><p>a</p></td><td>b</td></tr>"
    "<tr><td>c</td><td>d</td></tr></tbody></table>"
)


def test_each_cell_has_its_columns_name():
    prose = label("<p>x</p>" + TABLE.format("prose table"))
    for cell in ("<p>a</p>", "c"):
        assert f'<td data-label="the source says">{cell}</td>' in prose
    for cell in "bd":
        assert f'<td data-label="R &amp; D">{cell}</td>' in prose
    assert prose.startswith("<p>x</p><table")


def test_other_tables_stay_as_they_are():
    plain = TABLE.format("table")
    both = label(plain + TABLE.format("prose"))
    assert both.startswith(plain)
    assert both.count("data-label") == 4
