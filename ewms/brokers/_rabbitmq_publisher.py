"""Publishing with confirms: whoever calls hears when the servers have the message on disk."""

from __future__ import annotations

import asyncio

from aiormq import exceptions
from aiormq.abc import AbstractChannel
from pamqp.commands import Basic

from ewms.brokers._rabbitmq_connection import Connection, detached
from ewms.brokers._rabbitmq_errors import Lost, Refused, missing
from ewms.core.errors import BrokerUnavailable, MessageTooLarge

_RETRY_SECONDS = 0.1
_PERSISTENT = 2


class Publisher:
    """One channel with confirms, opened again when it is lost. For any number of tasks at once.

    Parameters
    ----------
    exchange
        From which a queue's name leads to the queue.
    """

    def __init__(self, connection: Connection, exchange: str = "") -> None:
        self._connection = connection
        self._exchange = exchange
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """Return when the message is in the queue and on disk.

        While the server is short of memory or disk it takes nothing, and this waits, whatever the patience.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + self._connection.patience
        while True:
            trouble = "it does not confirm messages"
            try:
                return await self._confirmed(await self._opened(deadline), queue, body, message_id)
            except Lost as lost:
                self._connection.require_open()
                trouble = str(lost)
            except exceptions.PublishError as returned:
                raise missing(queue, self._connection.shown) from returned
            except exceptions.DeliveryError:  # most of the queue's servers are away
                pass
            except Refused as refused:
                self._blame(refused, queue, body)
                trouble = refused.text
            if now() >= deadline:
                raise BrokerUnavailable(f"{self._connection.shown} cannot serve queue {queue}: {trouble}")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _confirmed(self, channel: AbstractChannel, queue: str, body: bytes, message_id: str) -> None:
        properties = Basic.Properties(delivery_mode=_PERSISTENT, message_id=message_id)
        publishing = asyncio.ensure_future(
            channel.basic_publish(body, exchange=self._exchange, routing_key=queue, properties=properties, mandatory=True)
        )
        while True:
            try:
                await detached(publishing, channel, self._connection.patience)
            except TimeoutError:
                if not self._connection.is_blocked:
                    raise Lost("it does not confirm messages") from None
            else:
                return

    async def _opened(self, deadline: float) -> AbstractChannel:
        await self._connection.flowing()
        if self._channel is None or self._channel.is_closed:
            async with self._opening:
                if self._channel is None or self._channel.is_closed:
                    self._channel = await self._connection.channel(deadline, confirms=True)
        return self._channel

    def _blame(self, refused: Refused, queue: str, body: bytes) -> None:
        """The server closed the channel, with everybody's messages on it; raise if this one was the reason."""
        shown = self._connection.shown
        if refused.too_large is not None:
            size, limit = refused.too_large
            if size == len(body):
                raise MessageTooLarge(
                    f"a message of {size} bytes is above the limit of {limit} bytes at {shown}; "
                    "raise its max_message_size or send the body by reference"
                )
        elif refused.is_denied:
            raise refused.as_rejection(queue, shown)
