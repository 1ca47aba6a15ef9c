"""Connections to the SQLite store's file, and its errors in one line."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ewms.core.errors import InputError, StoreError, StoreFull

_BUSY_SECONDS = 10.0


def connect(path: Path) -> sqlite3.Connection:
    """A connection that any one thread at a time may use; the file is made, for its owner alone, if there is none.

    Every commit is synced to disk. Another process may write too: this one waits for it up to 10 s.
    """
    with contextlib.suppress(FileExistsError):
        # Never opened where it exists: closing any descriptor of it would drop the locks of this process's connections.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA wal_autocheckpoint = 4000")
    except sqlite3.Error:
        database.close()
        raise
    return database


def copy(source: Path, target: Path) -> None:
    """Copy a database that others may be writing, as it is at one moment, into a new file for its owner alone."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as opened,
        closing(sqlite3.connect(target)) as made,
    ):
        opened.backup(made)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors, and the file system's, into `StoreError` or `StoreFull` that name the file.

    A key or version that SQLite cannot take is an `InputError`.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise StoreFull(f"the disk of {path} is full; free some space") from error
        raise StoreError(f"the store {path} cannot be used: {error}; see that the disk is sound and writable") from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise InputError("a key must be Unicode, and a version a number of 64 bits") from error
    except sqlite3.Error as error:
        raise StoreError(f"{path} is not a sound store: {error}; restore it from a backup") from error
    except OSError as error:
        raise StoreError(f"the store {path} cannot be used: {error.strerror}; name a file in a writable folder") from error
