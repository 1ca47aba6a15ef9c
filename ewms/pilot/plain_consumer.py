"""Events from plain queues, one a message."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Sequence

from ewms.brokers.base import Consumer, Delivery
from ewms.core import wire
from ewms.core.plain import foreign_event_id
from ewms.core.wire import PROTOCOL, WorkEvent, WorkMessage


class PlainDelivery(Delivery):
    """One attempt at an event.

    Parameters
    ----------
    inner
        The message that the event came in.
    queue
        Position of its queue among those that are read.
    """

    redelivered = False  # nobody else would try it again

    def __init__(self, inner: Delivery, *, queue: int, task: str, codec: str, event_id: str, attempt: int = 1) -> None:
        self.inner = inner
        self.queue = queue
        self.attempt = attempt
        self.event_id = event_id
        self.is_kept = False
        """It is not to be acked: it is tried again, here or elsewhere."""
        self._task, self._codec = task, codec
        event = WorkEvent(event_id, codec, inner.body, attempt)
        message = WorkMessage(PROTOCOL, f"{event_id}#{attempt}", task, copy=False, events=[event])
        self.body = wire.encode(message)

    def again(self) -> PlainDelivery:
        """The next attempt, in the place of this one."""
        self.is_kept = True
        return PlainDelivery(
            self.inner,
            queue=self.queue,
            task=self._task,
            codec=self._codec,
            event_id=self.event_id,
            attempt=self.attempt + 1,
        )

    async def renew(self) -> None:
        """See `Delivery`."""
        await self.inner.renew()

    async def ack(self) -> None:
        """See `Delivery`."""
        if not self.is_kept:
            await self.inner.ack()


class PlainConsumer(Consumer):
    """Reads several queues at once.

    Parameters
    ----------
    inner
        Consumers of the queues.
    adopt
        Makes an attempt of a message, with the position of its queue.
    """

    def __init__(self, inner: Sequence[Consumer], adopt: Callable[[Delivery, int], PlainDelivery]) -> None:
        self._inner = inner
        self._adopt = adopt
        self._ready: deque[PlainDelivery] = deque()
        self._is_ready = asyncio.Event()

    def put(self, delivery: PlainDelivery) -> None:
        """Hand out another attempt soon."""
        self._ready.append(delivery)
        self._is_ready.set()

    async def lease(self, count: int, wait: float) -> list[Delivery]:
        """See `Consumer`."""
        if not self._ready:
            await self._fetch(count, wait)
        return [self._ready.popleft() for _ in range(min(count, len(self._ready)))]

    async def close(self) -> None:
        """See `Consumer`."""
        await asyncio.gather(*(consumer.close() for consumer in self._inner))

    async def _fetch(self, count: int, wait: float) -> None:
        self._is_ready.clear()
        leases = [asyncio.create_task(consumer.lease(count, wait)) for consumer in self._inner]
        again = asyncio.create_task(self._is_ready.wait())
        try:
            await asyncio.wait({*leases, again}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*leases, again):
                task.cancel()  # loses no message: see `Consumer.lease`
            await asyncio.gather(*leases, again, return_exceptions=True)
            for queue, lease in enumerate(leases):
                if not lease.cancelled() and lease.exception() is None:
                    self._ready.extend(self._adopt(delivery, queue) for delivery in lease.result())
        for lease in leases:
            if not lease.cancelled():
                lease.result()  # raises what it raised


def event_id(message_id: str) -> str:
    """The id of an event that came in a message of that id; a new one where it had none."""
    return foreign_event_id(message_id) if message_id else uuid.uuid4().hex
