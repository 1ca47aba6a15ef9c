"""Pulls a lazy source in a thread of its own, so that a slow producer delays nothing but itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from ewms.wms.routing import NewEvent

_AHEAD_EVENTS = 4096
_AHEAD_BYTES = 4 << 20


class SourceFeed:
    """So much ahead of the driver and no more: that is the back-pressure. What there is can be taken at any time.

    Parameters
    ----------
    source
        Encoded events; may block and may raise.
    wake
        Called from the thread when there is something to take where there was nothing.
    """

    def __init__(self, source: Iterator[NewEvent], wake: Callable[[], object]) -> None:
        self._source = source
        self._wake = wake
        self._events: list[NewEvent] = []
        self._bytes = 0
        self._done = False
        self._error: BaseException | None = None
        self._condition = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="ewms-source", daemon=True)

    def start(self) -> None:
        """Begin pulling."""
        self._thread.start()

    def take(self) -> tuple[list[NewEvent], bool] | None:
        """The next events and whether they were the last, or None if there are none yet; raises what the source raised."""
        with self._condition:
            events, self._events, self._bytes = self._events, [], 0
            self._condition.notify()
            if events:  # an error is raised by the next call, so that what came before it is kept
                return events, self._done and self._error is None
            if self._error is not None:
                raise self._error
            return ([], True) if self._done else None

    def stop(self) -> None:
        """Pull no more. A source that blocks is abandoned; its thread ends with the process."""
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def _run(self) -> None:
        try:
            for event in self._source:
                if not self._put(event):
                    return
        except BaseException as raised:  # noqa: BLE001  handed to the driver, which raises it
            self._error = raised
        with self._condition:
            self._done = True
        self._wake()

    def _put(self, event: NewEvent) -> bool:
        """Whether to go on."""
        with self._condition:
            self._events.append(event)
            self._bytes += len(event.data)
            is_first = len(self._events) == 1
        if is_first:
            self._wake()
        if len(self._events) >= _AHEAD_EVENTS or self._bytes >= _AHEAD_BYTES:
            with self._condition:
                self._condition.wait_for(lambda: self._stopped or not self._events)
        return not self._stopped
