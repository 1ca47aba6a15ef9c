"""Leasing from a JetStream consumer by one-shot pull requests over a standing subscription.

A pull asks for what the caller can take, and ends with the first messages that there are: nothing waits in a buffer
while its lease runs. nats-py's own `fetch` loses messages for a whole lease when it is cancelled.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections import deque
from collections.abc import Callable

import msgspec
from nats.aio.msg import Msg

from ewms.brokers._nats_client import Subscription
from ewms.brokers._nats_connection import Connection
from ewms.brokers._nats_delivery import NatsDelivery
from ewms.brokers._nats_jetstream import CONSUMER, JetStream, stream_name
from ewms.brokers.base import Consumer, Delivery
from ewms.core.errors import BrokerError, BrokerUnavailable

PULL_SECONDS = 10.0
"""After which a pull is repeated, in case the server has forgotten it."""
GIVE_BACK_SECONDS = 0.5
"""After which a message that nobody called for goes back to the queue."""
_OVERDUE_SECONDS = 0.5
"""Allowed to the server's word that a pull has ended."""
_REST_SECONDS = 0.05
"""In which the rest of a pull follows its first message."""
_PAUSE_SECONDS = 0.2
_ENDINGS = frozenset({"404", "408"})
"""No more messages, time is up. Everything else means that something is wrong with the queue or the server."""


class _Pull(msgspec.Struct):
    """A request that the server has not answered in full."""

    subject: str
    """Its ending comes here."""
    missing: int
    """Messages that may still come."""
    ends_at: float
    """Loop time."""


