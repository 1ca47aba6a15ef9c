"""The supervised connection with a client library that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from nats.aio.client import Client

from ewms.brokers import _nats_connection
from ewms.brokers._nats_connection import Connection
from ewms.brokers._nats_url import NatsAddress
from ewms.core.errors import BrokerUnavailable

SECONDS = 10.0


class FakeClient(Client):
    """Connected to nothing."""

    @property
    def is_connected(self) -> bool:
        return True

    async def subscribe(self, *_: object, **__: object) -> None:  # type: ignore[override]
        """Nothing ever comes."""


class FakeLibrary:
    """Gives one client; later attempts go on until they are cancelled, and lose that, as `asyncio.wait_for` of 3.11 may."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.attempts = asyncio.Queue[None]()
        self._on_closed: Callable[[Client], None] | None = None

    async def open_client(
        self, _: NatsAddress, deadline: float, on_error: object, on_closed: Callable[[Client], None]
    ) -> Client:
        if self._on_closed is None:
            self._on_closed = on_closed
            return self.client
        self.attempts.put_nowait(None)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise BrokerUnavailable("refused, at the very moment of the cancellation") from None
        raise AssertionError

    def lose(self) -> None:
        """Say that the connection has ended."""
        assert self._on_closed is not None
        self._on_closed(self.client)


async def test_closing_ends_an_attempt_that_does_not_hear_its_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    library = FakeLibrary()
    monkeypatch.setattr(_nats_connection, "open_client", library.open_client)
    connection = Connection(NatsAddress.parse("nats://127.0.0.1:4222"), patience=0.5)
    await connection.open()
    library.lose()
    async with asyncio.timeout(SECONDS):
        await library.attempts.get()
        await connection.close()
    assert library.attempts.empty()
