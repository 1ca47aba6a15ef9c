"""Files that hold one secret, for their owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ewms.core.errors import InputError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAX_BYTES = 1 << 20


def read_secret_file(path: Path) -> str:
    """The secret, without the spaces around it.

    Raises `InputError` where it cannot be read, where others than its owner may do so too, or where there is nothing in it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MAX_BYTES)
    except OSError as error:
        raise InputError(f"the secret in {path} cannot be read: {error.strerror}") from error
    if stat.S_ISREG(mode) and mode & _OTHERS:
        raise InputError(
            f"the secret in {path} is open to others (mode {stat.S_IMODE(mode):o}); chmod 600 it, and change it"
        )
    try:
        secret = content.decode().strip()
    except UnicodeDecodeError:
        raise InputError(f"the secret in {path} is not a text; write it anew") from None
    if not secret:
        raise InputError(f"the secret in {path} is empty; write it, or name another file")
    return secret


def write_secret_file(path: Path, secret: str) -> None:
    """Write it, for its owner alone, in place of what was there: whoever reads sees the old or the new one."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
