"""Writing a file so that a kill or a full disk leaves the old one or the new one, whole."""

import os
import tempfile
from pathlib import Path

from bnlib.errors import BookError


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
