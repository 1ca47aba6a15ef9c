"""The unfinished events that a driver holds in memory, within bounds."""

from __future__ import annotations

from collections.abc import Sequence

from ewms.wms.tracked import Tracked


class Memory:
    """By task and id; what is planned beyond its bounds stays in the journal.

    Parameters
    ----------
    tasks
        How many tasks there are.
    window
        Events above which there is no room.
    max_bytes
        Bytes of their bodies above which there is none.
    """

    def __init__(self, tasks: int, window: int, max_bytes: int) -> None:
        self.tables: list[dict[str, Tracked]] = [{} for _ in range(tasks)]
        """For each task its events by id."""
        self._window = window
        self.max_bytes = max_bytes
        self._bytes = 0
        self._events = 0

    @property
    def room(self) -> int:
        """How many events there is room for."""
        return self._window - self._events if self._bytes < self.max_bytes else 0

    def add(self, tracked: Tracked) -> None:
        """Hold an event."""
        event = tracked.event
        self.tables[event.task][event.id] = tracked
        self._events += 1
        self._bytes += len(event.data)

    def remove(self, task: int, gone: Sequence[Tracked]) -> None:
        """Hold some events of a task no longer."""
        table = self.tables[task]
        for tracked in gone:
            event = tracked.event
            del table[event.id]
            self._bytes -= len(event.data)
        self._events -= len(gone)
