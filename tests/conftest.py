"""What several test files share; and their order, which is drawn anew each time."""

import os
import random
import shutil
import sys
import zlib

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bnlib.book.layout import Book

PNG = (  # one transparent pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


PATIENCE = 120_000  # ms, for a busy machine
LONGEST = "test_smoke"  # begins first, so that no process waits for it at the end
SEED = "BNLIB_TEST_SEED"  # set it to repeat an order


def pytest_configure():
    os.environ.setdefault(SEED, str(random.randrange(10**6)))  # the processes of -n share it


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"order of the tests: {SEED}={os.environ[SEED]}")


@pytest.hookimpl(tryfirst=True)  # pytest then brings together what shares a fixture
def pytest_collection_modifyitems(items):
    """Modules in random order, and the tests of each: a module's fixtures are made once."""
    rng = random.Random(os.environ[SEED])
    place = {path: rng.random() for path in sorted({item.path for item in items})}
    place |= {path: -1.0 for path in place if path.stem == LONGEST}
    rng.shuffle(items)
    items.sort(key=lambda item: place[item.path])


@pytest.fixture(autouse=True)
def own_random_numbers(request):
    """Each test draws the same numbers in any order, and when it is run alone."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import Error, sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    found = found or next(filter(None, map(shutil.which, ("google-chrome", "chrome"))), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-gpu"], timeout=PATIENCE
            )
        except Error as error:
            if os.environ.get("REQUIRE_BROWSER") == "1":
                raise
            pytest.skip(f"no Chromium to be started: {str(error).splitlines()[0]}")
        yield chromium
        chromium.close()


@pytest.fixture
def clean_chapter() -> nbformat.NotebookNode:
    """A made-up chapter in which everything is as it should be."""
    figure = {
        "figure": {"caption": "A dot for each of two seeds.", "name": "fig-dot"},
        "image": {"alt": "one dot"},
    }
    cells = [
        new_markdown_cell("# A made-up chapter", id="question"),
        new_code_cell(
            'word: str = "hello"  # what to say',
            id="parameters",
            metadata={"tags": ["parameters"]},
            execution_count=1,
        ),
        new_code_cell(
            "print(word)",
            id="setup",
            execution_count=2,
            outputs=[new_output("stream", name="stdout", text="hello\n")],
        ),
        new_code_cell(
            "draw()",
            id="fig-dot",
            metadata={"mystnb": figure},
            execution_count=3,
            outputs=[new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure>"})],
        ),
    ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


@pytest.fixture
def book(tmp_path, clean_chapter) -> Book:
    """Two unexecuted chapters and a title page."""
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: intro\nchapters:\n"
        "  - file: chapters/01_one\n  - file: chapters/02_two\n"
    )
    (tmp_path / "_config.yml").write_text(
        'title: Tiny\nonly_build_toc_files: true\nexecute:\n  execute_notebooks: "off"\n'
    )
    (tmp_path / "intro.md").write_text("# Tiny\n")
    clean_chapter.cells[3:] = []
    clean_chapter.cells[2].outputs = []
    (tmp_path / "chapters").mkdir()
    for name in ("01_one", "02_two"):
        nbformat.write(clean_chapter, tmp_path / "chapters" / f"{name}.ipynb")
    return Book(tmp_path)
