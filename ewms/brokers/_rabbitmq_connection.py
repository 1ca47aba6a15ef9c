"""One connection to RabbitMQ that comes back after anything.

Built on aiormq, the protocol half of aio-pika. The other half, its robust connection, repeats declarations and consumers
of its own accord, which hides lost leases and remembers counts; here a lost connection is thrown away and a new one opened,
and each user of it starts afresh.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

import aiormq
from aiormq import exceptions
from aiormq.abc import AbstractChannel, AbstractConnection

from ewms.brokers._rabbitmq_errors import Lost, Refused, connection_error
from ewms.brokers._rabbitmq_url import RabbitmqAddress
from ewms.core.errors import BrokerError, BrokerUnavailable

T = TypeVar("T")

logger = logging.getLogger("ewms.brokers.rabbitmq")

CONNECT_SECONDS = 4.0
"""For one attempt to connect, all servers of the URL included."""
_STARTING_SECONDS = 2.0
"""For which the first connection is tried again when nobody answers; a server may be starting."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_RETRY_SECONDS = 0.2
_CLOSE_SECONDS = 2.0
_AFTERMATH_SECONDS = 0.1
"""In which aiormq tells those who wait that a connection is lost, and why."""
_LOOK_SECONDS = 0.3
"""Between two looks whether the server holds publishers back."""


class Listener(Protocol):
    """Somebody who has state at the server that ends with the connection."""

    def on_lost(self) -> None:
        """The connection is gone."""

    def on_back(self) -> None:
        """There is a new one."""


class _Client(aiormq.Connection):
    HEARTBEAT_GRACE_MULTIPLIER = 2
    """As AMQP says: a server is gone after two heartbeats, not three."""


