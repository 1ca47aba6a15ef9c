"""One channel on which messages of one queue are leased, and the credit that the server has been given on it.

RabbitMQ pushes, and stops at `prefetch` messages that are not acked. A caller who has three free slots wants three
messages, however many others it holds. So credit is given in *subscriptions*: each is a consumer of its own with just that
prefetch, and is cancelled before an ack would let the server push what nobody has asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable

import msgspec
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp.commands import Basic

from ewms.brokers._rabbitmq_connection import detached
from ewms.brokers._rabbitmq_delivery import RabbitmqDelivery
from ewms.brokers._rabbitmq_errors import Lost, Refused


class _Subscription(msgspec.Struct):
    prefetch: int
    """Messages that the server may leave here unacked."""
    held: int = 0
    """Those that it did."""
    is_open: bool = True
    """The server may send more."""

    @property
    def free(self) -> int:
        return self.prefetch - self.held if self.is_open else 0


class Leases:
    """What is leased on one channel; void when that ends.

    Parameters
    ----------
    on_message
        Called with each message that the server sends.
    patience
        Seconds that the server has for an answer.
    on_cancelled
        Called when the server ends a subscription of its own accord, and takes back what was leased under it.
    """

    def __init__(
        self,
        channel: AbstractChannel,
        queue: str,
        patience: float,
        on_message: Callable[[Leases, DeliveredMessage], None],
        on_cancelled: Callable[[str], None],
    ) -> None:
        self.channel = channel
        self._queue = queue
        self._patience = patience
        self._on_message = on_message
        self._on_cancelled = on_cancelled
        self._subscriptions: dict[str, _Subscription] = {}
        self._tags = map(str, itertools.count())
        self._changing = asyncio.Lock()
        channel.on_consumer_cancel_callbacks.add(self._cancelled)

    @property
    def is_void(self) -> bool:
        """The channel has ended, and all leases with it."""
        return self.channel.is_closed

    @property
    def free(self) -> int:
        """Messages that the server may still send."""
        return sum(subscription.free for subscription in self._subscriptions.values())

    @property
    def consumers(self) -> int:
        """How many consumers the server counts here: those that are cancelled, too, while they hold messages."""
        return len(self._subscriptions)

    async def grow(self, credit: int) -> None:
        """Let the server send so many more messages; `TimeoutError` if it does not answer."""
        async with self._changing:
            tag = next(self._tags)
            self._subscriptions[tag] = _Subscription(credit)
            try:
                await detached(self._subscribe(tag, credit), self.channel, self._patience)
            except (Lost, Refused):
                del self._subscriptions[tag]
                raise

    async def shrink(self, wanted: int) -> None:
        """Return when the server will send no more messages than are wanted, and the last of the others have come."""
        async with self._changing:
            for tag, subscription in list(self._subscriptions.items()):
                if self.free <= wanted:
                    return
                if subscription.free:
                    await self._close(tag, subscription)

    async def ack(self, delivery: RabbitmqDelivery, wanted: int) -> None:
        """Settle a message without making the server send more than is wanted."""
        subscription = self._subscriptions[delivery.subscription]
        if subscription.is_open and self.free >= wanted:
            await self._close(delivery.subscription, subscription)
        await detached(self.channel.basic_ack(delivery.tag, wait=False), self.channel)
        self._settled(delivery, subscription)

    async def give_back(self, delivery: RabbitmqDelivery) -> None:
        """Let the queue deliver it to somebody else."""
        await detached(self.channel.basic_nack(delivery.tag, requeue=True, wait=False), self.channel)
        self._settled(delivery, self._subscriptions[delivery.subscription])

    async def close(self) -> None:
        """End the channel; what is still held goes back to the queue."""
        with contextlib.suppress(Lost, Refused):
            await detached(self.channel.close(), self.channel)

    async def _subscribe(self, tag: str, prefetch: int) -> None:
        await self.channel.basic_qos(prefetch_count=prefetch)
        await self.channel.basic_consume(self._queue, self._arrived, consumer_tag=tag)

    async def _close(self, tag: str, subscription: _Subscription) -> None:
        subscription.is_open = False
        await detached(self.channel.basic_cancel(tag), self.channel, self._patience)
        self._forget(tag, subscription)

    async def _arrived(self, message: DeliveredMessage) -> None:
        self._subscriptions[message.consumer_tag or ""].held += 1
        self._on_message(self, message)

    def _settled(self, delivery: RabbitmqDelivery, subscription: _Subscription) -> None:
        subscription.held -= 1
        self._forget(delivery.subscription, subscription)

    def _forget(self, tag: str, subscription: _Subscription) -> None:
        if not subscription.is_open and not subscription.held:
            self._subscriptions.pop(tag, None)

    def _cancelled(self, frame: Basic.Cancel) -> None:
        tag = frame.consumer_tag or ""
        self._subscriptions.pop(tag, None)
        self._on_cancelled(tag)
