"""What a committed chapter must be: executed, clean, and fit for the gate of its outputs.
`problems` lists what it is not."""

import re

import nbformat

from bnlib.book import gate

LONGEST_CELL = 25
READABLE_ID = re.compile(r"(?![0-9a-f]{8}$)[a-z][a-z0-9-]*")  # eight hex digits are random ones


def problems(notebook: nbformat.NotebookNode, parameters: bool = True) -> list[str]:
    """Each problem in a sentence that names the cell; an empty list for a clean notebook. A chapter
    takes ``parameters``, another page does not."""
    found = list(_of_notebook(notebook, int(parameters)))
    counts = []
    for number, cell in enumerate(notebook.cells, start=1):
        name = f"cell {number} ({cell.get('id', 'no id')})"
        found += [f"{name} {problem}" for problem in _of_cell(cell)]
        if cell.cell_type == "code" and cell.source.strip():
            found += [f"{name} {problem}" for problem in _of_code(cell)]
            counts.append(cell.execution_count)
    if None not in counts and counts != list(range(1, len(counts) + 1)):
        found.append("the cells were not executed once each, from top to bottom")
    return found


def _of_notebook(notebook, parameters):
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        found = f"{notebook.nbformat}.{notebook.nbformat_minor}"
        yield f"the format is {found}, not 4.5 or later"
    kernel = notebook.metadata.get("kernelspec", {}).get("name")
    if kernel != "python3":
        yield f"the kernel is {kernel!r}, not 'python3'"
    for key in sorted(set(notebook.metadata) - {"kernelspec", "language_info", "mystnb"}):
        yield f"the notebook carries the metadata {key!r}: run `make refresh`"
    ids = [cell.get("id") for cell in notebook.cells]
    for twice in sorted({name for name in ids if name and ids.count(name) > 1}):
        yield f"two cells have the id {twice!r}"
    tagged = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != parameters or any(cell.cell_type != "code" for cell in tagged):
        wanted = "one code cell" if parameters else "none"
        yield f"{len(tagged)} cells are tagged 'parameters', not {wanted}"
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "the first cell is not a title"


def _of_cell(cell):
    if not READABLE_ID.fullmatch(cell.get("id", "")):
        yield "has no readable id, such as 'fig-loss'"
    for key in ("papermill", "execution", "ExecuteTime", "collapsed", "scrolled"):
        if key in cell.metadata:
            yield f"carries the metadata {key!r}: run `make refresh`"
    if "injected-parameters" in cell.metadata.get("tags", []):
        yield "was put in by papermill -p"


def _of_code(cell):
    if cell.execution_count is None:
        yield "has not been executed"
    lines = len(cell.source.strip("\n").splitlines())
    if lines > LONGEST_CELL:
        yield f"has {lines} lines, more than {LONGEST_CELL}"
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"stores a traceback: {output.get('ename')}"
        if output.output_type == "stream" and output.name == "stderr":
            yield "stores output on stderr"
        data = output.get("data", {})
        if "image/svg+xml" in data:
            yield "stores an svg, which differs from one execution to the next"
        if re.search(r" at 0x[0-9a-f]{6,}", str(data.get("text/plain", ""))):
            yield "prints a memory address"
    yield from gate.of_cell(cell)
