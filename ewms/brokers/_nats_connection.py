"""One connection to NATS that comes back after anything, with its subscriptions.

nats-py's own reconnection is switched off: it ends silently on some errors, gives up for good on others, and hides why.
Here a lost client is thrown away and a new one opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec
from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from ewms.brokers._nats_client import Subscription, discard, new_inbox, open_client
from ewms.brokers._nats_errors import connection_error, permission_missing, violation
from ewms.brokers._nats_url import NatsAddress
from ewms.core.errors import BrokerError, BrokerUnavailable

logger = logging.getLogger("ewms.brokers.nats")

CONNECT_SECONDS = 4.0
"""For one attempt to connect, all servers of the URL included."""
_STARTING_SECONDS = 2.0
"""For which the first connection is tried again when nobody answers; a server may be starting."""
ANSWER_SECONDS = 5.0
"""After which a request is repeated."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_GOODBYE_SECONDS = 0.5


class Listener(Protocol):
    """Somebody whose requests are answered through a subscription instead of `Connection.request`."""

    subject: str
    """Where its requests go."""

    def on_lost(self) -> None:
        """The connection is gone, and all requests with it."""

    def on_denied(self, error: BrokerError) -> None:
        """The user may not publish to `subject`."""


class _Waiting(msgspec.Struct):
    subject: str
    answer: asyncio.Future[Msg]


