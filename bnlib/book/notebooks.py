"""Reading notebooks and writing them so that the same content is always the same bytes."""

import hashlib
import json
from pathlib import Path

import nbformat

from bnlib.errors import BookError
from bnlib.paths import write_whole

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LEFT_BY_TOOLS = ("papermill", "execution", "ExecuteTime")


def read(path: Path) -> nbformat.NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, AttributeError, nbformat.validator.ValidationError) as error:
        first = str(error).splitlines()[0]  # an AttributeError, where it is no table at all
        raise BookError(f"{path} cannot be read as a notebook: {first}") from None


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop, in place, what differs from one execution to the next without being a result."""
    kept = {k: v for k, v in notebook.metadata.items() if k not in LEFT_BY_TOOLS}
    kept |= {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook.metadata = nbformat.from_dict(kept)
    for cell in notebook.cells:
        for key in LEFT_BY_TOOLS:
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags", True):  # papermill gives every cell an empty list
            del cell.metadata["tags"]
        if cell.cell_type == "code":
            cell.outputs = _merged(cell.outputs)
    return notebook


def _merged(outputs: list) -> list:
    """One output per stream: how a stream arrives in pieces depends on the clock."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        both_streams = last and last.output_type == output.output_type == "stream"
        if both_streams and last.name == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def write(notebook: nbformat.NotebookNode, path: Path) -> bool:
    """Write atomically; False where the file already holds just that."""
    nbformat.validate(notebook)
    content = (nbformat.writes(notebook).rstrip("\n") + "\n").encode()
    return write_bytes(content, path)


def write_bytes(content: bytes, path: Path) -> bool:
    if path.is_file() and path.read_bytes() == content:
        return False
    write_whole(path, content)
    return True


def source_digest(path: Path) -> str:
    """A hash of what a notebook says, not of what it once printed."""
    cells = [
        [cell.cell_type, cell.get("id"), cell.metadata, cell.source]
        for cell in clean(read(path)).cells
    ]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()
