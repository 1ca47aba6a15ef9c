"""The broker for tests and trials: everything in one process and one event loop, nothing durable.

Brokers that are connected to the same `memory://name` share their queues; they are gone when the last one is closed.
`memory://` without a name is shared with nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ewms.brokers._memory_queue import MemoryQueue, Message
from ewms.brokers.base import Broker, Capabilities, Consumer, Delivery, Depth, Inspection
from ewms.brokers.mailbox import Mailbox
from ewms.core.errors import BrokerError, BrokerRejected, BrokerUnavailable, MessageTooLarge

MAX_MESSAGE_BYTES = 8 * 1024 * 1024


class _Space:
    """What the brokers of one name share."""

    def __init__(self) -> None:
        self.queues: dict[str, MemoryQueue] = {}
        self.listeners: defaultdict[str, set[Mailbox]] = defaultdict(set)


_spaces: dict[str, _Space] = {}
_connected: Counter[str] = Counter()


class MemoryBroker(Broker):
    """Keeps every promise of the contract but durability.

    Parameters
    ----------
    url
        `memory://name`, or `memory://` for one that is shared with nobody.
    patience
        Taken as by every broker; there is nothing to wait for.
    max_message_bytes
        Largest message body.
    """

    def __init__(self, url: str = "memory://", *, patience: float = 0.0, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._url = url if url != "memory://" else f"memory://{id(self)}"
        self._space: _Space | None = None
        self.capabilities = Capabilities(
            durable=False,
            multi_process=False,
            multi_host=False,
            renewable_lease=True,
            max_message_bytes=max_message_bytes,
            redelivered_flag=True,
        )

    def require_open(self) -> _Space:
        """What is shared; `BrokerUnavailable` when not connected."""
        if self._space is None:
            raise BrokerUnavailable(f"the connection to {self._url} is closed")
        return self._space

    def find(self, name: str) -> MemoryQueue:
        """A declared queue, or `BrokerRejected`."""
        try:
            return self.require_open().queues[name]
        except KeyError:
            raise BrokerRejected(
                f"queue {name} does not exist at {self._url}; its workflow has ended or was never started"
            ) from None

    async def connect(self) -> None:
        """As in the contract."""
        if self._space is None:
            self._space = _spaces.setdefault(self._url, _Space())
            _connected[self._url] += 1

    async def close(self) -> None:
        """As in the contract; the last one to leave clears up."""
        if self._space is None:
            return
        space, self._space = self._space, None
        _connected[self._url] -= 1
        if not _connected[self._url]:
            del _connected[self._url], _spaces[self._url]
            for queue in space.queues.values():
                queue.purge()
                queue.wake_all()

    async def declare(self, queue: str, lease: float) -> str:
        """As in the contract."""
        found = self.require_open().queues.setdefault(queue, MemoryQueue(lease))
        found.lease = lease
        return found.identity

    async def delete(self, queue: str) -> None:
        """As in the contract."""
        found = self.require_open().queues.pop(queue, None)
        if found is not None:
            found.purge()
            found.wake_all()

    async def purge(self, queue: str) -> None:
        """As in the contract."""
        self.find(queue).purge()

    async def depth(self, queue: str) -> Depth:
        """As in the contract."""
        return self.find(queue).depth

    async def inspect(self, queue: str) -> Inspection:
        """As in the contract."""
        return self.find(queue).inspection

    async def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """As in the contract."""
        limit = self.capabilities.max_message_bytes
        if len(body) > limit:
            raise MessageTooLarge(
                f"a message of {len(body)} bytes is above the limit of {limit} bytes at {self._url}; "
                "raise max_message_bytes or send the body by reference"
            )
        self.find(queue).put(body, message_id)
        await asyncio.sleep(0)  # as with a broker that is far away, others get their turn

    async def consumer(self, queue: str) -> Consumer:
        """As in the contract."""
        self.find(queue)
        return _MemoryConsumer(self, queue)

    async def signal(self, topic: str, body: bytes) -> None:
        """As in the contract."""
        if self._space is not None and len(body) <= self.capabilities.max_message_bytes:
            for mailbox in self._space.listeners.get(topic, ()):
                mailbox.put(body)

    @asynccontextmanager
    async def signals(self, topic: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """As in the contract."""
        listeners = self.require_open().listeners[topic]
        mailbox = Mailbox()
        listeners.add(mailbox)
        try:
            yield mailbox
        finally:
            listeners.discard(mailbox)


class _MemoryConsumer(Consumer):
    def __init__(self, broker: MemoryBroker, queue: str) -> None:
        self._broker = broker
        self._queue = queue
        self._is_closed = False

    async def lease(self, count: int, wait: float) -> list[Delivery]:
        await asyncio.sleep(0)
        deadline = asyncio.get_running_loop().time() + wait
        while not self._is_closed:
            queue = self._broker.find(self._queue)
            if taken := queue.take(count):
                return [_MemoryDelivery(self._broker, queue, number, message) for number, message in taken]
            try:
                async with asyncio.timeout_at(deadline):
                    await queue.changed()
            except TimeoutError:
                return []
        raise BrokerUnavailable(f"the consumer of queue {self._queue} is closed")

    async def close(self) -> None:
        self._is_closed = True
        with contextlib.suppress(BrokerError):  # deleted, or disconnected: then nobody waits
            self._broker.find(self._queue).wake_all()


class _MemoryDelivery(Delivery):
    def __init__(self, broker: MemoryBroker, queue: MemoryQueue, number: int, message: Message) -> None:
        self.body = message.body
        self.redelivered = message.deliveries > 1
        self._broker = broker
        self._queue = queue
        self._number = number
        self._delivery = message.deliveries
        self._message_id = message.message_id

    @property
    def message_id(self) -> str:
        return self._message_id

    async def renew(self) -> None:
        self._queue.renew(self._number, self._delivery)

    async def ack(self) -> None:
        self._broker.require_open()
        self._queue.ack(self._number)
