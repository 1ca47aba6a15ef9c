"""Leasing from a shared subscription of Pulsar."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from pulsar.asyncio import PulsarException

from ewms.brokers.base import Consumer, Delivery
from ewms.core.errors import BrokerUnavailable

_QUIET_SECONDS = 0.02
"""Of silence, after which nothing more is expected to follow a first message."""


class PulsarDelivery(Delivery):
    """A message, held for as long as the connection of the consumer that it came to."""

    __slots__ = ("_require_open", "_subscription", "body", "message", "redelivered")

    def __init__(self, message: Any, subscription: Any, require_open: Callable[[], None]) -> None:
        self.message = message
        self.body: bytes = message.data()
        self.redelivered = message.redelivery_count() > 0
        self._subscription = subscription
        self._require_open = require_open

    async def renew(self) -> None:
        """Nothing to do: the connection is the lease."""

    async def ack(self) -> None:
        """As in the contract."""
        self._require_open()
        with contextlib.suppress(PulsarException):  # lost: the message comes to somebody else
            await self._subscription.acknowledge(self.message)


class PulsarConsumer(Consumer):
    """One of many that share a queue. `lease` may be called by several tasks at once.

    The client asks for one message ahead of what is leased: Pulsar knows no other way to wait. It goes back when the
    consumer is closed, and is flagged then although nobody saw it.

    Parameters
    ----------
    subscribe
        Makes Pulsar's own consumer, once it is needed: from then on it holds a message.
    require_open
        Raises when the broker is closed.
    """

    def __init__(self, queue: str, subscribe: Callable[[str], Awaitable[Any]], require_open: Callable[[], None]) -> None:
        self._queue = queue
        self._subscribe = subscribe
        self._subscription: Any = None
        self._require_open = require_open
        self._receiving: asyncio.Task[Any] | None = None
        self._turn = asyncio.Lock()
        self._closed = asyncio.Event()

    async def lease(self, count: int, wait: float) -> list[Delivery]:
        """As in the contract; a cancelled call leaves the message that was under way to the next one."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        taken: list[Delivery] = []
        async with self._turn:
            while len(taken) < count:
                patience = _QUIET_SECONDS if taken else max(0.0, deadline - loop.time())
                delivery = await self._next(patience)
                if delivery is None:
                    break
                taken.append(delivery)
        return taken

    async def close(self) -> None:
        """Stop leasing; what was under way goes back. What was handed out stays leased until the broker is closed."""
        self._closed.set()
        if self._receiving is not None and self._receiving.done() and not self._receiving.exception():
            await self._subscription.negative_acknowledge(self._receiving.result())

    async def _receive(self) -> Any:
        if self._subscription is None:
            self._subscription = await self._subscribe(self._queue)
        return await self._subscription.receive()

    async def _next(self, patience: float) -> Delivery | None:
        if self._receiving is None and not self._closed.is_set():
            self._receiving = asyncio.create_task(self._receive())
            self._receiving.add_done_callback(_retrieve)
        ending = asyncio.create_task(self._closed.wait())
        waiting = {ending, self._receiving} if self._receiving is not None else {ending}
        try:  # a cancelled `receive` would swallow the next message, so nobody cancels it
            await asyncio.wait(waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
        if self._closed.is_set():
            raise BrokerUnavailable(f"the consumer of queue {self._queue} is closed")
        receiving = self._receiving
        if receiving is None or not receiving.done():
            return None
        self._receiving = None
        try:
            message = receiving.result()
        except PulsarException as error:
            self._require_open()
            raise BrokerUnavailable(f"queue {self._queue} cannot be read: {error}; check that the server runs") from error
        return PulsarDelivery(message, self._subscription, self._require_open)


def _retrieve(task: asyncio.Task[Any]) -> None:
    """A message that nobody waits for any more may fail to come when the client is closed."""
    if not task.cancelled():
        task.exception()
