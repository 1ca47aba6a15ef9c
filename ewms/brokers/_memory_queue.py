"""One queue in memory: a leased message comes back, at the front, when its lease ends without an ack."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import uuid
from collections import deque

import msgspec

from ewms.brokers.base import Depth, Inspection

DUPLICATE_SECONDS = 120.0


class Message(msgspec.Struct):
    """A message in a queue, from its publication to its ack."""

    body: bytes
    """As published."""
    message_id: str
    """Likewise."""
    deliveries: int = 0
    """How often it was leased."""


class MemoryQueue:
    """Messages in order, and who waits for them.

    Parameters
    ----------
    lease
        Seconds.
    """

    def __init__(self, lease: float) -> None:
        self.identity = uuid.uuid4().hex
        self.lease = lease
        self._messages: dict[int, Message] = {}
        self._ready: deque[int] = deque()
        self._leases: dict[int, asyncio.TimerHandle] = {}
        self._numbers = itertools.count()
        self._recent_ids: dict[str, float] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()

    @property
    def depth(self) -> Depth:
        """Exact at every moment."""
        return Depth(ready=len(self._messages) - len(self._leases), leased=len(self._leases))

    @property
    def inspection(self) -> Inspection:
        """Exact at every moment; consumers are those that wait."""
        depth = self.depth
        again = sum(self._messages[number].deliveries > 1 for number in self._leases)
        return Inspection(ready=depth.ready, leased=depth.leased, consumers=len(self._waiters), redelivered=again)

    def put(self, body: bytes, message_id: str) -> None:
        """Append a message, unless its id was used within two minutes."""
        now = asyncio.get_running_loop().time()
        self._forget_ids(now - DUPLICATE_SECONDS)
        if message_id in self._recent_ids:
            return
        self._recent_ids[message_id] = now
        number = next(self._numbers)
        self._messages[number] = Message(body, message_id)
        self._ready.append(number)
        self._wake_one()

    def take(self, count: int) -> list[tuple[int, Message]]:
        """Lease at most `count` messages, with their numbers."""
        taken: list[tuple[int, Message]] = []
        while self._ready and len(taken) < count:
            number = self._ready.popleft()
            message = self._messages.get(number)
            if message is not None:  # else it was acked by its former holder
                message.deliveries += 1
                self._start_lease(number)
                taken.append((number, message))
        return taken

    def renew(self, number: int, delivery: int) -> None:
        """Extend a lease, if it is still that of the message's `delivery`-th delivery."""
        if number in self._leases and self._messages[number].deliveries == delivery:
            self._start_lease(number)

    def ack(self, number: int) -> None:
        """Forget a message, whoever has it now."""
        self._messages.pop(number, None)
        self._end_lease(number)

    def purge(self) -> None:
        """Forget all messages, but not their ids."""
        for number in list(self._messages):
            self.ack(number)
        self._ready.clear()

    def wake_all(self) -> None:
        """Make everybody who waits look again."""
        while self._waiters:
            self._wake_one()

    async def changed(self) -> None:
        """Return when there may be something to take."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake_one()  # it was this waiter's turn: the next one takes it
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiters.remove(waiter)

    def _start_lease(self, number: int) -> None:
        self._end_lease(number)
        self._leases[number] = asyncio.get_running_loop().call_later(self.lease, self._expire, number)

    def _end_lease(self, number: int) -> None:
        if (timer := self._leases.pop(number, None)) is not None:
            timer.cancel()

    def _expire(self, number: int) -> None:
        del self._leases[number]
        self._ready.appendleft(number)
        self._wake_one()

    def _wake_one(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _forget_ids(self, before: float) -> None:
        old = itertools.takewhile(lambda message_id: self._recent_ids[message_id] < before, self._recent_ids)
        for message_id in list(old):
            del self._recent_ids[message_id]
