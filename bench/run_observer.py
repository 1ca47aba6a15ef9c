"""Watches a running `ewms run` from outside, by what it has made durable: its journal."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path

from bench.child import BenchError
from ewms.core.errors import StoreError
from ewms.local.directory import RunDirectory
from ewms.stores.sqlite import SqliteJournal


class RunObserver:
    """Looks at the committed number of accepted events, at most every `interval` seconds: that is the resolution.

    Parameters
    ----------
    folder
        The run directory.
    process
        The driver; its early end ends the waiting.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[str], *, interval: float = 0.005) -> None:
        self._path = RunDirectory(folder).journal
        self._process = process
        self._interval = interval
        self._journal: SqliteJournal | None = None

    def wait_for(self, accepted: int) -> float:
        """When that many events were seen accepted, on the monotonic clock; `BenchError` if the driver ends before."""
        while True:
            running = self._process.poll() is None
            seen = self._accepted()
            now = time.monotonic()
            if seen >= accepted:
                return now
            if not running:
                raise BenchError(f"the driver ended with {seen} of {accepted} events accepted")
            time.sleep(self._interval)

    def close(self) -> None:
        """Let go of the journal."""
        if self._journal is not None:
            self._journal.close()

    def _accepted(self) -> int:
        if self._journal is None:
            with contextlib.suppress(StoreError):  # it is not there yet, or has no tables yet
                self._journal = SqliteJournal(self._path, writer=False)
        if self._journal is None:
            return 0
        accepted: int = self._journal.value("counters", {}).get("accepted", 0)
        return accepted
