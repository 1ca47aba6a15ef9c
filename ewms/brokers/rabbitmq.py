"""RabbitMQ: a shared broker that many sites run already."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from ewms.brokers._rabbitmq_census import Census, Tally
from ewms.brokers._rabbitmq_connection import Connection
from ewms.brokers._rabbitmq_consumer import RabbitmqConsumer
from ewms.brokers._rabbitmq_errors import Refused
from ewms.brokers._rabbitmq_publisher import Publisher
from ewms.brokers._rabbitmq_queues import Queues, max_lease_seconds
from ewms.brokers._rabbitmq_signals import EXCHANGE, Ear, Voice
from ewms.brokers._rabbitmq_url import RabbitmqAddress
from ewms.brokers.base import Broker, Capabilities, Consumer, Depth, Inspection
from ewms.brokers.mailbox import Mailbox
from ewms.brokers.urls import DEFAULT_PATIENCE
from ewms.core.errors import MessageTooLarge

T = TypeVar("T")

logger = logging.getLogger("ewms.brokers.rabbitmq")

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""Below the servers' own limit, 128 MiB or 16 MiB since RabbitMQ 4; quorum queues are for small messages."""


class RabbitmqBroker(Broker):
    """A connection to a RabbitMQ server or cluster, 3.10 or newer.

    The connection is the lease: a message comes back when its holder's connection ends, at once if the process dies, within
    two heartbeats if its host does. Messages are not deduplicated: a publish that is repeated because its confirmation was
    lost comes twice, and the driver, who knows every event, drops the second outcome.

    Two connections: a server that is short of memory stops reading from whoever publishes, and would not see acks there.

    Parameters
    ----------
    url
        See `ewms.brokers._rabbitmq_url`.
    patience
        Seconds for which operations are tried again while the server is away.
    """

    def __init__(self, url: str, *, patience: float = DEFAULT_PATIENCE) -> None:
        self._address = RabbitmqAddress.parse(url)
        self._shown = self._address.shown
        self._leasing = Connection(self._address, patience, "ewms-leasing")
        self._publishing = Connection(self._address, patience, "ewms-publishing")
        self._queues = Queues(self._leasing)
        guest = self._address.guest
        self._hearing_at = EXCHANGE if guest is None else guest.way_in
        self._publisher = Publisher(self._publishing, "" if guest is None else guest.way_out)
        self._voice = Voice(self._publishing, EXCHANGE if guest is None else guest.way_out)
        self._consumers: set[RabbitmqConsumer] = set()
        self._census = Census(self._publishing, self._voice, self._consumers)

    async def connect(self) -> None:
        """Connect, within 5 seconds or with one clear error."""
        try:
            await self._leasing.open()
            await self._publishing.open()
        except BaseException:
            await self.close()
            raise
        self.capabilities = Capabilities(
            durable=True,
            multi_process=True,
            multi_host=not self._address.is_local,
            renewable_lease=False,
            max_message_bytes=MAX_MESSAGE_BYTES,
            redelivered_flag=True,
            drops_repeats=False,
            max_lease_seconds=max_lease_seconds(self._leasing.server_version, self._address.consumer_timeout),
        )

    async def close(self) -> None:
        """Give back what consumers hold, send what is written, disconnect. Idempotent."""
        for consumer in list(self._consumers):
            await consumer.close()
        await asyncio.gather(self._leasing.close(), self._publishing.close())

    async def declare(self, queue: str, lease: float) -> str:
        """As in the contract, but for the lease, which lasts as long as the connection."""
        return await self._told(queue, self._queues.declare(queue))

    async def delete(self, queue: str) -> None:
        """As in the contract."""
        await self._told(queue, self._queues.delete(queue))

    async def purge(self, queue: str) -> None:
        """As in the contract. What somebody holds who cannot be reached comes back once more."""
        await self._told(queue, self._queues.purge(queue))
        _, consumers = await self._told(queue, self._queues.count(queue))
        await self._census.count(queue, consumers, drop=True)
        await self._told(queue, self._queues.purge(queue))

    async def depth(self, queue: str) -> Depth:
        """As in the contract; what is leased is asked of those who lease, see `ewms.brokers._rabbitmq_census`."""
        ready, tally = await self._counted(queue)
        return Depth(ready=ready, leased=tally.held)

    async def inspect(self, queue: str) -> Inspection:
        """As in the contract."""
        ready, tally = await self._counted(queue)
        dead = await self._told(queue, self._queues.count_dead(queue))
        return Inspection(ready=ready, leased=tally.held, consumers=tally.consumers, redelivered=tally.held_again, dead=dead)

    async def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """As in the contract. Waits while the server is short of memory or disk, and says so in the log."""
        if len(body) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(
                f"a message of {len(body)} bytes is above the limit of {MAX_MESSAGE_BYTES} bytes at {self._shown}; "
                "send the body by reference"
            )
        await self._publisher.publish(queue, body, message_id)

    async def consumer(self, queue: str) -> Consumer:
        """As in the contract."""
        self._leasing.require_open()
        if self._address.guest is None:  # others neither hear questions nor may answer them
            await self._census.answer_for(queue)
        consumer = RabbitmqConsumer(self._leasing, queue, self._consumers.discard)
        self._consumers.add(consumer)
        return consumer

    async def signal(self, topic: str, body: bytes) -> None:
        """As in the contract."""
        if len(body) > MAX_MESSAGE_BYTES:
            logger.warning("signal_too_large topic=%s bytes=%d", topic, len(body))
            return
        await self._voice.say(topic, body)

    @asynccontextmanager
    async def signals(self, topic: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """As in the contract."""
        mailbox = Mailbox()
        ear = Ear(self._leasing, lambda message: mailbox.put(message.body), self._hearing_at)
        await ear.open(topic)
        try:
            yield mailbox
        finally:
            await ear.close()

    async def _counted(self, queue: str) -> tuple[int, Tally]:
        ready, consumers = await self._told(queue, self._queues.count(queue))
        tally = await self._census.count(queue, consumers)
        if tally.consumers < consumers:  # silent, or gone meanwhile
            ready, consumers = await self._told(queue, self._queues.count(queue))
            tally.presume(consumers)
        return ready, tally

    async def _told(self, queue: str, asking: Awaitable[T]) -> T:
        """The answer, or what the server refused in words for users."""
        try:
            return await asking
        except Refused as refused:
            raise refused.as_rejection(queue, self._shown) from refused