class NatsConsumer(Consumer):
    """One of many that share a queue. `lease` may be called by several tasks at once.

    Parameters
    ----------
    on_closed
        Called when it is closed.
    """

    def __init__(
        self, connection: Connection, jetstream: JetStream, queue: str, on_closed: Callable[[NatsConsumer], None]
    ) -> None:
        self.subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream_name(queue)}.{CONSUMER}"
        self._connection = connection
        self._jetstream = jetstream
        self._queue = queue
        self._on_closed = on_closed
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._numbers = itertools.count()
        self._pull: _Pull | None = None
        self._asks_for_one = False
        self._arrived: deque[NatsDelivery] = deque()
        self._callers = 0
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._trouble = ""
        self._trouble_since = 0.0
        self._error: BrokerError | None = None
        connection.listeners.add(self)

    async def lease(self, count: int, wait: float) -> list[Delivery]:
        """As in the contract; `BrokerRejected` if the queue does not exist or its user may not lease."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        self._callers += 1
        try:
            while self._error is None:
                if not self._arrived and self._pull is None:
                    await self._ask(count, deadline)
                await self._answered(count, deadline)
                if self._arrived:
                    return [self._arrived.popleft() for _ in range(min(count, len(self._arrived)))]
                if self._trouble:
                    await self._look_into_trouble(deadline)
                if loop.time() >= deadline:
                    return []
            raise type(self._error)(str(self._error))
        finally:
            self._callers -= 1
            self._rest()

    async def close(self) -> None:
        """Stop leasing, and give back what was not handed out."""
        self._error = BrokerUnavailable(f"the consumer of queue {self._queue} is closed")
        self._changed.set()
        self._connection.listeners.discard(self)
        if self._subscription is not None:
            await asyncio.wait({self._connection.retire(self._subscription)}, timeout=_OVERDUE_SECONDS)
            self._subscription = None
        if self._timer is not None:
            self._timer.cancel()
        await self._give_back()
        self._on_closed(self)

    def on_lost(self) -> None:
        """The server forgets pulls when the connection ends."""
        self._pull = None
        self._changed.set()

    def on_denied(self, error: BrokerError) -> None:
        """The user may not pull."""
        self._error = error
        self._changed.set()

    async def _ask(self, count: int, deadline: float) -> None:
        """Send a pull, unless there is no connection in time."""
        loop = asyncio.get_running_loop()
        try:
            await self._connection.ready(min(deadline, self._connection.gives_up_at))
        except BrokerError:
            if loop.time() >= self._connection.gives_up_at:
                raise
            return
        if self._subscription is None:
            await self._subscribe()
        if self._pull is not None or self._arrived:  # another caller was faster
            return
        seconds = min(PULL_SECONDS, max(0.0, deadline - loop.time()))
        batch = 1 if self._asks_for_one else count
        self._pull = _Pull(f"{self._inbox}.{next(self._numbers)}", batch, loop.time() + seconds)
        mode = b"" if self._asks_for_one and seconds else b',"no_wait":true'
        expires = b',"expires":%d' % (seconds * 1e9) if seconds else b""
        await self._connection.tell(self.subject, b'{"batch":%d%b%b}' % (batch, mode, expires), self._pull.subject)

    async def _subscribe(self) -> None:
        inbox = self._connection.new_inbox()
        subscription = await self._connection.subscribe(f"{inbox}.*", functools.partial(self._on_message, inbox))
        if self._subscription is None:
            self._inbox, self._subscription = inbox, subscription
        else:  # another caller was faster
            self._connection.retire(subscription)

    async def _answered(self, count: int, deadline: float) -> None:
        """Return when the pull has ended or enough is there, or when it should have ended."""
        now = asyncio.get_running_loop().time
        while (pull := self._pull) is not None and len(self._arrived) < count and self._error is None:
            if self._arrived:
                end = now() + _REST_SECONDS
            elif pull.ends_at < deadline + _REST_SECONDS:
                end = pull.ends_at + _OVERDUE_SECONDS
            else:  # another caller's, who waits longer
                end = deadline
            self._changed.clear()
            try:
                async with asyncio.timeout_at(end):
                    await self._changed.wait()
            except TimeoutError:
                if now() > pull.ends_at:
                    self._withdraw()
                return

    def _on_message(self, inbox: str, message: Msg) -> None:
        pull = self._pull if inbox == self._inbox else None
        if message.reply:
            self._arrived.append(NatsDelivery(message, self._connection))
            self._asks_for_one = False
            self._trouble = ""
            self._changed.set()
            if pull is not None:
                pull.missing -= 1
                if pull.missing <= 0:
                    self._pull = None
            if not self._callers:
                self._rest()
        elif pull is not None and message.subject == pull.subject:
            self._on_ending(pull, message.headers or {})

    def _on_ending(self, pull: _Pull, headers: dict[str, str]) -> None:
        now = asyncio.get_running_loop().time()
        if headers.get("Status") in _ENDINGS:
            self._trouble = ""
            # A server refuses one-shot pulls when it believes that others waiting suffice for what is there.
            self._asks_for_one = not self._arrived and now < pull.ends_at - _PAUSE_SECONDS
        elif not self._trouble:
            self._trouble = headers.get("Description", "").strip() or "no answer"
            self._trouble_since = now
        self._end_pull()

    def _end_pull(self) -> None:
        self._pull = None
        self._changed.set()

    async def _look_into_trouble(self, deadline: float) -> None:
        now = asyncio.get_running_loop().time()
        await self._jetstream.require(self._queue)
        if now >= self._trouble_since + self._connection.patience:
            raise BrokerUnavailable(f"queue {self._queue} at {self._connection.shown} is out of order: {self._trouble}")
        await asyncio.sleep(min(_PAUSE_SECONDS, max(0.0, deadline - now)))

    def _withdraw(self) -> None:
        """Make the server forget the pull; what is under way still arrives."""
        self._end_pull()
        if self._subscription is not None:
            self._connection.retire(self._subscription)
            self._subscription = None
            self._inbox = ""

    def _rest(self) -> None:
        """When nobody calls any more: leave no pull behind, and keep no message for long."""
        if self._callers:
            return
        if self._pull is not None:
            self._withdraw()
        if self._arrived and self._error is not None:  # it came after the end
            self._connection.spawn(self._give_back())
        elif self._arrived and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(GIVE_BACK_SECONDS, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if not self._callers:
            self._connection.spawn(self._give_back())

    async def _give_back(self) -> None:
        while self._arrived:
            await self._arrived.popleft().give_back()
