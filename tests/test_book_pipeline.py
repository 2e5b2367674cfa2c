"""A tiny made-up book through the pipeline: build, no-op, failure, refresh, kill."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from bnlib.book import execute, notebooks, site, worker
from bnlib.book.hygiene import problems
from bnlib.book.layout import ROOT
from bnlib.book.refresh import refresh
from bnlib.errors import BookError


def change(book, code, name="02_two"):
    path = book.root / "chapters" / f"{name}.ipynb"
    notebook = notebooks.read(path)
    notebook.cells[2].source = code
    nbformat.write(notebook, path)
    return path


@pytest.mark.slow
def test_build_then_nothing_then_one_chapter_then_a_warning(book, capsys):
    index = site.build(book)
    assert index.is_file()
    page = (book.html / "chapters" / "01_one.html").read_text()
    assert "hello" in page
    assert "papermill" not in page
    assert capsys.readouterr().out.count("executed") == 2

    began = time.monotonic()
    site.build(book)
    assert time.monotonic() - began < 2
    assert capsys.readouterr().out.count("unchanged") == 3

    change(book, "print('something else')")
    site.build(book)
    assert "01_one: unchanged" in capsys.readouterr().out
    assert "something else" in (book.html / "chapters" / "02_two.html").read_text()

    (book.root / "data" / "records").mkdir(parents=True)
    (book.root / "data" / "records" / "new.json").write_text("{}")
    site.build(book)
    assert capsys.readouterr().out.count("executed") == 2

    (book.root / "intro.md").write_text("# Tiny\n\n{doc}`nowhere`\n")
    for _ in range(2):  # a page that was read with a warning must not pass the second time
        with pytest.raises(BookError, match="without warnings"):
            site.build(book)
        assert "nowhere" in capsys.readouterr().err


def test_a_failing_chapter_is_named_with_its_error(book):
    change(book, "from bnlib.errors import BookError\nraise BookError('no such profile')")
    with pytest.raises(BookError) as caught:
        site.build(book)
    (line,) = str(caught.value).splitlines()
    assert "02_two failed in cell 'setup': BookError: no such profile" in line
    assert not (book.staged / "chapters" / "02_two.ipynb").exists()
    assert (book.staged / "chapters" / "01_one.ipynb").exists()


@pytest.mark.parametrize("side_by_side", [1, 2])  # kernels that are forked; that are started
def test_a_dead_kernel_is_a_clear_error(book, monkeypatch, side_by_side):
    monkeypatch.setattr(execute, "SIDE_BY_SIDE", side_by_side)
    change(book, "import os\nos._exit(3)")
    with pytest.raises(BookError, match="02_two failed"):
        execute.execute_all(book, book.chapters(), lambda path: book.build / path.name)
    assert notebooks.read(book.build / "01_one.ipynb").cells[2].outputs[0].text == "hello\n"


@pytest.mark.parametrize(
    ("says", "fails", "tries"),
    [
        ("Kernel died before replying to kernel_info", 2, 3),
        ("Kernel died before replying to kernel_info", 9, 3),
        ("no such thing", 9, 1),
    ],
)
def test_a_kernel_that_does_not_start_is_started_again(monkeypatch, says, fails, tries):
    """As when another process has taken the port that the kernel was promised."""
    began = []

    def executed(source, target, **options):
        began.append((source, target, options["parameters"]))
        if len(began) <= fails:
            raise RuntimeError(says)

    monkeypatch.setattr(worker.papermill, "execute_notebook", executed)
    job = {"source": "a", "target": "b", "parameters": {"n": 1}, "cwd": "."}
    if fails < tries:
        worker.execute(job)
    else:
        with pytest.raises(RuntimeError, match=says):
            worker.execute(job)
    assert began == [("a", "b", {"n": 1})] * tries


def test_the_kernel_is_this_interpreter_whatever_else_is_installed(book, tmp_path, monkeypatch):
    other = tmp_path / "other" / "kernels" / "python3"
    other.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "x", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "other"))
    change(book, "import sys\nprint(sys.executable)")
    target = book.build / "x.ipynb"
    execute.execute(book, book.chapters()[1], target)
    assert notebooks.read(target).cells[2].outputs[0].text.strip() == sys.executable


def test_refresh_stores_outputs_and_only_them(book):
    paths = [book.root / chapter for chapter in book.chapters()]
    sources = [[cell.source for cell in notebooks.read(path).cells] for path in paths]
    refresh(book, [])
    assert [[cell.source for cell in notebooks.read(path).cells] for path in paths] == sources
    assert all(problems(notebooks.read(path)) == [] for path in paths)
    assert notebooks.read(paths[0]).cells[2].outputs[0].text == "hello\n"
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]
    refresh(book, ["one", "2"])
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths] == before


@pytest.mark.slow
def test_killed_refresh_leaves_every_notebook_whole(book):
    change(book, "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)")
    paths = [book.root / chapter for chapter in book.chapters()]
    before = paths[1].read_bytes()
    code = (
        "import sys; from pathlib import Path; from bnlib.book.layout import Book; "
        "from bnlib.book.refresh import refresh; refresh(Book(Path(sys.argv[1])), [])"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code, str(book.root)], cwd=ROOT, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 60
        while not (book.root / "chapters" / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert paths[1].read_bytes() == before
    assert all(notebooks.read(path).cells for path in paths)
    assert sorted(path.name for path in (book.root / "chapters").glob("*.ipynb")) == [
        "01_one.ipynb",
        "02_two.ipynb",
    ]
    change(book, "print('again')")
    refresh(book, [])
    assert notebooks.read(paths[1]).cells[2].outputs[0].text == "again\n"


def test_a_notebook_that_is_none(book):
    path = change(book, "1")
    path.write_text("{")
    with pytest.raises(BookError, match="cannot be read as a notebook"):
        notebooks.read(path)


def test_parts_without_outputs_do_not_change_the_source_digest(book, clean_chapter):
    path = book.root / book.chapters()[0]
    before = notebooks.source_digest(path)
    refresh(book, ["one"])
    assert notebooks.source_digest(path) == before
    notebook = notebooks.read(path)
    notebook.cells.append(new_code_cell("1", id="more"))
    nbformat.write(notebook, path)
    assert notebooks.source_digest(path) != before
