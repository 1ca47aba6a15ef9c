"""Publishes reports, several in one message where they come fast."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque

import msgspec

from ewms.brokers.base import Broker
from ewms.core import wire
from ewms.core.errors import BrokerError

GATHER_SECONDS = 0.01
"""Least time between two messages: what a report may wait for others, once reports come faster than that."""


class Post:
    """One message at a time; reports that come meanwhile share the next.

    Parameters
    ----------
    broker, queue
        Where reports go.
    sender
        Id of the pilot: message ids are made from it.
    room
        Bytes of reports that one message can hold; a report alone may fill it.
    """

    def __init__(self, broker: Broker, queue: str, sender: str, room: int) -> None:
        self._broker = broker
        self._queue = queue
        self._sender = sender
        self._room = room
        self._numbers = itertools.count(1)
        self._waiting: deque[tuple[bytes, asyncio.Future[None]]] = deque()
        self._publisher: asyncio.Task[None] | None = None
        self._published = 0.0

    async def send(self, report: bytes) -> None:
        """Return when the broker has confirmed the report; raises `BrokerError` if it did not."""
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((report, confirmed))
        if self._publisher is None or self._publisher.done():
            self._publisher = asyncio.create_task(self._publish_all())
        await confirmed

    async def close(self) -> None:
        """Publish no more."""
        if self._publisher is not None:
            self._publisher.cancel()
            await asyncio.gather(self._publisher, return_exceptions=True)

    async def _publish_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(max(0.0, self._published + GATHER_SECONDS - time.monotonic()))
            batch = self._take()
            error: BrokerError | None = None
            try:
                body = wire.encode([msgspec.Raw(report) for report, _ in batch])
                await self._broker.publish(self._queue, body, f"{self._sender}-{next(self._numbers)}")
            except BrokerError as raised:
                error = raised
            self._published = time.monotonic()
            for _, confirmed in batch:
                if confirmed.done():  # its sender was cancelled
                    continue
                if error is None:
                    confirmed.set_result(None)
                else:
                    confirmed.set_exception(error)

    def _take(self) -> list[tuple[bytes, asyncio.Future[None]]]:
        batch = [self._waiting.popleft()]
        size = len(batch[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= self._room:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0])
        return batch
