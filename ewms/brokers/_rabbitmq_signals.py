"""Signals: one exchange for all, to which every listener binds a queue of its own that ends with its connection.

A fanout exchange for each topic would be one more thing to make before the first signal and to remove after the last.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp.commands import Basic
from pamqp.common import FieldTable

from ewms.brokers._rabbitmq_connection import Connection, detached
from ewms.brokers._rabbitmq_errors import Lost, Refused
from ewms.brokers.mailbox import CAPACITY
from ewms.core.errors import BrokerError

EXCHANGE = "ewms.signals"
_DIRECT = "direct"
_QUEUE: FieldTable = {"x-max-length": CAPACITY, "x-overflow": "drop-head"}

OnMessage = Callable[[DeliveredMessage], None]


class Ear:
    """A listener to some topics, across reconnections.

    Parameters
    ----------
    on_message
        Called with each signal.
    exchange
        To listen at, in place of the one that all share.
    """

    def __init__(self, connection: Connection, on_message: OnMessage, exchange: str = EXCHANGE) -> None:
        self._connection = connection
        self._exchange = exchange
        self._on_message = on_message
        self._topics: set[str] = set()
        self._channel: AbstractChannel | None = None
        self._queue = ""

    async def open(self, topic: str) -> None:
        """Hear a topic, too; return when no signal that is sent from now on is missed."""
        self._topics.add(topic)
        self._connection.listeners.add(self)
        deadline = asyncio.get_running_loop().time() + self._connection.patience
        while True:
            try:
                if self._channel is None or self._channel.is_closed:
                    await self._bind(await self._connection.channel(deadline))
                else:
                    await detached(self._channel.queue_bind(self._queue, self._exchange, topic), self._channel)
            except Lost:
                continue
            except Refused as refused:
                raise refused.as_rejection(self._exchange, self._connection.shown) from refused
            return

    async def close(self) -> None:
        """Hear no more."""
        self._connection.listeners.discard(self)
        if self._channel is not None:
            with contextlib.suppress(Lost, Refused):
                await detached(self._channel.close(), self._channel)

    def on_lost(self) -> None:
        """The queue is gone."""
        self._channel = None

    def on_back(self) -> None:
        """Make it anew."""
        self._connection.spawn(self._again())

    async def _again(self) -> None:
        with contextlib.suppress(BrokerError, Lost, Refused):  # lost again: there will be another call
            await self._bind(await self._connection.channel(self._connection.gives_up_at))

    async def _bind(self, channel: AbstractChannel) -> None:
        async def bind() -> None:
            await _declare(channel, self._exchange)
            declared = await channel.queue_declare("", exclusive=True, auto_delete=True, arguments=_QUEUE)
            self._queue = declared.queue or ""
            for topic in self._topics:
                await channel.queue_bind(self._queue, self._exchange, topic)
            await channel.basic_consume(self._queue, self._heard, no_ack=True)

        await detached(bind(), channel)
        self._channel = channel

    async def _heard(self, message: DeliveredMessage) -> None:
        self._on_message(message)


class Voice:
    """Sends signals; drops what cannot be sent at once.

    Parameters
    ----------
    exchange
        To send to, in place of the one that all share.
    """

    def __init__(self, connection: Connection, exchange: str = EXCHANGE) -> None:
        self._connection = connection
        self._exchange = exchange
        self._channel: AbstractChannel | None = None

    async def say(self, topic: str, body: bytes, *, exchange: str | None = None, reply_to: str | None = None) -> None:
        """Send to everybody who listens to a topic."""
        if self._connection.is_blocked or self._connection.is_closed:
            return
        with contextlib.suppress(Lost, Refused, BrokerError):
            if self._channel is None or self._channel.is_closed:
                channel = await self._connection.channel(asyncio.get_running_loop().time())
                await detached(_declare(channel, self._exchange), channel)
                self._channel = channel
            properties = Basic.Properties(reply_to=reply_to)
            to = self._exchange if exchange is None else exchange
            publishing = self._channel.basic_publish(body, exchange=to, routing_key=topic, properties=properties)
            await detached(publishing, self._channel)


async def _declare(channel: AbstractChannel, exchange: str) -> None:
    """Make the exchange that all share; others were made by whoever gave them to this user."""
    if exchange == EXCHANGE:
        await channel.exchange_declare(EXCHANGE, exchange_type=_DIRECT, durable=True)