class Connection:
    """A supervised connection.

    Parameters
    ----------
    address
        Where, and as whom.
    patience
        Seconds for which to wait for the server to come back before callers are told.
    """

    def __init__(self, address: NatsAddress, patience: float) -> None:
        self.shown = address.shown
        self.patience = patience
        self.listeners: set[Listener] = set()
        self.max_payload = 0
        self._address = address
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._is_closed = False
        self._lost_at = 0.0
        self._trouble: BrokerError = BrokerUnavailable(f"the connection to {address.shown} is not open")
        self._tokens = itertools.count()
        self._waiting: dict[str, _Waiting] = {}
        self._subscriptions: set[Subscription] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._retiring: set[asyncio.Task[None]] = set()
        self._inbox = self.new_inbox()
        self._deaf: BrokerError | None = None

    @property
    def gives_up_at(self) -> float:
        """Loop time at which the patience with a lost connection ends."""
        return self._lost_at + self.patience

    def new_inbox(self) -> str:
        """A subject for answers, which nobody else uses."""
        return new_inbox(self._address)

    async def open(self) -> None:
        """Connect, or `BrokerUnavailable` or `BrokerRejected` within `CONNECT_SECONDS`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _STARTING_SECONDS
        deadline = loop.time() + CONNECT_SECONDS
        while True:
            try:
                await self._connect(deadline)
                break
            except BrokerUnavailable:
                if loop.time() >= end:
                    raise
                await asyncio.sleep(0.1)
        await self.subscribe(f"{self._inbox}.*", self._on_answer)

    async def close(self) -> None:
        """Send what is written, and disconnect. Idempotent."""
        self._is_closed = True
        self._trouble = BrokerUnavailable(f"the connection to {self.shown} is closed")
        if self._retiring and self._up.is_set():
            # nats-py's read loop dies when the flush of a cancelled drain is answered.
            await asyncio.wait(self._retiring, timeout=_GOODBYE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        client, self._client = self._client, None
        if client is not None:
            await discard(client)
        self._fail_waiting()
        self._up.set()

    async def ready(self, deadline: float) -> Client:
        """The client, once connected; the reason as a `BrokerError` if it is not by then (loop time)."""
        if self._client is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    while self._client is None and not self._is_closed:
                        await self._up.wait()
        if self._client is None:
            raise type(self._trouble)(str(self._trouble))
        return self._client

    async def tell(self, subject: str, body: bytes = b"", reply: str = "", headers: dict[str, str] | None = None) -> None:
        """Send without waiting for an answer; `BrokerUnavailable` if there is no connection within the patience."""
        deadline = asyncio.get_running_loop().time() + self.patience
        while True:
            client = await self.ready(deadline)
            with contextlib.suppress(ConnectionError):
                return await self._send(client, subject, body, reply, headers)

    async def shout(self, subject: str, body: bytes) -> None:
        """Send if there is a connection right now."""
        if self._client is not None and not self._is_closed:
            with contextlib.suppress(ConnectionError):
                await self._send(self._client, subject, body)

    async def request(
        self, subject: str, body: bytes = b"", headers: dict[str, str] | None = None, *, deadline: float | None = None
    ) -> Msg:
        """Send until there is an answer, whatever it says.

        Parameters
        ----------
        deadline
            Loop time after which `BrokerUnavailable` is raised, from now on the patience by default.
        """
        loop = asyncio.get_running_loop()
        if deadline is None:
            deadline = loop.time() + self.patience
        while True:
            client = await self.ready(deadline)
            try:
                return await self._ask(client, subject, body, headers, min(deadline, loop.time() + ANSWER_SECONDS))
            except (TimeoutError, ConnectionError) as error:
                if loop.time() >= deadline:
                    if not client.is_connected:  # it may be closing still, and know why
                        raise connection_error(client.last_error or error, self.shown) from error
                    raise BrokerUnavailable(f"{self.shown} does not answer; check that the server runs") from error

    async def ask_once(self, subject: str, body: bytes, headers: dict[str, str], within: float) -> Msg:
        """Send one time; `TimeoutError` or `ConnectionError` where no answer comes in that many seconds."""
        if self._client is None:
            raise ConnectionError("there is no connection at the moment")
        return await self._ask(self._client, subject, body, headers, asyncio.get_running_loop().time() + within)

    async def subscribe(self, subject: str, callback: Callable[[Msg], None]) -> Subscription:
        """Have messages handed over as they arrive, by a function that neither blocks nor raises."""
        subscription = Subscription(subject, callback)
        self._subscriptions.add(subscription)
        if self._client is not None:
            with contextlib.suppress(errors.Error):  # lost just now: it is bound to the next client
                await subscription.bind(self._client)
        return subscription

    def retire(self, subscription: Subscription) -> asyncio.Task[None]:
        """Unsubscribe, and hand over what is under way, until the task ends."""
        self._subscriptions.discard(subscription)
        task = self.spawn(subscription.drain())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
        return task

    async def settle(self) -> None:
        """Return when the server has seen all that was sent, or the connection is lost."""
        if self._client is not None:
            # In a task of its own: nats-py's read loop dies when a cancelled flush is answered.
            await asyncio.wait({self.spawn(self._flush(self._client))})

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside, until the connection is closed at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _connect(self, deadline: float) -> None:
        self._deaf = None
        client = await open_client(self._address, deadline, self._on_error, self._on_closed)
        bound: set[Subscription] = set()
        try:
            while missing := self._subscriptions - bound:  # there may be new ones after each step
                for subscription in missing:
                    await subscription.bind(client)
                bound |= missing
            if not client.is_connected:
                raise errors.ConnectionClosedError
        except errors.Error as error:
            await discard(client)
            raise connection_error(client.last_error or error, self.shown) from error
        self._client = client
        self.max_payload = client.max_payload
        self._up.set()

    async def _reconnect(self) -> None:
        pause = _FIRST_PAUSE
        while not self._is_closed:  # `asyncio.wait_for` of 3.11 loses a cancellation that comes as it ends
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  spreads, hides nothing
            pause = min(_LONGEST_PAUSE, 2 * pause)
            try:
                await self._connect(asyncio.get_running_loop().time() + CONNECT_SECONDS)
            except BrokerError as error:
                self._trouble = error
            else:
                logger.info("broker_back address=%s", self.shown)
                return

    async def _send(
        self, client: Client, subject: str, body: bytes, reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        try:
            await client.publish(subject, body, reply, headers)
        except errors.Error as error:
            self._on_closed(client)
            raise ConnectionError(str(error)) from error

    async def _ask(self, client: Client, subject: str, body: bytes, headers: dict[str, str] | None, deadline: float) -> Msg:
        if self._deaf is not None:
            raise self._deaf
        token = f"{next(self._tokens):x}"
        waiting = self._waiting[token] = _Waiting(subject, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout_at(deadline):
                await self._send(client, subject, body, f"{self._inbox}.{token}", headers)
                return await waiting.answer
        finally:
            del self._waiting[token]
            if waiting.answer.done() and not waiting.answer.cancelled():
                waiting.answer.exception()  # it may have failed before anybody waited for it

    def _on_answer(self, message: Msg) -> None:
        waiting = self._waiting.get(message.subject.rpartition(".")[2])
        if waiting is not None and not waiting.answer.done():
            waiting.answer.set_result(message)

    async def _on_error(self, error: Exception) -> None:
        denied = violation(error)
        if denied is None:
            return
        verb, subject = denied
        logger.warning("permission_missing address=%s verb=%s subject=%s", self.shown, verb, subject)
        if subject.startswith(self._inbox.lower()):
            self._deaf = permission_missing(verb, f"{self._inbox}.*", self.shown)
        for waiting in self._waiting.values():
            if (self._deaf is not None or waiting.subject.lower() == subject) and not waiting.answer.done():
                waiting.answer.set_exception(self._deaf or permission_missing(verb, waiting.subject, self.shown))
        for listener in self.listeners:
            if listener.subject.lower() == subject:
                listener.on_denied(permission_missing(verb, listener.subject, self.shown))

    def _on_closed(self, client: Client) -> None:
        if client is not self._client or self._is_closed:
            return
        self._client = None
        self._up.clear()
        self._lost_at = asyncio.get_running_loop().time()
        self._trouble = connection_error(client.last_error or ConnectionError("connection lost"), self.shown)
        logger.warning("broker_lost address=%s error=%s", self.shown, self._trouble)
        self._fail_waiting()
        for listener in self.listeners:
            listener.on_lost()
        self.spawn(self._reconnect())

    def _fail_waiting(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(ConnectionError("connection lost"))

    async def _flush(self, client: Client) -> None:
        with contextlib.suppress(errors.Error):
            await client.flush()