async def detached(work: Awaitable[T], within: AbstractChannel | AbstractConnection, patience: float | None = None) -> T:
    """Do something with aiormq that a cancelled caller must not interrupt half-way.

    Parameters
    ----------
    within
        The connection or channel that it needs.
    patience
        Seconds to wait for it.

    Raises
    ------
    Lost
        The connection or channel ended meanwhile.
    Refused
        The server closed the channel because of it.
    TimeoutError
        It is not done in time; it goes on nevertheless.
    """
    task = asyncio.ensure_future(work)
    task.add_done_callback(_retrieve)
    closing = within.closing
    try:
        await asyncio.wait({task, closing}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if closing.done() and not task.done():
            await asyncio.wait({task}, timeout=_AFTERMATH_SECONDS)
            task.cancel()  # whoever waits for room in aiormq's queue is forgotten there
            await asyncio.wait({task})
    finally:
        closing.cancel()
    if not task.done():
        raise TimeoutError
    if task.cancelled():  # by aiormq, if not here
        raise _reason(closing)
    try:
        return task.result()
    except exceptions.ChannelClosed as error:
        raise _told(error) from error
    except (exceptions.AMQPConnectionError, exceptions.ChannelInvalidStateError, ConnectionError, RuntimeError) as error:
        raise Lost(str(error) or "connection lost") from error


def _reason(closing: asyncio.Future[None]) -> Exception:
    error = closing.exception() if closing.done() and not closing.cancelled() else None
    return _told(error) if isinstance(error, exceptions.ChannelClosed) else Lost("connection lost")


def _told(error: exceptions.ChannelClosed) -> Exception:
    """Whether it was because of what was asked on the channel."""
    return Lost(str(error)) if type(error) is exceptions.ChannelClosed else Refused(error)


def _retrieve(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()


class Connection:
    """A supervised connection.

    Parameters
    ----------
    address
        Where, and as whom.
    patience
        Seconds for which to wait for the server to come back before callers are told.
    name
        What the server's own lists call it.
    """

    def __init__(self, address: RabbitmqAddress, patience: float, name: str) -> None:
        self.shown = address.shown
        self.patience = patience
        self.listeners: set[Listener] = set()
        self.server_version = (0, 0)
        self.is_blocked = False
        """The server holds publishers back, for want of memory or disk."""
        self.is_closed = False
        self._address = address
        self._name = name
        self._client: _Client | None = None
        self._changed = asyncio.Event()
        self._lost_at = 0.0
        self._trouble: BrokerError = BrokerUnavailable(f"the connection to {address.shown} is not open")
        self._tasks: set[asyncio.Task[None]] = set()
        # What aiormq says of a lost connection is a page long; it is said again here, in one line.
        logging.getLogger("aiormq").setLevel(logging.CRITICAL)

    @property
    def gives_up_at(self) -> float:
        """Loop time at which the patience with a lost connection ends."""
        return self._lost_at + self.patience

    async def open(self) -> None:
        """Connect, or `BrokerUnavailable` or `BrokerRejected` within `CONNECT_SECONDS`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _STARTING_SECONDS
        deadline = loop.time() + CONNECT_SECONDS
        while True:
            try:
                return await self._connect(deadline)
            except BrokerUnavailable:
                if loop.time() >= end:
                    raise
                await asyncio.sleep(0.1)

    async def close(self) -> None:
        """Send what is written, and disconnect. Idempotent."""
        self.is_closed = True
        self._trouble = BrokerUnavailable(f"the connection to {self.shown} is closed")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        client, self._client = self._client, None
        if client is not None:
            await _discard(client)
        self._tell(lambda listener: listener.on_lost())
        self._changed.set()

    def require_open(self) -> None:
        """Raise `BrokerUnavailable` once closed."""
        if self.is_closed:
            raise BrokerUnavailable(str(self._trouble))

    async def ready(self, deadline: float) -> _Client:
        """The client, once connected; the reason as a `BrokerError` if it is not by then (loop time)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while self._client is None and not self.is_closed:
                    self._changed.clear()
                    await self._changed.wait()
        if self._client is None:
            raise type(self._trouble)(str(self._trouble))
        return self._client

    async def channel(self, deadline: float, *, confirms: bool = False) -> AbstractChannel:
        """A new channel; `Lost` where the connection breaks meanwhile."""
        client = await self.ready(deadline)
        return await detached(client.channel(publisher_confirms=confirms, on_return_raises=True), client)

    async def ask(self, queue: str, work: Callable[[AbstractChannel], Awaitable[T]]) -> T:
        """Do something on a channel of its own, again while the server is away.

        Raises
        ------
        Refused
            The server has no such queue, has it with other settings, or denies a permission.
        """
        deadline = asyncio.get_running_loop().time() + self.patience
        while True:
            try:
                return await self._ask_once(deadline, work)
            except Lost as lost:
                trouble = str(lost)
            except Refused as refused:
                if refused.is_final:
                    raise
                trouble = refused.text  # such as: the queue has no leader yet
            except TimeoutError:
                trouble = "no answer in time"
            if asyncio.get_running_loop().time() >= deadline:
                raise BrokerUnavailable(f"{self.shown} cannot serve queue {queue}: {trouble}; see the server's log")
            await asyncio.sleep(_RETRY_SECONDS)

    async def flowing(self) -> None:
        """Return when the server does not hold publishers back, or the connection is lost or closed."""
        while self.is_blocked and not self.is_closed:
            self._changed.clear()
            await self._changed.wait()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside, until the connection is closed at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _ask_once(self, deadline: float, work: Callable[[AbstractChannel], Awaitable[T]]) -> T:
        channel = await self.channel(deadline)

        async def ask() -> T:
            try:
                return await work(channel)
            finally:
                await channel.close()

        return await detached(ask(), channel, max(0.0, deadline - asyncio.get_running_loop().time()))

    async def _connect(self, deadline: float) -> None:
        trouble: BrokerError = BrokerUnavailable(f"{self.shown} names no server")
        for server in self._address.servers:
            client = _Client(f"{server}&name={self._name}", context=self._address.tls)
            try:
                async with asyncio.timeout_at(deadline):
                    await client.connect()
            except (exceptions.AMQPError, OSError, TimeoutError) as error:
                trouble = connection_error(error, self.shown, self._address.vhost)
            else:
                return self._adopt(client)
        raise trouble

    def _adopt(self, client: _Client) -> None:
        self._client = client
        self.is_blocked = False
        self.server_version = _version(client.server_properties)
        client.closing.add_done_callback(lambda _: self._on_closed(client))
        self.spawn(self._watch(client))
        self._changed.set()

    async def _reconnect(self) -> None:
        pause = _FIRST_PAUSE
        while not self.is_closed:  # `asyncio.wait_for` of 3.11 loses a cancellation that comes as it ends
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  spreads, hides nothing
            pause = min(_LONGEST_PAUSE, 2 * pause)
            try:
                await self._connect(asyncio.get_running_loop().time() + CONNECT_SECONDS)
            except BrokerError as error:
                self._trouble = error
            else:
                logger.info("broker_back address=%s connection=%s", self.shown, self._name)
                self._tell(lambda listener: listener.on_back())
                return

    async def _watch(self, client: _Client) -> None:
        """Notice when the server begins and ceases to hold publishers back; aiormq tells only whoever asks."""
        while client is self._client:
            await asyncio.sleep(_LOOK_SECONDS)
            asking = asyncio.ensure_future(client.ready())
            if (await asyncio.wait({asking}, timeout=0))[0]:
                continue
            self.is_blocked = True
            logger.warning(
                "broker_blocked address=%s reason=it is short of memory or disk and takes no messages", self.shown
            )
            with contextlib.suppress(Lost):
                await detached(asking, client)
                logger.info("broker_unblocked address=%s", self.shown)
            self.is_blocked = False
            self._changed.set()

    def _on_closed(self, client: _Client) -> None:
        if client is not self._client or self.is_closed:
            return
        self._client = None
        self.is_blocked = False
        self._lost_at = asyncio.get_running_loop().time()
        self._trouble = BrokerUnavailable(f"no RabbitMQ server answers at {self.shown} (connection lost)")
        logger.warning("broker_lost address=%s connection=%s", self.shown, self._name)
        self._changed.set()
        self._tell(lambda listener: listener.on_lost())
        self.spawn(self._reconnect())

    def _tell(self, what: Callable[[Listener], None]) -> None:
        for listener in list(self.listeners):
            what(listener)


def _version(properties: Any) -> tuple[int, int]:
    major, minor = str(properties.get("version", "0.0")).split(".")[:2]
    return int(major), int(minor)


async def _discard(client: _Client) -> None:
    """Disconnect; within bounds, whatever the state of the connection."""
    with contextlib.suppress(exceptions.AMQPError, OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await client.close()
