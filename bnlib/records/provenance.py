"""Provenance: where, when and with what a run was made."""

import functools
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bnlib.paths import HOUSE

PACKAGES = ("torch", "torchvision", "numpy")


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
