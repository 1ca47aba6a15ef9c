"""Which event a worker is at, and since when, in memory that it shares with the pilot."""

from __future__ import annotations

import mmap
import os
from typing import NamedTuple

POSITION, STARTED, COUNT = range(3)
"""Cells: position in the job of the event (-1 while there is none), its start in nanoseconds, events worked on together."""
IDLE = -1
_SIZE = 3 * 8


class Place(NamedTuple):
    """Where a worker is, or was when it died."""

    position: int
    """Of the event in its job; `IDLE` while the consumer is loaded."""
    started: float
    """On the clock of `time.monotonic`, in seconds."""
    together: int
    """How many events are worked on as one batch, from that one on."""


class Progress:
    """Written by the worker before every event, so a write is three stores; read by the pilot when a deadline may be over.

    Each cell is written whole. The pilot trusts all three together only when the worker is dead.
    """

    def __init__(self, descriptor: int) -> None:
        self.cells = memoryview(mmap.mmap(descriptor, _SIZE)).cast("q")

    def reset(self) -> None:
        """No event is worked on."""
        self.cells[POSITION] = IDLE

    def read(self) -> Place:
        """The present place."""
        return Place(self.cells[POSITION], self.cells[STARTED] / 1e9, self.cells[COUNT])

    def started(self) -> float | None:
        """When the present event began; None while there is none."""
        started = self.cells[STARTED] / 1e9  # read first: an old start with a new position would look like a long task
        return started if self.cells[POSITION] != IDLE else None


def shared_memory() -> int:
    """A descriptor of fresh memory for a `Progress` on both sides; the caller closes it."""
    descriptor = os.memfd_create("ewms-progress")
    os.ftruncate(descriptor, _SIZE)
    return descriptor
