"""Every chapter, live, from nothing, in the smoke profile: it trains, and prints no warning."""

import json

import pytest

from bnlib.book import chapter, notebooks
from bnlib.book.layout import Book
from bnlib.book.parameters import run_chapter
from bnlib.paths import FRESH

CHAPTERS = Book().chapters()


@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_runs_live(path, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel would leave the terminal's stderr alone
    wanted = {"profile": "smoke", "fresh": "True", "workers": "2"}
    recipes = chapter.experiments_of(Book().root / path)("smoke")
    executed = notebooks.read(run_chapter(Book(), path, wanted if recipes else {}))
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert any("image/png" in o.get("data", {}) for o in outputs)
    records = {path.stem: path for path in FRESH.rglob("*.json")}
    for recipe in {r for some in recipes.values() for r in some}:
        assert json.loads(records[recipe.id].read_text())["provenance"]["device_kind"] == "cpu"
