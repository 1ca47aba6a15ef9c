"""Pulls a lazy source in a thread of its own, so that a slow producer delays nothing but itself."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from ewms.wms.ledger import Ledger
from ewms.wms.routing import NewEvent

_AHEAD_EVENTS = 4096
_AHEAD_BYTES = 4 << 20


class Feed(ABC):
    """Where a driver's first events come from."""

    @abstractmethod
    def start(self) -> None:
        """Begin to get events."""

    @abstractmethod
    def take(self) -> tuple[list[NewEvent], bool] | None:
        """The next events and whether they were the last, or None if there are none yet; raises what getting them raised."""

    def restore(self, ledger: Ledger) -> None:  # noqa: B027  most have nothing to remember
        """Take up what a former driver had the journal remember; in the ledger's thread, before the start."""

    def remember(self, ledger: Ledger) -> None:  # noqa: B027
        """Have the ledger write what a later driver must know; in the ledger's thread, before a commit."""

    def committed(self) -> None:  # noqa: B027  most have nobody to tell
        """All that was taken is in the journal."""

    @abstractmethod
    def finish(self) -> None:
        """Get no more events from now on."""

    @abstractmethod
    async def close(self) -> None:
        """Get nothing more at all."""


MakeFeed = Callable[[Iterator[NewEvent], Callable[[], object]], Feed]
"""A feed of a source, given what to call from any thread when there is something to take."""


class SourceFeed(Feed):
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
        # Both threads use the list without a lock: appending, copying and deleting a part are one step each.
        self._events: list[NewEvent] = []
        self._bytes_put = 0
        self._bytes_taken = 0
        self._done = False
        self._error: BaseException | None = None
        self._condition = threading.Condition()
        self._stopped = False
        self._finished = False
        self._thread = threading.Thread(target=self._run, name="ewms-source", daemon=True)

    def start(self) -> None:
        """Begin pulling."""
        self._thread.start()

    def take(self) -> tuple[list[NewEvent], bool] | None:
        """The next events and whether they were the last, or None if there are none yet; raises what the source raised."""
        if self._finished:
            return [], True
        is_done = self._done  # looked at before the events: none comes after it is set
        self._bytes_taken = self._bytes_put
        events = self._events[:]
        del self._events[: len(events)]
        if self._events:
            self._wake()  # these came meanwhile, and were not the first
        with self._condition:
            self._condition.notify()
        if events:  # an error is raised by the next call, so that what came before it is kept
            return events, is_done and self._error is None
        if not is_done:
            return None
        if self._error is not None:
            raise self._error
        return [], True

    def finish(self) -> None:
        """See `Feed.finish`: what was read ahead is dropped."""
        self._finished = True
        self._wake()

    async def close(self) -> None:
        """See `Feed.close`."""
        self.stop()

    def stop(self) -> None:
        """Pull no more. A source that blocks is abandoned; its thread ends with the process."""
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def _run(self) -> None:
        events = self._events
        try:
            for event in self._source:
                self._bytes_put += len(event.data)
                events.append(event)
                if len(events) == 1:
                    self._wake()
                is_full = len(events) >= _AHEAD_EVENTS or self._bytes_put - self._bytes_taken >= _AHEAD_BYTES
                if self._stopped or (is_full and not self._goes_on()):
                    return
        except BaseException as raised:  # noqa: BLE001  handed to the driver, which raises it
            self._error = raised
        self._done = True
        self._wake()

    def _goes_on(self) -> bool:
        """Whether to go on, once what is there was taken."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopped or not self._events)
        return not self._stopped
