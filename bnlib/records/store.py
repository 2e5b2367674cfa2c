"""The store of finished runs: one JSON file a run, and an npz beside it where there are arrays.

A record is written to a temporary file, flushed to the disk and renamed, so a kill at any moment
leaves whole records only. It carries checksums; one that was damaged or edited is named, not used.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bnlib.errors import BookError
from bnlib.paths import HOUSE, write_whole
from bnlib.recipe import PROTOCOLS, DeepLinear, Recipe, Timing
from bnlib.run import Run

FIRST = min(PROTOCOLS)  # a record that names no protocol is of the first
KINDS = {kind.__name__: kind for kind in (Recipe, DeepLinear, Timing)}


class Store:
    """Records under ``root``/<study>/<id>.json; a recipe is found whatever study it was run for."""

    def __init__(self, root: Path):
        self.root = root
        self.paths = {path.stem: path for path in sorted(root.glob("*/*.json"))}

    def path_of(self, recipe: Recipe) -> Path | None:
        """Its record, made under the newest protocol there is one of."""
        return next((self.paths[name] for name in recipe.ids if name in self.paths), None)

    def __contains__(self, recipe: Recipe) -> bool:
        return self.path_of(recipe) is not None

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Run]:
        return (read(path) for path in self.paths.values())

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r}, {len(self)} records)"

    def find(self, recipe: Recipe) -> Run:
        """The run of ``recipe``, which is there, read back from the disk."""
        path = self.path_of(recipe)
        run = read(path)
        if run.recipe != recipe:
            raise _damaged(path, "its recipe is not the one of its name")
        return run

    def write(self, study: str, run: Run) -> Path:
        """Keep ``run``; when this returns it is on the disk, whole."""
        name = _id(run)
        path = self.root / study / f"{name}.json"
        content = {
            "recipe": run.recipe.changed(),
            "history": run.history,
            "summary": run.summary,
            "provenance": run.provenance,
        }
        if type(run.recipe) is not Recipe:
            content["kind"] = type(run.recipe).__name__
        content = {  # but for the recipe: rounded, it would be another
            key: value if key == "recipe" else _rounded(value) for key, value in content.items()
        }
        if run.arrays:
            packed = io.BytesIO()
            np.savez_compressed(packed, **run.arrays)
            content["arrays"] = hashlib.sha256(packed.getvalue()).hexdigest()
            write_whole(path.with_suffix(".npz"), packed.getvalue())
        content["checksum"] = _checksum(content)
        write_whole(path, (json.dumps(content, sort_keys=True, indent=1) + "\n").encode())
        self.paths[name] = path
        return path


def read(path: Path) -> Run:
    """The record at ``path``, checked."""
    try:
        content = json.loads(path.read_bytes())
        checksum = content.pop("checksum")
        kind = KINDS[content.get("kind", "Recipe")]
        recipe = kind.restore(content["recipe"])
        run = Run(recipe, content["history"], content["summary"], content["provenance"])
    except (ValueError, KeyError, TypeError, AttributeError, OSError, BookError) as reason:
        raise _damaged(path, f"{type(reason).__name__}: {reason}") from None
    if checksum != _checksum(content):
        raise _damaged(path, "its checksum is wrong")
    if path.stem != (own := _id(run)):
        raise _damaged(path, f"its recipe has the id {own}")
    if "arrays" in content:
        run.arrays.update(_arrays(path.with_suffix(".npz"), content["arrays"]))
    return run


def problems(store: Store) -> list[str]:
    """What is wrong in the store, a line for each damaged record, misplaced file or duplicate."""
    found, seen = [], {}
    for path in sorted(store.root.glob("*/*")):
        if path.suffix == ".json":
            try:
                read(path)
            except BookError as wrong:
                found.append(str(wrong))
            if path.stem in seen:
                found.append(f"{path} repeats {seen[path.stem]}: delete one")
            seen[path.stem] = path
        elif path.suffix == ".npz" and not path.with_suffix(".json").exists():
            found.append(f"{path} belongs to no record: delete it")
        elif path.suffix == ".part":
            found.append(f"{path} was left by a run that was killed: delete it")
    return found


def _arrays(path: Path, checksum: str) -> dict[str, np.ndarray]:
    try:
        packed = path.read_bytes()
    except OSError:
        raise _damaged(path, "it is missing") from None
    if hashlib.sha256(packed).hexdigest() != checksum:
        raise _damaged(path, "its checksum is wrong")
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return dict(arrays)


def _id(run: Run) -> str:
    """The id that its record has, by the protocol that it was made under."""
    return run.recipe.id_under(run.provenance.get("protocol", FIRST))


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _rounded(value: Any) -> Any:
    """Six significant digits are more than any figure here means, and make small files."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _damaged(path: Path, why: str) -> BookError:
    where = path.relative_to(HOUSE) if path.is_relative_to(HOUSE) else path
    return BookError(
        f"record {where} is damaged or was edited ({why}): "
        f"restore it with git, or delete it and record it again"
    )
