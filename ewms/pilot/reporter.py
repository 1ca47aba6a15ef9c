"""Publishes what came of messages, and acks each when reports on all of its events are confirmed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator

import msgspec

from ewms.brokers.base import Broker
from ewms.core import wire
from ewms.core.cost import total
from ewms.core.errors import BrokerError
from ewms.core.wire import PROTOCOL, Failure, Kind, RawReport
from ewms.pilot.holding import Holding
from ewms.pilot.post import Post
from ewms.pilot.worker.frames import NO_RESULTS, RawChunk, join_arrays

logger = logging.getLogger("ewms.pilot.reporter")

REPORT_SECONDS = 1.0
"""Outcomes of a message that is still worked on wait no longer."""
_FAILURE_BYTES = 256
_GIVEN_BACK_AT_ONCE = 200


class Sender(msgspec.Struct, frozen=True):
    """Who reports."""

    pilot: str
    """Id of the pilot."""
    host: str
    """Where it runs."""
    site: str
    """Its site, where known."""


class _Sheet:
    """Outcomes of one message that are not published yet, and the publishing of those before."""

    def __init__(self) -> None:
        self.chunks: list[RawChunk] = []
        self.flushed = time.monotonic()
        self.timer: asyncio.TimerHandle | None = None
        self.delivery: asyncio.Task[bool] | None = None


class Reporter:
    """Pipelined: the slot goes on while its outcomes travel.

    Parameters
    ----------
    room
        Bytes that one report can hold.
    on_settled
        Called with a message that is acked, or that the broker could not be told about.
    on_lost
        Called with the error when a report could not be published. The message is never acked then.
    """

    def __init__(
        self,
        broker: Broker,
        queue: str,
        sender: Sender,
        room: int,
        *,
        on_settled: Callable[[Holding], None],
        on_lost: Callable[[BrokerError], None],
    ) -> None:
        self._post = Post(broker, queue, sender.pilot, room)
        self._sender = sender
        self._room = room
        self._on_settled = on_settled
        self._on_lost = on_lost
        self._sheets: dict[Holding, _Sheet] = {}
        self._deliveries: set[asyncio.Task[bool]] = set()
        self.done = 0
        """Events that ended here, well or not."""
        self.failed = 0
        """Those that failed."""

    def add(self, holding: Holding, chunk: RawChunk) -> None:
        """Take outcomes of the next `chunk.done` events of `holding.todo`."""
        holding.take(chunk.done)
        failed = sum(failure.kind is Kind.FAILED for failure in chunk.failures)
        self.failed += failed
        self.done += chunk.done - len(chunk.failures) + failed
        sheet = self._sheets.setdefault(holding, _Sheet())
        sheet.chunks.append(chunk)
        wait = sheet.flushed + REPORT_SECONDS - time.monotonic()
        if not holding.todo or wait <= 0:
            self._flush(holding, sheet)
        elif sheet.timer is None:
            sheet.timer = asyncio.get_running_loop().call_later(wait, self._flush, holding, sheet)

    def give_back(self, holding: Holding, kind: Kind, reason: str) -> None:
        """Report all events that are left as returned or vanished, which completes the message."""
        while holding.todo:
            failures = [holding.failure(position, kind, reason) for position in holding.todo[:_GIVEN_BACK_AT_ONCE]]
            self.add(holding, RawChunk(done=len(failures), busy=0.0, results=NO_RESULTS, failures=failures))

    async def settled(self, within: float) -> bool:
        """Wait for the confirmation of all that was reported so far; False if it did not come in time."""
        if not self._deliveries:
            return True
        _, pending = await asyncio.wait(self._deliveries, timeout=within)
        return not pending

    async def close(self) -> None:
        """Stop publishing; what is not confirmed is not acked."""
        for sheet in self._sheets.values():
            if sheet.timer is not None:
                sheet.timer.cancel()
        for delivery in self._deliveries:
            delivery.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        await self._post.close()

    def _flush(self, holding: Holding, sheet: _Sheet) -> None:
        if sheet.timer is not None:
            sheet.timer.cancel()
            sheet.timer = None
        reports = [self._encode(holding, chunks) for chunks in _fitting(sheet.chunks, self._room)]
        sheet.chunks = []
        sheet.flushed = time.monotonic()
        is_last = not holding.todo
        if is_last:
            del self._sheets[holding]
        sheet.delivery = asyncio.create_task(self._deliver(holding, reports, sheet.delivery, is_last))
        self._deliveries.add(sheet.delivery)
        sheet.delivery.add_done_callback(self._deliveries.discard)

    async def _deliver(
        self, holding: Holding, reports: list[bytes], before: asyncio.Task[bool] | None, is_last: bool
    ) -> bool:
        """Whether all reports on the message up to these are confirmed. Only then, and last of all, comes the ack."""
        if before is not None and not await before:
            return False
        try:
            for report in reports:
                await self._post.send(report)
        except BrokerError as error:
            logger.warning("report_lost message=%s error=%s", holding.message_id, error)
            self._on_lost(error)
            return False
        if is_last:
            await self._ack(holding)
        return True

    async def _ack(self, holding: Holding) -> None:
        try:
            await holding.delivery.ack()
        except BrokerError as error:  # it comes again and is reported vanished, which the driver drops
            logger.warning("ack_lost message=%s error=%s", holding.message_id, error)
        self._on_settled(holding)

    def _encode(self, holding: Holding, chunks: list[RawChunk]) -> bytes:
        return wire.encode(
            RawReport(
                protocol=PROTOCOL,
                message_id=holding.message_id,
                task=holding.task,
                copy=holding.copy,
                pilot=self._sender.pilot,
                host=self._sender.host,
                site=self._sender.site,
                busy=sum(chunk.busy for chunk in chunks),
                results=join_arrays([chunk.results for chunk in chunks]),
                failures=[failure for chunk in chunks for failure in chunk.failures],
                cost=total(chunk.cost for chunk in chunks),
            )
        )


def _fitting(chunks: Iterable[RawChunk], room: int) -> Iterator[list[RawChunk]]:
    """The chunks in groups that fit one report each."""
    group: list[RawChunk] = []
    size = 0
    for chunk in chunks:
        more = len(memoryview(chunk.results)) + sum(map(_weight, chunk.failures))
        if group and size + more > room:
            yield group
            group, size = [], 0
        group.append(chunk)
        size += more
    if group:
        yield group


def _weight(failure: Failure) -> int:
    """Bytes of an encoded failure, at most."""
    texts = [failure.id, failure.reason, *(value for value in failure.detail.values() if isinstance(value, str))]
    return _FAILURE_BYTES + sum(4 * len(text) for text in texts)
