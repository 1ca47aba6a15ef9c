"""The folder of a TMS's cluster: what it keeps on disk, and where."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ewms.core.errors import InputError
from ewms.secret_file import write_secret_file

CONFIG = "pilot.json"
"""A taskforce's configuration for its pilots; holds credentials, so it is never archived."""

EVENT_LOG = ".tms.jel"
"""Suffix of event logs; EWMS's."""
READ_STATE = ".state"
"""Suffix of the file beside an event log that tells how far it was read."""


class ClusterFolder:
    """Made if it is not there, for its owner only, because configurations of pilots hold credentials.

    Parameters
    ----------
    path
        The cluster's alone; `InputError` if it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.events = self.path / "events"
        """Event logs."""
        self.taskforces = self.path / "taskforces"
        """One folder per taskforce: configuration, stdout and stderr of its pilots."""
        self.uploads = self.path / "uploads"
        """One folder per workflow: its uploads that pilots need."""
        self._lock = -1
        try:
            for folder in (self.path, self.events, self.taskforces, self.uploads):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"the TMS cannot keep its state in {self.path}: {error.strerror} ({error.filename})") from error

    def taskforce(self, uuid: str) -> Path:
        """The folder of a taskforce."""
        return self.taskforces / _safe(uuid)

    def event_log(self, uuid: str) -> Path:
        """The event log of a taskforce."""
        return self.events / (_safe(uuid) + EVENT_LOG)

    def uploads_of(self, workflow_id: str) -> Path:
        """The folder of a workflow's uploads."""
        return self.uploads / _safe(workflow_id)

    def lock(self) -> None:
        """Keep every other TMS out for as long as this process lives; `InputError` if one is at work here.

        Two of them would submit each taskforce twice.
        """
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.unlock()
            raise InputError(f"another TMS works in {self.path}; stop it, or give this one a folder of its own") from None

    def unlock(self) -> None:
        """Let others in."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def write_private(path: Path, content: bytes) -> None:
    """Replace a text file as a whole by one for the owner only; its folder is made if need be."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret_file(path, content.decode())


def _safe(name: str) -> str:
    """The name itself; `InputError` if it would lead out of its folder."""
    if not name or name != Path(name).name or name in {".", ".."}:
        raise InputError(f"{name!r} cannot be the name of a folder; the service sent a wrong id")
    return name
