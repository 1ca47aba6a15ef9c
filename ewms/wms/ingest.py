"""Events from people outside: messages of public queues, acked when the journal holds them.

An event's id is its message's: the id that the sender gave, else the broker's own, else one that is minted and remembered
until the ack is out. So a message that comes twice gives one event.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence

from ewms.brokers.base import Broker, Consumer, Delivery
from ewms.core.graph import Graph
from ewms.core.plain import foreign_event_id
from ewms.wms.feed import Feed, SourceFeed
from ewms.wms.hosting import Host
from ewms.wms.ledger import Ledger
from ewms.wms.routing import NewEvent

MINTED = "ingest"
"""Name of the journal's value: ids that were minted for messages which may come again, and the digests of their bodies."""
_AT_ONCE = 256
_WAIT_SECONDS = 5.0
_LAST_WAIT_SECONDS = 0.25


class PublicFeed(Feed):
    """A feed of the application's source and of public input queues beside it; it ends when it is told to finish.

    Parameters
    ----------
    source
        Of the application or of uploads; may be empty.
    wake
        Called when there is something to take.
    broker
        Where the queues are declared.
    host
        Encodes what arrives.
    graph
        Tells which task reads a queue.
    queues
        The broker's names of the public input queues, by their names in the spec.
    lease
        Seconds for which a message is held.
    """

    def __init__(
        self,
        source: Iterator[NewEvent],
        wake: Callable[[], object],
        *,
        broker: Broker,
        host: Host,
        graph: Graph,
        queues: Mapping[str, str],
        lease: float,
    ) -> None:
        self._source = SourceFeed(source, wake)
        self._wake = wake
        self._broker = broker
        self._host = host
        self._queues = {name: graph.task_reading(queue) for queue, name in queues.items()}
        self._task_numbers = {task.name: number for number, task in enumerate(graph.tasks)}
        self._lease = lease
        self._readers: list[asyncio.Task[None]] = []
        self._arrived: list[NewEvent] = []
        self._waiting: list[asyncio.Event] = []
        self._taken: list[asyncio.Event] = []
        self._finishing = asyncio.Event()
        self._source_done = False
        self._minted: dict[str, str] = {}
        self._written: dict[str, str] = {}
        self._in_hand: set[str] = set()

    def start(self) -> None:
        """See `Feed.start`."""
        self._source.start()
        for queue, task in self._queues.items():
            reader = asyncio.create_task(self._read(queue, self._task_numbers[task]))
            reader.add_done_callback(lambda _: self._wake())
            self._readers.append(reader)

    def take(self) -> tuple[list[NewEvent], bool] | None:
        """See `Feed.take`; raises what a queue's reader raised."""
        events: list[NewEvent] = []
        if not self._source_done and (chunk := self._source.take()) is not None:
            events, self._source_done = chunk
        for reader in self._readers:
            if reader.done():
                reader.result()
        events, self._arrived = events + self._arrived, []
        self._taken, self._waiting = self._taken + self._waiting, []
        is_done = self._source_done and all(reader.done() for reader in self._readers)
        return (events, is_done) if events or is_done else None

    def restore(self, ledger: Ledger) -> None:
        """See `Feed.restore`."""
        self._written = dict(ledger.journal.value(MINTED, {}))
        self._minted = dict(self._written)

    def remember(self, ledger: Ledger) -> None:
        """See `Feed.remember`."""
        if self._minted != self._written:
            self._written = dict(self._minted)
            ledger.remember(MINTED, self._written)

    def committed(self) -> None:
        """See `Feed.committed`."""
        taken, self._taken = self._taken, []
        for done in taken:
            done.set()

    def finish(self) -> None:
        """See `Feed.finish`: what is in the queues by now is still taken."""
        self._source.finish()
        self._finishing.set()

    async def close(self) -> None:
        """See `Feed.close`."""
        await self._source.close()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def _read(self, queue: str, task: int) -> None:
        identity = await self._broker.declare(queue, self._lease)
        generation = hashlib.sha256(identity.encode()).hexdigest()[:8]
        async with await self._broker.consumer(queue) as consumer:
            while True:
                deliveries = await self._leased(consumer)
                if not deliveries:
                    if self._finishing.is_set() and await self._is_empty(queue):
                        return
                    continue
                messages = [(self._event_id(delivery, generation), delivery.body) for delivery in deliveries]
                self._arrived += await asyncio.to_thread(self._host.received, task, messages)
                await self._hold(deliveries)
                for (name, _), delivery in zip(messages, deliveries, strict=True):
                    await delivery.ack()
                    self._minted.pop(name, None)
                    self._in_hand.discard(name)

    async def _leased(self, consumer: Consumer) -> list[Delivery]:
        """What is there within a while; looks again at once when the feed is to finish."""
        if self._finishing.is_set():
            return await consumer.lease(_AT_ONCE, _LAST_WAIT_SECONDS)
        leasing = asyncio.create_task(consumer.lease(_AT_ONCE, _WAIT_SECONDS))
        finishing = asyncio.create_task(self._finishing.wait())
        try:
            await asyncio.wait({leasing, finishing}, return_when=asyncio.FIRST_COMPLETED)
            return leasing.result() if leasing.done() else []
        finally:
            for task in (leasing, finishing):
                task.cancel()  # loses no message: see `Consumer.lease`
            await asyncio.gather(leasing, finishing, return_exceptions=True)

    async def _hold(self, deliveries: Sequence[Delivery]) -> None:
        """Until the journal has what arrived, which waits for room in the window of unfinished events."""
        done = asyncio.Event()
        self._waiting.append(done)
        self._wake()
        while not done.is_set():
            try:
                async with asyncio.timeout(self._lease / 3):
                    await done.wait()
            except TimeoutError:
                await asyncio.gather(*(delivery.renew() for delivery in deliveries))

    async def _is_empty(self, queue: str) -> bool:
        """Whether nothing is in it, not even with a former driver that was killed."""
        if not self._broker.capabilities.tells_depth:
            return True
        depth = await self._broker.depth(queue)
        return not (depth.ready or depth.leased)

    def _event_id(self, delivery: Delivery, generation: str) -> str:
        if delivery.message_id:
            return foreign_event_id(delivery.message_id)
        if delivery.sequence:  # with zeros in front, so that the product is in the order of the queue
            return f"{delivery.sequence:0>12}-{generation}"
        digest = hashlib.sha256(delivery.body).hexdigest()
        known = (name for name, body in self._minted.items() if body == digest and name not in self._in_hand)
        name = next(known, "") if delivery.redelivered else ""
        name = name or uuid.uuid4().hex
        self._minted[name] = digest
        self._in_hand.add(name)
        return name
