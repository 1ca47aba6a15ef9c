"""What changed, told at once to whoever waits: over the broker's signals, and inside a process without one.

A signal may be lost, so news says where to look and never what to believe; whoever waits also looks once a second.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from ewms.brokers.base import Broker
from ewms.core.errors import EwmsError

TOPIC = "ewms-news"
WAIT_SECONDS = 1.0
"""Longest wait of a listener: what a lost signal costs."""
_RETRY_SECONDS = 1.0
_log = logging.getLogger("ewms.news")


class Item(NamedTuple):
    """Something changed."""

    kind: str
    """Of what: a collection of the store."""
    key: str
    """Which: its key there."""


class _Signal(msgspec.Struct, frozen=True):
    kind: str
    key: str
    sender: str = ""


_decode = msgspec.json.Decoder(_Signal).decode


class Listener:
    """Collects news for one reader, each item once until it is read."""

    def __init__(self, kinds: frozenset[str], *, own: bool) -> None:
        self.own = own
        """Whether it hears what its own process publishes."""
        self._kinds = kinds
        self._items: dict[Item, None] = {}
        self._filled = asyncio.Event()

    def put(self, item: Item) -> None:
        """Take in an item, if it is of a kind that is listened to."""
        if not self._kinds or item.kind in self._kinds:
            self._items[item] = None
            self._filled.set()

    async def wait(self, seconds: float = WAIT_SECONDS) -> list[Item]:
        """What came since the last call, as soon as there is any; nothing after that many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return []
        self._filled.clear()
        items, self._items = list(self._items), {}
        return items


class News:
    """A process's share of the news; an asynchronous context manager, which listens while it is entered.

    Parameters
    ----------
    broker
        Connected; None where one process is all there is.
    """

    def __init__(self, broker: Broker | None = None) -> None:
        self._broker = broker
        self._sender = secrets.token_hex(4)
        self._listeners: set[Listener] = set()
        self._hearing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._broker is not None:
            self._hearing = asyncio.create_task(self._hear(self._broker))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)

    async def publish(self, kind: str, key: str) -> None:
        """Tell everybody who listens, here and elsewhere. Waits for nobody and never raises."""
        for listener in self._listeners:
            if listener.own:
                listener.put(Item(kind, key))
        if self._broker is not None:
            await self._broker.signal(TOPIC, msgspec.json.encode(_Signal(kind, key, self._sender)))

    @contextmanager
    def listener(self, *kinds: str, own: bool = True) -> Iterator[Listener]:
        """Hears news of some kinds, or of all, inside the block; also what is published here, if `own`."""
        listener = Listener(frozenset(kinds), own=own)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def _hear(self, broker: Broker) -> None:
        while True:
            try:
                async with broker.signals(TOPIC) as signals:
                    async for body in signals:
                        self._take(body)
            except EwmsError as error:
                _log.warning("news_interrupted", extra={"reason": str(error)})
            await asyncio.sleep(_RETRY_SECONDS)

    def _take(self, body: bytes) -> None:
        try:
            signal = _decode(body)
        except msgspec.MsgspecError:
            _log.warning("news_unreadable", extra={"bytes": len(body)})
            return
        if signal.sender != self._sender:
            for listener in self._listeners:
                listener.put(Item(signal.kind, signal.key))
