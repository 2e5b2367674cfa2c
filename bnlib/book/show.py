"""One run's record on the terminal, found by its id or by the fields of its recipe."""

import ast
from collections.abc import Sequence
from typing import Any

from bnlib.errors import BookError
from bnlib.paths import RECORDED
from bnlib.recipe import Recipe, Timing
from bnlib.records.store import Store, read
from bnlib.run import Run

MOST = 40  # that are listed
HISTORY = 10  # columns of the history that are shown


def show(words: Sequence[str], store: Store | None = None) -> None:
    """Print the record that fits all ``words``, or a line for each of those that do: the beginning
    of an id, the name of a study, or field=value."""
    found = _matching(words, store or Store(RECORDED))
    if len(found) > 1:
        for study, run in found[:MOST]:
            print(f"{study:14} {run.recipe.id}  {_result(run):16} {_fields(run)}")
        if len(found) > MOST:
            print(f"… and {len(found) - MOST} more")
        return
    ((study, run),) = found
    print(f"{study}/{run.recipe.id}: {_result(run)}")
    for title, table in (
        (type(run.recipe).__name__, run.recipe.changed()),
        ("summary", run.summary),
        ("provenance", run.provenance),
        ("arrays", {name: array.shape for name, array in run.arrays.items()}),
        ("history", dict(list(run.history.items())[:HISTORY])),
    ):
        print(title)
        for name, value in table.items():
            print(f"  {name}: {_short(value)}")


def _matching(words: Sequence[str], store: Store) -> list[tuple[str, Run]]:
    studies = {path.parent.name for path in store.paths.values()}
    wanted, names = {}, []
    for word in words:
        field, equals, text = word.partition("=")
        if equals:
            if field not in {*Recipe.model_fields, *Timing.model_fields}:
                known = ", ".join(Recipe.model_fields)
                raise BookError(f"no recipe has a field {field!r}; known: {known}")
            wanted[field] = _value(text)
        else:
            names.append(word)
    ids = [name for name in names if name not in studies]
    found = [
        (path.parent.name, name)
        for name, path in store.paths.items()
        if all(path.parent.name == study for study in names if study in studies)
        and all(name.startswith(start) for start in ids)
    ]
    runs = [(study, read(store.paths[name])) for study, name in found]
    runs = [(study, run) for study, run in runs if _fits(run.recipe, wanted)]
    if not runs:
        raise BookError(
            f"no record fits {' '.join(words)!r}: give the beginning of an id, a study "
            f"({', '.join(sorted(studies))}) or field=value"
        )
    return runs


def _fits(recipe: Recipe | Timing, wanted: dict[str, Any]) -> bool:
    return all(getattr(recipe, name, None) == value for name, value in wanted.items())


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _result(run: Run) -> str:
    if "test_acc" not in run.summary:
        return "timing"
    return "diverged" if run.summary["diverged"] else f"test {run.summary['test_acc']:.2%}"


def _fields(run: Run) -> str:
    return " ".join(f"{name}={value}" for name, value in run.recipe.changed().items())


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > 6:
        return f"[{', '.join(map(_short, value[:3]))}, … {_short(value[-1])}] ({len(value)})"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
