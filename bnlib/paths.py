"""Where things lie, and how a file is written: a kill or a full disk leaves the old one or the new
one, whole."""

import os
import tempfile
from pathlib import Path

from bnlib.errors import BookError

HOUSE = Path(__file__).resolve().parents[1]
RAW = HOUSE / "data" / "raw"  # data sets, where torchvision downloads to
RECORDED = HOUSE / "data" / "records"  # committed: what the book shows
SCRATCH = HOUSE / "_build" / "records"  # smoke runs
FRESH = HOUSE / "_build" / "fresh"  # a reader's own repetition


def write_whole(path: Path, content: bytes) -> None:
    """All of ``content`` at ``path``, or an error and nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(part, 0o644)
            os.replace(part, path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as reason:
        raise BookError(
            f"cannot write {path} ({reason.strerror}): free some space or mend the rights, "
            f"then run again; what was recorded before is kept"
        ) from None
