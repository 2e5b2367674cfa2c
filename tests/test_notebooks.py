"""The committed chapters are executed, clean and captioned; and the check finds it when not."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_output

from bnlib.book import notebooks
from bnlib.book.hygiene import problems
from bnlib.book.layout import Book

CHAPTERS = sorted((Book().root / "chapters").glob("*.ipynb"))
PAGES = sorted(Book().root.glob("*.ipynb"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_is_clean(path):
    assert problems(notebooks.read(path)) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page_is_clean_and_takes_no_parameters(path):
    assert problems(notebooks.read(path), parameters=False) == []


@pytest.mark.parametrize("path", [*CHAPTERS, *PAGES], ids=lambda path: path.stem)
def test_every_notebook_is_in_the_table_of_contents(path):
    assert path.relative_to(Book().root) in Book().notebooks()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_cell_knows_the_smoke_profile(path):
    """It is derived from the laptop's recipes."""
    code = [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code"]
    words = {word for source in code for word in re.findall(r"[\"'](\w+)[\"']", source)}
    assert "smoke" not in words


def test_a_clean_chapter_has_no_problems(clean_chapter):
    assert problems(clean_chapter) == []


def unexecuted(nb):
    nb.cells[2].execution_count = None


def out_of_order(nb):
    nb.cells[2].execution_count = 7


def traceback(nb):
    error = new_output("error", ename="ValueError", evalue="no", traceback=["no"])
    nb.cells[2].outputs.append(error)


def stderr(nb):
    nb.cells[2].outputs.append(new_output("stream", name="stderr", text="a warning"))


def svg(nb):
    nb.cells[3].outputs[0].data["image/svg+xml"] = "<svg/>"


def address(nb):
    nb.cells[2].outputs = [
        new_output("execute_result", data={"text/plain": "<Axes at 0x7f3e2c1b0d90>"})
    ]


def no_caption(nb):
    del nb.cells[3].metadata["mystnb"]["figure"]["caption"]


def empty_caption(nb):
    nb.cells[3].metadata["mystnb"]["figure"]["caption"] = "  "


def no_figure_name(nb):
    del nb.cells[3].metadata["mystnb"]["figure"]["name"]


def no_alt_text(nb):
    del nb.cells[3].metadata["mystnb"]["image"]


def papermill_cell(nb):
    nb.cells[2].metadata["papermill"] = {"start_time": "2020-01-01"}


def timestamps(nb):
    nb.cells[2].metadata["execution"] = {"iopub.execute_input": "2020-01-01"}


def papermill_notebook(nb):
    nb.metadata["papermill"] = {"version": "2.7.0"}


def injected(nb):
    nb.cells[2].metadata["tags"] = ["injected-parameters"]


def long_cell(nb):
    nb.cells[2].source = "\n".join(["pass"] * 26)


def no_parameters(nb):
    del nb.cells[1].metadata["tags"]


def two_parameters(nb):
    nb.cells[2].metadata["tags"] = ["parameters"]


def old_format(nb):
    nb.nbformat_minor = 4


def other_kernel(nb):
    nb.metadata["kernelspec"]["name"] = "my-venv"


def random_id(nb):
    nb.cells[2]["id"] = "fae01b2c"


def no_id(nb):
    del nb.cells[2]["id"]


def same_id(nb):
    nb.cells[2]["id"] = "fig-dot"


def no_title(nb):
    nb.cells.insert(0, new_code_cell("", id="first"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (unexecuted, "cell 3 (setup) has not been executed"),
        (out_of_order, "from top to bottom"),
        (traceback, "stores a traceback: ValueError"),
        (stderr, "stores output on stderr"),
        (svg, "stores an svg"),
        (address, "prints a memory address"),
        (no_caption, "cell 4 (fig-dot) shows a figure without caption"),
        (empty_caption, "figure without caption"),
        (no_figure_name, "figure without name"),
        (no_alt_text, "figure without alt text"),
        (papermill_cell, "carries the metadata 'papermill'"),
        (timestamps, "carries the metadata 'execution'"),
        (papermill_notebook, "the notebook carries the metadata 'papermill'"),
        (injected, "was put in by papermill -p"),
        (long_cell, "has 26 lines"),
        (no_parameters, "0 cells are tagged 'parameters'"),
        (two_parameters, "2 cells are tagged 'parameters'"),
        (old_format, "the format is 4.4"),
        (other_kernel, "the kernel is 'my-venv'"),
        (random_id, "has no readable id"),
        (no_id, "has no readable id"),
        (same_id, "two cells have the id 'fig-dot'"),
        (no_title, "the first cell is not a title"),
    ],
)
def test_each_problem_is_found_and_alone(clean_chapter, spoil, said):
    spoil(clean_chapter)
    (problem,) = problems(clean_chapter)
    assert said in problem


def test_a_page_takes_no_parameters(clean_chapter):
    (problem,) = problems(clean_chapter, parameters=False)
    assert "tagged 'parameters', not none" in problem
    no_parameters(clean_chapter)
    assert problems(clean_chapter, parameters=False) == []


def test_clean_removes_what_tools_leave_and_merges_streams(clean_chapter):
    for spoil in (papermill_cell, timestamps, papermill_notebook):
        spoil(clean_chapter)
    clean_chapter.cells[0].metadata["tags"] = []
    clean_chapter.cells[2].outputs.append(new_output("stream", name="stdout", text="again\n"))
    cleaned = notebooks.clean(clean_chapter)
    assert problems(cleaned) == []
    assert "tags" not in cleaned.cells[0].metadata
    assert [output.text for output in cleaned.cells[2].outputs] == ["hello\nagain\n"]
