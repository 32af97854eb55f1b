"""Write a file so that a reader, or a crash, never meets half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(target: Path, content: bytes) -> None:
    """Make `target` hold `content`, or leave it as it was; missing parent folders are made.

    Raises `OSError` when the folder or the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, since a rename is atomic within one file system only.
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as partial:
            partial.write(content)
            partial.flush()
            os.fsync(partial.fileno())
        # A temporary file is private; what replaces an ordinary file should be as readable as one.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
