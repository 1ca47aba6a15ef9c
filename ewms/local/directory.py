"""The folder of one workflow: what users read on top, what ewms needs below `.ewms`."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from ewms.core.errors import InputError, RunLocked, StoreError


class RunDirectory:
    """Paths inside a run directory, and the lock that keeps a second driver out.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.private = path / ".ewms"
        self.journal = self.private / "journal.sqlite"
        self.broker = self.private / "broker"
        self.broker_url = self.private / "broker.url"
        self.pilots = self.private / "pilots"
        self.blobs = self.private / "blobs"
        self.context = self.private / "context"
        self.scratch = self.private / "scratch"
        self.product = path / "product"
        self.partial = path / "partial"
        self.summary = path / "summary.json"
        self.dead_letters = path / "dead_letters.jsonl"
        self._lock: int | None = None

    @property
    def holds_workflow(self) -> bool:
        """Whether there is a workflow in it already."""
        return self.journal.exists()

    def create(self) -> Self:
        """Make the folders; `InputError` in one line where that is not possible."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.private.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError as error:
            raise InputError(f"{self.path} is a file; choose another --out") from error
        except OSError as error:
            raise InputError(f"folder {self.path} cannot be made: {error.strerror}; choose another --out") from error
        return self

    def require_workflow(self) -> Self:
        """Return itself, or raise `StoreError` if nothing was ever run here."""
        if not self.holds_workflow:
            raise StoreError(f"{self.path} holds no workflow; `ewms run` makes one")
        return self

    def lock(self) -> None:
        """Keep every other driver out until `unlock` or the end of this process; `RunLocked` if one is in already."""
        try:
            descriptor = os.open(self.private / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(f"folder {self.path} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise RunLocked(f"another driver is working in {self.path}; wait for it, or stop it") from error
        self._lock = descriptor

    @property
    def is_driven(self) -> bool:
        """Whether a driver is at work here, as seen by another process."""
        try:
            self.lock()
        except RunLocked:
            return True
        self.unlock()
        return False

    def unlock(self) -> None:
        """Let others in. Idempotent."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write_private(self, path: Path, text: str) -> None:
        """Write a file that only its owner may read."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
