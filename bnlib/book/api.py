"""The page that documents the code: generated, so that no module is left out of it.

What measures is documented name by name, with its source. Of the room that lays out the pages each
module has one line: nobody calls it from elsewhere, and its reference would be two fifths of the
page.
"""

import importlib
import inspect
import pkgutil

import bnlib

INTRO = """# The code

The chapters import one small package, `bnlib`. Each of its rooms has one subject; what is shown
below a name is what its docstring says.
"""
IN_A_LINE = {"bnlib.book"}
NOT_SHOWN = {"__main__", "worker", "papermill_errors"}  # started, or loaded by papermill alone


def page() -> str:
    """api.md: the modules on the top floor, then each room's."""
    top, rooms = [], []
    for found in pkgutil.iter_modules(bnlib.__path__, "bnlib."):
        if found.ispkg:
            rooms.append(_room(found.name))
        elif found.name.rpartition(".")[2] not in NOT_SHOWN:
            top.append(_module(found.name))
    return "\n".join([INTRO, "## `bnlib`\n", *top, *rooms]).rstrip() + "\n"


def _room(name: str) -> str:
    package = importlib.import_module(name)
    shown = _line if name in IN_A_LINE else _module
    inside = [
        shown(found.name)
        for found in pkgutil.iter_modules(package.__path__, f"{name}.")
        if found.name.rpartition(".")[2] not in NOT_SHOWN
    ]
    says = inspect.cleandoc(package.__doc__ or "")
    return "\n".join([f"## `{name}`\n\n{says}\n", *inside, ""])


def _line(name: str) -> str:
    says = " ".join((importlib.import_module(name).__doc__ or "").split())
    return f"- `{name.rpartition('.')[2]}`: {says.partition('. ')[0].rstrip('.')}."


def _module(name: str) -> str:
    directive = f"```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```\n"
    return f"### `{name}`\n\n{directive}"
