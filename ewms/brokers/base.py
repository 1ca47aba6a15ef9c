"""The broker contract. One suite, `tests/contract/test_broker.py`, runs over every broker."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

import msgspec


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker can do, as data."""

    durable: bool
    """Confirmed messages survive the death of the server."""
    multi_process: bool
    """Pilots in other processes can reach it."""
    multi_host: bool
    """Pilots on other hosts can reach it."""
    renewable_lease: bool
    """`Delivery.renew` extends the lease; otherwise the connection is the lease."""
    max_message_bytes: int
    """Largest message body."""
    redelivered_flag: bool
    """`Delivery.redelivered` is true from the second delivery on."""
    drops_repeats: bool = True
    """A publish that is repeated under its id within two minutes is dropped."""
    tells_depth: bool = True
    """`depth` and `inspect` are answered; otherwise they raise `BrokerRejected`."""
    max_lease_seconds: float | None = None
    """For how long a message can be held at most, however often its lease is renewed; None for any time."""


class Depth(msgspec.Struct, frozen=True):
    """How many messages a queue holds."""

    ready: int
    """Waiting for a consumer."""
    leased: int
    """Delivered and not acked."""


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be known about a queue at this moment."""

    ready: int
    """Waiting for a consumer."""
    leased: int
    """Delivered and not acked."""
    consumers: int
    """Consumers that are connected; where a broker knows of them only while they ask, those that ask."""
    redelivered: int
    """Leased messages that somebody else had before, or will be handed out again."""
    dead: int = 0
    """Messages that the broker itself has given up delivering, and keeps apart."""


class Message(msgspec.Struct, frozen=True):
    """A message to publish."""

    message_id: str
    """Minted once; a repeat under it is dropped by a broker that can."""
    body: bytes
    """What is in it."""


class Delivery(ABC):
    """One leased message."""

    body: bytes
    """As it was published."""
    redelivered: bool
    """It was delivered before, and that lease ended without an ack. Also set, rarely, where nobody saw the first
    delivery; not set where a killed server forgot it."""

    @property
    def message_id(self) -> str:
        """The id that it was published under, by whomever; empty where there was none or the broker does not tell."""
        return ""

    @property
    def sequence(self) -> str:
        """The broker's own name of the message, the same at each delivery, unique in its queue; empty where it has none."""
        return ""

    @abstractmethod
    async def renew(self) -> None:
        """Extend the lease to its full length from now. Never raises for a lease that is already lost.

        Raises `BrokerUnavailable` if the broker could not be told within its patience.
        """

    @abstractmethod
    async def ack(self) -> None:
        """The message is done with; the broker forgets it. A late or second ack does no harm.

        Raises `BrokerUnavailable` if the broker could not be told.
        """


class Consumer(ABC):
    """Leases messages of one queue; an asynchronous context manager that gives back what it did not hand out."""

    @abstractmethod
    async def lease(self, count: int, wait: float) -> list[Delivery]:
        """At least one and at most `count` messages as soon as there are any, or none after `wait` seconds.

        Cancelling a call loses no message: what was under way is handed out by the next call, or to another consumer
        within one lease. Survives a restart of the server; raises `BrokerUnavailable` after the broker's patience ends.
        """

    @abstractmethod
    async def close(self) -> None:
        """Stop leasing. What was handed out can still be renewed and acked."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Broker(ABC):
    """A connection to one broker; an asynchronous context manager.

    All methods raise `BrokerUnavailable` when nobody answers in time, and `BrokerRejected` for wrong credentials or
    missing permissions, or for a queue that does not exist (`delete` and `declare` excepted); both name the address
    without its credentials.
    """

    capabilities: Capabilities
    """Filled when connected."""

    @abstractmethod
    async def connect(self) -> None:
        """Connect, within 5 seconds or with one clear error."""

    @abstractmethod
    async def close(self) -> None:
        """Flush and disconnect. Idempotent."""

    @abstractmethod
    async def declare(self, queue: str, lease: float) -> str:
        """Make the queue exist, with leases of that many seconds; what is in it stays.

        Returns the identity of the queue's storage: a string that changes when the queue was deleted and made anew.
        """

    @abstractmethod
    async def delete(self, queue: str) -> None:
        """Make the queue not exist. Idempotent."""

    @abstractmethod
    async def purge(self, queue: str) -> None:
        """Drop all messages, leased ones included."""

    @abstractmethod
    async def depth(self, queue: str) -> Depth:
        """How many messages there are. The sum counts every confirmed message; acks may take a moment to show."""

    @abstractmethod
    async def inspect(self, queue: str) -> Inspection:
        """What an operator wants to know; figures may lag behind by a moment."""

    @abstractmethod
    async def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """Return when the broker has made the message durable.

        A repeat under the same id within two minutes is dropped by a broker that can. Raises `MessageTooLarge`.
        Tries again while the server is away, with the same id, up to the broker's patience.
        """

    async def publish_all(self, queue: str, messages: Sequence[Message]) -> None:
        """Return when the broker has made all of the messages durable; each as by `publish`, in no particular order."""
        publishing = [asyncio.create_task(self.publish(queue, each.body, each.message_id)) for each in messages]
        try:
            await asyncio.gather(*publishing)
        finally:
            for task in publishing:
                task.cancel()

    @abstractmethod
    async def consumer(self, queue: str) -> Consumer:
        """A consumer of a declared queue. Any number may share one queue."""

    @abstractmethod
    async def signal(self, topic: str, body: bytes) -> None:
        """Tell everybody who listens right now; lost on whoever does not. Never waits for anybody, never raises."""

    @abstractmethod
    def signals(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Listen to a topic; what is not read in time is dropped, oldest first."""

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
