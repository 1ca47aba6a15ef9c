"""Queues that know nothing of ewms: a body is an event's body, an output's body is what came of it.

There is no driver then, so what it would do is done here: an event that fails is tried again, and given up in the end.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec
import pydantic_core

from ewms.brokers.base import Broker, Consumer, Delivery, Depth, Inspection
from ewms.brokers.mailbox import Mailbox
from ewms.core import codecs, wire
from ewms.core.errors import BrokerRejected
from ewms.core.plain import plain_body
from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Heartbeat, Kind, Result
from ewms.pilot.plain_consumer import PlainConsumer, PlainDelivery, event_id

DEAD_LETTERS = "-dead-letters"
"""Follows a queue's name in that of the queue of its events that were given up."""
_LEASE_SECONDS = 60.0


class PlainQueue(msgspec.Struct, frozen=True):
    """A queue of somebody else's."""

    broker: Broker
    """Where it is."""
    name: str
    """What the broker calls it."""


class PlainBroker(Broker):
    """What a pilot takes for its broker: translates between its messages and plain ones.

    Parameters
    ----------
    on_heartbeat
        Gets the pilot's signs of life, which nobody else would.
    on_failure
        Gets what failed, at each attempt, and whether that was the last.
    """

    def __init__(
        self,
        task: TaskSpec,
        incoming: Sequence[PlainQueue],
        outgoing: Sequence[PlainQueue],
        *,
        on_heartbeat: Callable[[Heartbeat], None],
        on_failure: Callable[[Failure, bool], None],
    ) -> None:
        self._task = task
        self._incoming, self._outgoing = incoming, outgoing
        self._on_heartbeat, self._on_failure = on_heartbeat, on_failure
        self._codec = "json" if task.infile_suffix == ".json" else "bytes"
        self._held: dict[str, PlainDelivery] = {}
        self._consumer: PlainConsumer | None = None
        self._last_used = time.monotonic()
        self.is_used = False
        """Whether there was any event yet."""
        self.done = 0
        """Events that ended well."""
        self.failed = 0
        """Events that were given up."""

    @property
    def idle_seconds(self) -> float:
        """For how long there has been nothing to do."""
        return 0.0 if self._held else time.monotonic() - self._last_used

    async def connect(self) -> None:
        """See `Broker`; those behind it are connected by whoever made them."""
        limits = [queue.broker.capabilities.max_message_bytes for queue in (*self._incoming, *self._outgoing)]
        self.capabilities = msgspec.structs.replace(self._incoming[0].broker.capabilities, max_message_bytes=min(limits))

    async def close(self) -> None:
        """See `Broker`."""

    async def consumer(self, queue: str) -> Consumer:
        """See `Broker`."""
        inner = [await _consumer(one) for one in self._incoming]
        self._consumer = PlainConsumer(inner, self._adopt)
        return self._consumer

    async def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """Take reports of the pilot: publish outputs and dead letters, which are confirmed when it returns."""
        for report in wire.decode_reports(body):
            for result in wire.decode_results(wire.encode(report.results)):
                await self._finish(result)
            for failure in report.failures:
                await self._fail(failure)

    async def signal(self, topic: str, body: bytes) -> None:
        """See `Broker`."""
        signal = wire.decode_signal(body)
        if isinstance(signal, Heartbeat):
            self._on_heartbeat(signal)

    @asynccontextmanager
    async def signals(self, topic: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `Broker`; there is no driver that would say anything."""
        yield Mailbox()

    async def declare(self, queue: str, lease: float) -> str:
        """See `Broker`."""
        return await self._incoming[0].broker.declare(queue, lease)

    async def delete(self, queue: str) -> None:
        """See `Broker`."""
        await self._incoming[0].broker.delete(queue)

    async def purge(self, queue: str) -> None:
        """See `Broker`."""
        await self._incoming[0].broker.purge(queue)

    async def depth(self, queue: str) -> Depth:
        """See `Broker`."""
        return await self._incoming[0].broker.depth(queue)

    async def inspect(self, queue: str) -> Inspection:
        """See `Broker`."""
        return await self._incoming[0].broker.inspect(queue)

    def _adopt(self, delivery: Delivery, queue: int) -> PlainDelivery:
        identity = event_id(delivery.message_id)
        adopted = PlainDelivery(delivery, queue=queue, task=self._task.name, codec=self._codec, event_id=identity)
        self._held[adopted.event_id] = adopted
        self.is_used = True
        return adopted

    def _release(self, event_id: str) -> None:
        self._held.pop(event_id, None)
        self._last_used = time.monotonic()

    async def _finish(self, result: Result) -> None:
        for number, output in enumerate(result.outputs):
            body = plain_body(codecs.decode(output.codec, output.data))
            for queue in self._outgoing:
                await queue.broker.publish(queue.name, body, f"{result.id}/{self._task.name}/{number}")
        self._release(result.id)
        self.done += 1

    async def _fail(self, failure: Failure) -> None:
        delivery = self._held.get(failure.id)
        if delivery is None:
            return  # its lease was lost, and it came a second time
        if failure.kind is not Kind.FAILED:
            delivery.is_kept = True  # the broker hands it out again when this pilot's lease or connection is gone
            self._release(failure.id)
            return
        is_last = delivery.attempt >= self._task.retry.max_failures
        if is_last:
            await self._bury(delivery, failure)
            self._release(failure.id)
            self.failed += 1
        elif self._consumer is not None:
            self._held[failure.id] = delivery.again()
            self._consumer.put(self._held[failure.id])
        self._on_failure(failure, is_last)

    async def _bury(self, delivery: PlainDelivery, failure: Failure) -> None:
        queue = self._incoming[delivery.queue]
        name = queue.name + DEAD_LETTERS
        await queue.broker.declare(name, _LEASE_SECONDS)
        letter = {
            "id": failure.id,
            "reason": failure.reason,
            "attempts": delivery.attempt,
            "detail": failure.detail,
            "body": delivery.inner.body.decode("utf-8", "backslashreplace"),
        }
        await queue.broker.publish(name, pydantic_core.to_json(letter), f"{failure.id}/dead")


async def _consumer(queue: PlainQueue) -> Consumer:
    try:
        return await queue.broker.consumer(queue.name)
    except BrokerRejected:  # it may be that nobody made it yet
        await queue.broker.declare(queue.name, _LEASE_SECONDS)
        return await queue.broker.consumer(queue.name)
