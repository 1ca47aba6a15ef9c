"""Limits of time and memory on a process, and its death when it breaks one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ewms.core.cost import show_bytes
from ewms.pilot import processes
from ewms.pilot.child import Child

MEMORY_INTERVAL = 0.06
"""Seconds between two looks at the memory of a task that has a limit."""


class Watchdog:
    """Looks after one child while a task runs in it; costs nothing for a task without limits.

    Parameters
    ----------
    started
        Tells when the present event began, in seconds of `time.monotonic`; None while none is worked on.
    """

    def __init__(self, child: Child, timeout: float | None, memory: int | None, started: Callable[[], float | None]) -> None:
        self._child = child
        self.timeout = timeout
        """Seconds that one event may take."""
        self._memory = memory
        self._started = started
        self._timer: asyncio.TimerHandle | None = None
        self.verdict: str | None = None
        """Why it killed the child, in one line."""
        self.kind = ""
        """`timeout` or `memory`, where there is a verdict."""

    def start(self) -> None:
        """Begin; `stop` must follow."""
        if self.timeout is not None or self._memory is not None:
            self._wait(self.timeout)

    def stop(self) -> None:
        """Look no more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self, until_late: float | None) -> None:
        waits = [until_late, MEMORY_INTERVAL if self._memory is not None else None]
        self._timer = asyncio.get_running_loop().call_later(min(wait for wait in waits if wait is not None), self._look)

    def _look(self) -> None:
        late = self._seconds_left()
        if late is not None and late <= 0:
            self._kill("timeout", f"timed out after {self.timeout:g} s")
            return
        used = processes.memory_above(self._child.pid, self._memory) if self._memory is not None else None
        if used is not None and self._memory is not None:
            self._kill("memory", f"killed at {show_bytes(used)} of {show_bytes(self._memory)}")
            return
        self._wait(late)

    def _seconds_left(self) -> float | None:
        if self.timeout is None:
            return None
        started = self._started()
        return self.timeout if started is None else started + self.timeout - time.monotonic()

    def _kill(self, kind: str, verdict: str) -> None:
        self.kind, self.verdict = kind, verdict
        self._child.kill()
