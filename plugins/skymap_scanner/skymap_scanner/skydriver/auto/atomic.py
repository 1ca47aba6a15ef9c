"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file in place of what was there: whoever reads sees the old or the new one, also after a loss of power.

    Raises
    ------
    OSError
        It cannot be written; what was there is as it was.
    """
    number, draft = tempfile.mkstemp(prefix=".", suffix=".draft", dir=path.parent)
    try:
        with open(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(number)
            os.fchmod(number, 0o644)
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
