"""Leasing from RabbitMQ: callers say how much they want, and one task per consumer keeps the server's credit at that."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections import deque
from collections.abc import Callable

import msgspec
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import AMQPChannelError

from ewms.brokers._rabbitmq_connection import Connection, detached
from ewms.brokers._rabbitmq_delivery import RabbitmqDelivery
from ewms.brokers._rabbitmq_errors import Lost, Refused
from ewms.brokers._rabbitmq_leases import Leases
from ewms.brokers.base import Consumer, Delivery
from ewms.core.errors import BrokerError, BrokerUnavailable

logger = logging.getLogger("ewms.brokers.rabbitmq")

GIVE_BACK_SECONDS = 0.5
"""After which the server may send no more to a consumer that nobody calls, and gets back what nobody took."""
_QUIET_SECONDS = 0.005
"""Of silence, after which nothing more is expected to follow a first message."""
_REST_SECONDS = 0.05
_RETRY_SECONDS = 0.1
_CLOSE_SECONDS = 2.0


class _Want(msgspec.Struct, eq=False):
    """A call that waits."""

    count: int
    """Messages that it takes at most."""
    news: asyncio.Future[None]
    """Done when there are some, or when it is known why there are none."""


class RabbitmqConsumer(Consumer):
    """One of many that share a queue. `lease` may be called by several tasks at once.

    Parameters
    ----------
    on_closed
        Called when it is closed and everything that it handed out is settled, or has gone back.
    """

    def __init__(self, connection: Connection, queue: str, on_closed: Callable[[RabbitmqConsumer], None]) -> None:
        self.queue = queue
        self._connection = connection
        self._on_closed = on_closed
        self._leases: Leases | None = None
        self._held: set[RabbitmqDelivery] = set()
        self._arrived: deque[RabbitmqDelivery] = deque()
        self._wants: list[_Want] = []
        self._spare = 0
        self._idle_since = 0.0
        self._refused_since = 0.0
        self._needed = asyncio.Event()
        self._is_closed = False
        self._tending = connection.spawn(self._tend())
        connection.listeners.add(self)

    @property
    def consumers(self) -> int:
        """How many consumers the server counts for this one."""
        return 0 if self._leases is None else self._leases.consumers

    @property
    def held(self) -> int:
        """Messages that the server regards as leased."""
        return len(self._held)

    @property
    def held_again(self) -> int:
        """Those of them that were delivered before."""
        return sum(delivery.redelivered for delivery in self._held)

    async def lease(self, count: int, wait: float) -> list[Delivery]:
        """As in the contract; `BrokerRejected` if the queue does not exist or its user may not read it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        want = _Want(count, loop.create_future())
        self._wants.append(want)
        unfilled = 0
        try:
            while not self._arrived:
                if not await self._news(want, deadline):
                    unfilled = count
                    return []
            await self._rest(count)
            taken: list[Delivery] = [self._arrived.popleft() for _ in range(min(count, len(self._arrived)))]
            unfilled = count - len(taken)
            return taken
        finally:
            self._wants.remove(want)
            if want.news.done():
                want.news.exception()  # it may not have been read, if there were messages as well
            self._wake()
            if not self._wants:
                self._spare = unfilled
                self._idle_since = loop.time()
                loop.call_later(GIVE_BACK_SECONDS, self._needed.set)
            self._needed.set()

    async def drop(self) -> None:
        """Make the server forget what is leased, without telling those who work on it."""
        self._arrived.clear()
        for delivery in list(self._held):
            await delivery.ack()

    async def close(self) -> None:
        """Stop leasing, and give back what was not handed out."""
        if self._is_closed:
            return
        self._is_closed = True
        self._fail(self._closed())
        self._tending.cancel()
        await asyncio.gather(self._tending, return_exceptions=True)
        self._spare = 0
        if self._leases is not None:
            with contextlib.suppress(Lost, Refused, TimeoutError):
                await detached(self._withdraw(self._leases), self._leases.channel, _CLOSE_SECONDS)
        await self._end_if_settled()

    def on_lost(self) -> None:
        """All leases have gone back to the queue with the connection."""
        self._void()

    def on_back(self) -> None:
        """Ask the new connection."""
        self._needed.set()

    async def _news(self, want: _Want, deadline: float) -> bool:
        """Whether there are any before the deadline (loop time); raises the reason why there are none."""
        if self._is_closed:
            raise self._closed()
        loop = asyncio.get_running_loop()
        if want.news.done():
            want.news = loop.create_future()
        self._needed.set()
        await asyncio.wait({want.news}, timeout=max(0.0, deadline - loop.time()))
        if not want.news.done():
            return False
        want.news.result()
        return True

    async def _rest(self, count: int) -> None:
        """Wait for what follows the first message at once."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _REST_SECONDS
        before = 0
        while before < len(self._arrived) < count and loop.time() < end:
            before = len(self._arrived)
            await asyncio.sleep(_QUIET_SECONDS)

    async def _tend(self) -> None:
        while True:
            await self._needed.wait()
            self._needed.clear()
            try:
                await self._adjust()
                self._refused_since = 0.0
            except Lost:
                self._void()
                await asyncio.sleep(_RETRY_SECONDS)
            except Refused as refused:
                self._void()
                await self._bear(refused)
            except TimeoutError:
                self._void()
                shown = self._connection.shown
                self._fail(BrokerUnavailable(f"queue {self.queue} at {shown} is out of order; see the server's log"))
            except BrokerError as error:
                self._fail(error)

    async def _adjust(self) -> None:
        """Bring the server's credit to what callers want."""
        if self._wants and self._leases is None:
            self._leases = await self._open()
        leases = self._leases
        if leases is None:
            return
        wanted = self._wanted()
        if self._wants and 2 * leases.free < wanted:
            await leases.grow(wanted - leases.free)
        elif leases.free > wanted:
            await leases.shrink(wanted)
        if not self._wants and asyncio.get_running_loop().time() - self._idle_since >= GIVE_BACK_SECONDS:
            self._spare = 0
            await self._withdraw(leases)

    async def _open(self) -> Leases:
        connection = self._connection
        deadline = max(connection.gives_up_at, asyncio.get_running_loop().time() + _RETRY_SECONDS)
        channel = await connection.channel(deadline)
        leases = Leases(channel, self.queue, connection.patience, self._on_message, self._on_cancelled)
        channel.closing.add_done_callback(functools.partial(self._on_channel_closed, leases))
        return leases

    async def _withdraw(self, leases: Leases) -> None:
        await leases.shrink(0)
        while self._arrived and not self._wants:
            delivery = self._arrived.popleft()
            self._held.discard(delivery)
            await leases.give_back(delivery)

    async def _bear(self, refused: Refused) -> None:
        """A queue that has no leader may have one in a moment; anything else is for the callers."""
        now = asyncio.get_running_loop().time()
        self._refused_since = self._refused_since or now
        if refused.is_final or now - self._refused_since >= self._connection.patience:
            self._refused_since = 0.0
            self._fail(refused.as_rejection(self.queue, self._connection.shown))
        else:
            await asyncio.sleep(_RETRY_SECONDS)
            self._needed.set()

    def _wanted(self) -> int:
        if self._wants:
            return max(0, sum(want.count for want in self._wants) - len(self._arrived))
        return self._spare

    def _on_message(self, leases: Leases, message: DeliveredMessage) -> None:
        delivery = RabbitmqDelivery(message, functools.partial(self._settle, leases))
        self._held.add(delivery)
        self._arrived.append(delivery)
        self._wake()
        if not self._wants:
            asyncio.get_running_loop().call_later(GIVE_BACK_SECONDS, self._needed.set)

    def _on_cancelled(self, subscription: str) -> None:
        """The queue was deleted, or the server has lost patience."""
        for delivery in [delivery for delivery in self._held if delivery.subscription == subscription]:
            delivery.is_settled = True
            self._held.discard(delivery)
        self._arrived = deque(delivery for delivery in self._arrived if not delivery.is_settled)
        self._needed.set()

    async def _settle(self, leases: Leases, delivery: RabbitmqDelivery) -> None:
        self._connection.require_open()
        if delivery.is_settled or leases.is_void:
            return
        delivery.is_settled = True
        self._held.discard(delivery)
        with contextlib.suppress(Lost, Refused, TimeoutError):
            await detached(leases.ack(delivery, self._wanted()), leases.channel)
        if self._is_closed:
            await self._end_if_settled()

    async def _end_if_settled(self) -> None:
        if self._held:
            return
        self._connection.listeners.discard(self)
        leases, self._leases = self._leases, None
        if leases is not None:
            await leases.close()
        self._on_closed(self)

    def _on_channel_closed(self, leases: Leases, closing: asyncio.Future[None]) -> None:
        error = None if closing.cancelled() else closing.exception()
        limit = Refused(error).held_too_long if isinstance(error, AMQPChannelError) else None
        if limit is not None:
            logger.error(
                "lease_lost queue=%s reason=the server lets nobody hold a message for more than %g s; "
                "give tasks a lower timeout, or raise its consumer_timeout",
                self.queue,
                limit,
            )
        if leases is self._leases:
            self._void()

    def _void(self) -> None:
        """Forget a channel that has ended, or is of no use; the server has what was leased on it."""
        leases, self._leases = self._leases, None
        if leases is not None and not leases.is_void:
            self._connection.spawn(leases.close())
        self._arrived.clear()
        self._held.clear()
        self._needed.set()
        if self._is_closed:
            self._connection.listeners.discard(self)
            self._on_closed(self)

    def _wake(self) -> None:
        if self._arrived:
            for want in self._wants:
                if not want.news.done():
                    want.news.set_result(None)

    def _fail(self, error: BrokerError) -> None:
        for want in self._wants:
            if not want.news.done():
                want.news.set_exception(type(error)(str(error)))

    def _closed(self) -> BrokerUnavailable:
        return BrokerUnavailable(f"the consumer of queue {self.queue} is closed")
