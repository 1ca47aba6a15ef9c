"""A queue of ours at RabbitMQ: what it is made of and how it is made, emptied and removed.

`<queue>` is a quorum queue: replicated where there is a cluster, on disk before a publisher hears of it. `<queue>.dead`
takes what the server gives up delivering, so that nothing is dropped in silence. `<queue>.identity` holds one message that
names the first: AMQP tells nobody whether a queue is still the one that it was.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from typing import Any

from aiormq.abc import AbstractChannel
from pamqp.commands import Basic

from ewms.brokers._rabbitmq_connection import Connection
from ewms.brokers._rabbitmq_errors import Refused

_DELIVERY_LIMIT = 1000
"""Deliveries after which a message is dead. Set, because the default was none and is 20 since RabbitMQ 4."""
_AT_LEAST_ONCE_SINCE = (3, 10)
"""Version that can move messages to a dead-letter queue without losing any."""
_QUEUE_TIMEOUT_SINCE = (3, 12)
"""Version in which a queue has a consumer timeout of its own."""
_QUEUE_TIMEOUT = 10 * 365 * 86_400
DEFAULT_TIMEOUT = 1800.0
"""Seconds for which older servers let a message be held, unless they are told otherwise."""
SETTLING_SECONDS = 1.2
"""After which a new quorum queue outlives the kill of its server, which keeps in memory until then where it is (3.10)."""
_NEWS_SECONDS = 0.1
"""In which consumers of a deleted queue are told; a server forgets to, where the queue is made anew within 0.03 seconds."""
_PERSISTENT = 2
_RETRY_SECONDS = 0.02
_READERS = 25


def max_lease_seconds(version: tuple[int, int], told: float | None) -> float | None:
    """How long a message may be held: without limit, as the URL tells, or as servers of this version have it by default."""
    if told is None and version >= _QUEUE_TIMEOUT_SINCE:
        return None
    return told or DEFAULT_TIMEOUT


class Queues:
    """Declares, deletes, purges and counts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def declare(self, queue: str) -> str:
        """Make it exist, and its companions; its identity."""

        async def make(channel: AbstractChannel) -> str:
            await self._declare(channel, _dead(queue), {})
            await self._declare(channel, _identity(queue), {"x-max-length": 1, "x-overflow": "drop-head"})
            return await _identify(channel, queue, is_new=not exists)

        exists = await self._exists(queue)
        identity = await self._connection.ask(queue, make)
        if not exists:
            await self._make(queue)
            await asyncio.sleep(SETTLING_SECONDS)
        return identity

    async def delete(self, queue: str) -> None:
        """Make it not exist. Idempotent."""

        async def delete(channel: AbstractChannel) -> None:
            for name in (queue, _dead(queue), _identity(queue)):
                await channel.queue_delete(name)
            await asyncio.sleep(_NEWS_SECONDS)

        if await self._exists(queue):
            await self._connection.ask(queue, delete)

    async def purge(self, queue: str) -> None:
        """Drop what waits; not what is leased."""

        async def purge(channel: AbstractChannel) -> None:
            await channel.queue_purge(queue)

        await self._connection.ask(queue, purge)

    async def count(self, queue: str) -> tuple[int, int]:
        """Messages that wait, and consumers; `Refused` if it does not exist."""

        async def count(channel: AbstractChannel) -> tuple[int, int]:
            found = await channel.queue_declare(queue, passive=True)
            return found.message_count or 0, found.consumer_count or 0

        return await self._connection.ask(queue, count)

    async def count_dead(self, queue: str) -> int:
        """Messages that the server has given up delivering."""
        waiting, _ = await self.count(_dead(queue))
        return waiting

    async def _exists(self, queue: str) -> bool:
        try:
            await self.count(queue)
        except Refused as refused:
            if not refused.is_missing:
                raise
            return False
        return True

    async def _make(self, queue: str) -> None:
        async def make(channel: AbstractChannel) -> None:
            await channel.queue_declare(queue, durable=True, arguments=self._arguments(queue))

        try:
            await self._connection.ask(queue, make)
        except Refused as refused:
            if not refused.is_other_configuration:  # another driver, of another version of ewms, was faster
                raise

    async def _declare(self, channel: AbstractChannel, queue: str, more: dict[str, Any]) -> None:
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": 2**31 - 1, **more}
        await channel.queue_declare(queue, durable=True, arguments=arguments)

    def _arguments(self, queue: str) -> dict[str, Any]:
        version = self._connection.server_version
        arguments: dict[str, Any] = {
            "x-queue-type": "quorum",
            "x-delivery-limit": _DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": _dead(queue),
        }
        if version >= _AT_LEAST_ONCE_SINCE:
            arguments |= {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
        if version >= _QUEUE_TIMEOUT_SINCE:
            arguments["x-consumer-timeout"] = _QUEUE_TIMEOUT * 1000
        return arguments


def _dead(queue: str) -> str:
    return f"{queue}.dead"


def _identity(queue: str) -> str:
    return f"{queue}.identity"


async def _identify(channel: AbstractChannel, queue: str, *, is_new: bool) -> str:
    """Read the message that names the queue; write another one first if the queue is new, or if there is none."""
    if is_new:
        await _name(channel, queue)
    attempts = itertools.count(1)
    while True:
        message = await channel.basic_get(_identity(queue))
        if isinstance(message.delivery, Basic.GetOk):
            await channel.basic_nack(message.delivery_tag or 0, requeue=True)
            return message.body.decode()
        await asyncio.sleep(_RETRY_SECONDS)  # somebody else reads it at this moment
        if next(attempts) % _READERS == 0:  # nobody takes that long: the queue was made by other means
            await _name(channel, queue)


async def _name(channel: AbstractChannel, queue: str) -> None:
    confirmed = await channel.connection.channel(publisher_confirms=True)
    await confirmed.basic_publish(
        uuid.uuid4().hex.encode(),
        routing_key=_identity(queue),
        properties=Basic.Properties(delivery_mode=_PERSISTENT),
        mandatory=True,
    )
    await confirmed.close()
