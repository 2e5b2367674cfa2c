"""The page that documents the code: generated, so that no module is left out of it."""

import importlib
import pkgutil

import bnlib

INTRO = """# The code

The chapters import one small package, `bnlib`. Each of its rooms has one subject; what is shown
below a name is what its docstring says.
"""
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
    inside = [
        _module(found.name)
        for found in pkgutil.iter_modules(package.__path__, f"{name}.")
        if found.name.rpartition(".")[2] not in NOT_SHOWN
    ]
    says = " ".join((package.__doc__ or "").split())
    return "\n".join([f"## `{name}`\n\n{says}\n", *inside])


def _module(name: str) -> str:
    directive = f"```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```\n"
    return f"### `{name}`\n\n{directive}"
