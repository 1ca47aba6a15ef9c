"""Pulls a lazy source in a thread of its own, so that a slow producer delays nothing but itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from ewms.wms.routing import NewEvent

_CHUNK_EVENTS = 2048
_CHUNK_SECONDS = 0.05
_CHUNK_BYTES = 4 << 20


class SourceFeed:
    """One chunk ahead of the driver, never more: that is the back-pressure.

    Parameters
    ----------
    source
        Encoded events; may block and may raise.
    wake
        Called from the thread when there is something to take.
    """

    def __init__(self, source: Iterator[NewEvent], wake: Callable[[], object]) -> None:
        self._source = source
        self._wake = wake
        self._chunk: list[NewEvent] = []
        self._filled = False
        self._done = False
        self._error: BaseException | None = None
        self._condition = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="ewms-source", daemon=True)

    def start(self) -> None:
        """Begin pulling."""
        self._thread.start()

    def take(self) -> tuple[list[NewEvent], bool] | None:
        """The next chunk and whether it was the last, or None if none is ready; raises what the source raised."""
        with self._condition:
            if not self._filled:
                return None
            chunk, self._chunk, self._filled = self._chunk, [], False
            if not chunk and self._error is not None:
                raise self._error
            if self._error is not None:
                # What came before the error is kept; the error is raised by the next call.
                self._filled = True
                return chunk, False
            self._condition.notify()
            return chunk, self._done

    def stop(self) -> None:
        """Pull no more. A source that blocks is abandoned; its thread ends with the process."""
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def _run(self) -> None:
        while not self._done and self._error is None:
            chunk: list[NewEvent] = []
            error: BaseException | None = None
            done = False
            try:
                done = self._pull(chunk)
            except BaseException as raised:  # noqa: BLE001  handed to the driver, which raises it
                error = raised
            with self._condition:
                self._chunk, self._filled, self._done, self._error = chunk, True, done, error
            self._wake()
            with self._condition:
                self._condition.wait_for(lambda: self._stopped or not self._filled)
                if self._stopped:
                    return

    def _pull(self, chunk: list[NewEvent]) -> bool:
        deadline = time.monotonic() + _CHUNK_SECONDS
        size = 0
        for event in self._source:
            chunk.append(event)
            size += len(event.data)
            if len(chunk) >= _CHUNK_EVENTS or size >= _CHUNK_BYTES or time.monotonic() >= deadline:
                return False
        return True
