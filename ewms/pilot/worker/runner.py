"""Runs the events of one job and sends their outcomes in chunks."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from time import monotonic_ns

from ewms.core.cost import Cost
from ewms.core.wire import Failure, Result, WorkEvent
from ewms.pilot.outputs import Packed, Packer
from ewms.pilot.worker.consumer import Consumer
from ewms.pilot.worker.failures import from_exception
from ewms.pilot.worker.frames import Chunk
from ewms.pilot.worker.meter import Meter
from ewms.pilot.worker.progress import COUNT, POSITION, STARTED

FLUSH_NS = 20_000_000
"""Nanoseconds of work that a crash may cost at most, beside the event that crashed."""
FLUSH_BYTES = 256 * 1024
"""Encoded outcomes that wait in memory."""
_RESULT_BYTES = 64


class Runner:
    """Works on one job at a time.

    Parameters
    ----------
    cells
        Those of `Progress`, where the pilot sees what is worked on.
    send
        Takes the chunks.
    room
        Bytes that one report, and so one chunk, can hold.
    """

    def __init__(self, cells: memoryview, send: Callable[[Chunk], None], room: int) -> None:
        self._cells = cells
        self._send = send
        self._room = room
        self._meter = Meter()
        self._cost = Cost()
        self._pid = os.getpid()
        self._results: list[Result] = []
        self._failures: list[Failure] = []
        self._size = 0
        self._flushed = 0

    def run(self, consumer: Consumer, packer: Packer, events: Sequence[WorkEvent], singly: bool) -> None:
        """Run all events, as one batch where the consumer is vectorised and nothing goes wrong."""
        self._flushed = monotonic_ns()
        if singly or len(events) == 1 or not self._run_batch(consumer, packer, events):
            self._run_singly(consumer, packer, events)

    def _run_singly(self, consumer: Consumer, packer: Packer, events: Sequence[WorkEvent]) -> None:
        cells, clock, consume, pack = self._cells, monotonic_ns, consumer.consume, packer.pack
        cells[COUNT] = 1
        now = self._flushed = clock()
        for position, event in enumerate(events):
            started = cells[STARTED] = now
            cells[POSITION] = position
            try:
                packed = pack(consume(event))
            except BaseException as error:  # noqa: BLE001  the user's code may raise anything, SystemExit included
                now = clock()
                self._fail(from_exception(event, error, (now - started) / 1e9), now)
            else:
                now = clock()
                self._keep(event, packed, now)
                if now - self._flushed >= FLUSH_NS or self._size > FLUSH_BYTES:
                    self._flush(now)
        self._flush(now)

    def _run_batch(self, consumer: Consumer, packer: Packer, events: Sequence[WorkEvent]) -> bool:
        """Whether the events were run; if not, nothing was sent of them and they are to be run singly."""
        if consumer.consume_many is None:
            return False
        self._cells[STARTED] = self._flushed
        self._cells[COUNT] = len(events)
        self._cells[POSITION] = 0
        try:
            packs = [packer.pack(value) for value in consumer.consume_many(events)]
        except BaseException:  # noqa: BLE001  whatever it is, the single run shows whose fault it is
            return False
        now = monotonic_ns()
        for event, packed in zip(events, packs, strict=True):
            self._keep(event, packed, now)
        self._flush(now)
        return True

    def _keep(self, event: WorkEvent, packed: Packed, now: int) -> None:
        size = packed.size + len(event.id) + _RESULT_BYTES
        if self._size + size > self._room:
            self._flush(now)
        self._results.append(Result(event.id, event.attempt, packed.outputs, packed.many))
        self._size += size

    def _fail(self, failure: Failure, now: int) -> None:
        """Send a failure at once, so that the pilot finds its output at the end of what it has collected."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(ValueError, OSError, AttributeError):  # the task may have closed or replaced it
                stream.flush()
        self._cost.add(self._meter.read(now, surely=True))
        self._failures.append(failure)
        failure.detail["cpu_seconds"] = round(self._cost.cpu, 6)
        if self._cost.peak:
            failure.detail["peak_memory"] = self._cost.peak
        self._flush(now)

    def _flush(self, now: int) -> None:
        if os.getpid() != self._pid:
            os._exit(0)  # the task forked and came back in the child: only the parent reports
        done = len(self._results) + len(self._failures)
        if done:
            self._cost.add(self._meter.read(now))
            self._send(Chunk(done, (now - self._flushed) / 1e9, self._results, self._failures, self._cost))
            self._results, self._failures, self._size, self._cost = [], [], 0, Cost()
        self._flushed = now
