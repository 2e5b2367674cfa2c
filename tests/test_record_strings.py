"""A record whose words hold HTML and a script, on a built page in a browser: text, everywhere."""

import textwrap

import nbformat
import pytest
from made_up import made_up_run

from bnlib.book import site
from bnlib.run import Runs
from bnlib.scale import Scale

NASTY = '<script>window.owned = 1</script><img src=x onerror="window.owned = 1"> **bold**'
MARKUP = set("<>&*`$[]{}\\\"'|#~")
CHAPTER = f"""
    import matplotlib.pyplot as plt
    from IPython.display import Markdown, display
    from bnlib.book import boxes, plots, tables
    from bnlib.book.banner import banner
    from bnlib.recipe import PROTOCOL, Recipe
    from bnlib.run import Run, Runs

    nasty = {NASTY!r}
    made = dict(device=nasty, device_kind=nasty, commit=nasty, made=nasty, protocol=PROTOCOL)
    made |= dict(versions={{"torch": nasty}}, dirty=False, seconds=1.0)
    runs = Runs([Run(Recipe(epochs=2), {{}}, {{"diverged": False}}, made)], "paper")
    shown = {{"a row": {{"a column": "1"}}}}
    display(tables.numbered(shown, "run", "tab-nasty", f"What it is. {{runs.scale}}."))
    display(boxes.table(shown, "What it is", runs.scale))
    display(Markdown(banner({{"all": runs}}, "01_one", "auto")))
"""


def test_a_devices_name_keeps_no_markup():
    run = made_up_run()
    run.provenance.update(device=NASTY, device_kind="cuda")
    (name,) = Scale.of([run], "paper").devices
    assert not MARKUP & set(name)
    assert "script" in name
    run.provenance["device"] = "NVIDIA H100 80GB HBM3 (MIG 1g.10gb), 2 x @ 1.9"
    assert Scale.of([run], "paper").devices == (run.provenance["device"],)
    assert str(Runs([run], "paper").scale).endswith(run.provenance["device"])


@pytest.mark.slow
def test_a_page_shows_a_records_words_as_text(book, clean_chapter, browser):
    path = book.root / "chapters" / "01_one.ipynb"
    cell = clean_chapter.cells[2]
    cell.source = textwrap.dedent(CHAPTER).strip()
    cell.metadata["mystnb"] = {"markdown_format": "myst"}
    nbformat.write(clean_chapter, path)
    site.build(book)
    page = browser.new_page()
    page.goto((book.html / "chapters" / "01_one.html").as_uri(), wait_until="load")
    seen = page.locator("main").inner_text()
    assert page.evaluate("window.owned") is None
    assert page.locator("img[src=x]").count() == 0
    assert seen.count("window.owned = 1") >= 4  # twice in each of two places, at the least
    assert seen.count("script") >= 8
    page.close()
