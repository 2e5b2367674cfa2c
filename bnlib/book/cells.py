"""A chapter's cells tagged ``parameters`` and ``recipes``, read and run as plain Python.

They are files that a reader may edit: whatever is wrong with them is one line that names the place.
"""

import json
from pathlib import Path
from typing import Any

from bnlib.errors import BookError


def cells(path: Path) -> list[dict[str, Any]]:
    """The cells of the notebook at ``path``, each with its source as one text."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [
            cell | {"source": "".join(cell["source"]), "tags": cell["metadata"].get("tags", [])}
            for cell in found
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as wrong:
        reason = str(wrong).splitlines()[0] if str(wrong) else "it is empty"
        raise BookError(
            f"{path} cannot be read as a notebook ({type(wrong).__name__}: {reason}): "
            "take it from the repository again"
        ) from None


def sources(path: Path, *tags: str) -> list[str]:
    """The cells that carry one of the tags, as they stand in the file."""
    return [cell["source"] for cell in cells(path) if {*tags} & {*cell["tags"]}]


def defined(path: Path, tag: str, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the cells with a tag define, given the ``names`` that stand before them."""
    names = dict(names or {})
    for source in sources(path, tag):
        where = f"{path.name}:{tag}"
        try:
            exec(compile(source, where, "exec"), names)
        except BookError:
            raise
        except Exception as wrong:  # whatever a cell may do
            line = getattr(wrong, "lineno", None) or _line(wrong, where)
            said = str(wrong).splitlines()[0] if str(wrong) else ""
            raise BookError(
                f"{path}, cell tagged {tag!r}, line {line}: {type(wrong).__name__}: {said}"
            ) from None
    return names


def _line(wrong: Exception, where: str) -> int:
    """The last line of the cell that the exception went through."""
    line, trace = 0, wrong.__traceback__
    while trace:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == where else line
        trace = trace.tb_next
    return line
