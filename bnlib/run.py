"""Run: what a recipe gave. Provenance: where, when and with what it was made."""

import functools
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from bnlib.recipe import Recipe, Timing

HOUSE = Path(__file__).resolve().parents[1]
PACKAGES = ("torch", "torchvision", "numpy")


@dataclass(frozen=True)
class Run:
    """History (one list a column), final summary, the probes' arrays, and provenance."""

    recipe: Recipe | Timing
    history: dict[str, list[float | None]]
    summary: dict[str, Any]
    provenance: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def __repr__(self) -> str:
        if "test_acc" not in self.summary:
            return f"Run({self.recipe.id}, timing)"
        state = "diverged" if self.summary["diverged"] else f"test {self.summary['test_acc']:.2%}"
        return f"Run({self.recipe.id}, {state})"


@functools.cache
def code_version() -> dict[str, Any]:
    """The commit of the code and whether ``bnlib`` differs from it; asked once a process."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=HOUSE, capture_output=True, text=True)
        except OSError:  # no git here
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # An untracked file counts for nothing unless a tracked one, then changed, imports it.
    changes = git("status", "--porcelain", "--untracked-files=no", "--", "bnlib")
    return {"commit": git("rev-parse", "HEAD"), "dirty": None if changes is None else bool(changes)}


def provenance(**found: Any) -> dict[str, Any]:
    """What every record says of its making, and what the caller found."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return {"made": when, "versions": versions, "platform": platform.platform(), **found}


def device_name(kind: str) -> str:
    """The processor or GPU in words."""
    if kind == "cuda":
        import torch

        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
