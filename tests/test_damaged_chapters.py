"""Notebooks and book files that are damaged: one line, exit status 2, whatever command meets it."""

import json
import shutil
from pathlib import Path

import pytest

from bnlib import paths
from bnlib.__main__ import main
from bnlib.book import chapter, layout, ledger
from bnlib.book.layout import ROOT, Book

NAME = "03_lenet"
COMMANDS = (
    ["verify"],
    ["run", "03"],
    ["run", "03", "-p", "profile", "smoke"],
    ["record", "--profile", "smoke"],
    ["book"],
)


@pytest.fixture
def house(tmp_path, monkeypatch) -> Path:
    """A book of one chapter, which the commands take for theirs."""
    (tmp_path / "chapters").mkdir()
    shutil.copy(ROOT / "chapters" / f"{NAME}.ipynb", tmp_path / "chapters")
    (tmp_path / "_toc.yml").write_text(f"format: jb-book\nroot: chapters/{NAME}\n")
    (tmp_path / "_config.yml").write_text("title: small\n")
    monkeypatch.setattr(layout.Book.__init__, "__defaults__", (tmp_path,))
    monkeypatch.setattr(chapter, "CHAPTERS", tmp_path / "chapters")
    for name in ("RECORDED", "SCRATCH", "FRESH"):
        monkeypatch.setattr(paths, name, tmp_path / "records")
    monkeypatch.setattr("bnlib.study.Study.train", None)  # calling it would fail
    monkeypatch.setattr(ledger, "judged", None)
    assert Book().root == tmp_path
    return tmp_path


def cell_with(tag: str, source: str):
    """Replaces the source of the first cell with a tag."""

    def damage(house: Path) -> None:
        path = house / "chapters" / f"{NAME}.ipynb"
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cell = next(c for c in notebook["cells"] if tag in c["metadata"].get("tags", []))
        cell["source"] = source
        path.write_text(json.dumps(notebook), encoding="utf-8")

    return damage


def file_with(name: str, content: bytes | None):
    def damage(house: Path) -> None:
        path = house / name
        path.unlink()
        if content is not None:
            path.write_bytes(content)

    return damage


DAMAGES = {
    "a list": (file_with(f"chapters/{NAME}.ipynb", b"[]"), "cannot be read as a notebook"),
    "empty": (file_with(f"chapters/{NAME}.ipynb", b""), "cannot be read as a notebook"),
    "half": (file_with(f"chapters/{NAME}.ipynb", b'{"cells": ['), "cannot be read as a notebook"),
    "no text": (file_with(f"chapters/{NAME}.ipynb", b"\xff\xfe"), "cannot be read as a notebook"),
    "odd cells": (
        file_with(f"chapters/{NAME}.ipynb", b'{"cells": [1, 2]}'),
        "cannot be read as a notebook",
    ),
    "a folder's name": (file_with(f"chapters/{NAME}.ipynb", None), "there is no such .ipynb"),
    "no syntax": (
        cell_with("recipes", "x = 1\ndef experiments(:"),
        "tagged 'recipes', line 2: Syntax",
    ),
    "a bug": (
        cell_with("recipes", "x = 1\ny = x / 0"),
        "tagged 'recipes', line 2: ZeroDivisionError",
    ),
    "bad types": (
        cell_with("parameters", "seeds: int = \n"),
        "tagged 'parameters', line 1: SyntaxError",
    ),
    "no toc": (file_with("_toc.yml", None), "_toc.yml cannot be read"),
    "no yaml": (file_with("_toc.yml", b"a: [b\n: c"), "_toc.yml cannot be read"),
    "empty toc": (file_with("_toc.yml", b""), "_toc.yml names no page"),
    "a word": (file_with("_toc.yml", b"chapters"), "_toc.yml names no page"),
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_one_line(house, capsys, damage, command):
    make, said = DAMAGES[damage]
    if command == ["run", "03"] and "'recipes'" in said:
        pytest.skip("to list the parameters no recipe is read")
    if command == ["book"] and "tagged" in said:
        said = f"chapter {NAME} failed in cell"  # it is executed
    make(house)
    assert main(command) == 2, capsys.readouterr()
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert said in line


def test_a_parameter_without_a_default_is_told(house, capsys):
    cell_with("parameters", "profile: str = 'auto'\nseeds: int")(house)
    assert main(["run", "03"]) == 2
    assert "the parameter 'seeds' has no default" in capsys.readouterr().err
