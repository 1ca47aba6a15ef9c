"""Measures what tasks cost in the process that they run in."""

from __future__ import annotations

import contextlib
import os
import resource

from ewms.core.cost import Cost

COSTLY_NS = 5_000_000
"""Nanoseconds below which the memory is not looked at again: that takes 30 microseconds."""


class Meter:
    """Tells the cost of what ran since the last reading."""

    def __init__(self) -> None:
        self._cpu = _cpu_seconds()
        self._looked = 0
        # Where either is forbidden, the peak stays unknown, or that of the process's whole life.
        self._status = _opened("/proc/self/status", os.O_RDONLY)
        self._reset = _opened("/proc/self/clear_refs", os.O_WRONLY)

    def read(self, now: int, *, surely: bool = False) -> Cost:
        """What came since the last reading; the peak is left to the next one where that was just now.

        Parameters
        ----------
        now
            Nanoseconds on the monotonic clock.
        surely
            With the peak in any case.
        """
        before, self._cpu = self._cpu, _cpu_seconds()
        if now - self._looked < COSTLY_NS and not surely:
            return Cost(self._cpu - before)
        self._looked = now
        return Cost(self._cpu - before, self._peak())

    def _peak(self) -> int:
        if self._status is None:
            return 0
        text = os.pread(self._status, 4096, 0)
        _, _, rest = text.partition(b"VmHWM:")
        with contextlib.suppress(OSError):
            if self._reset is not None:
                os.pwrite(self._reset, b"5", 0)  # sets the peak back to what is resident now; see proc(5)
        return int(rest.split(maxsplit=1)[0]) * 1024 if rest else 0


def _cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _opened(path: str, flags: int) -> int | None:
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError:
        return None
