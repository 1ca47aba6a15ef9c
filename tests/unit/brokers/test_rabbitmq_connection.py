"""The supervised connection with a client library that misbehaves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ewms.brokers import _rabbitmq_connection
from ewms.brokers._rabbitmq_connection import Connection
from ewms.brokers._rabbitmq_url import RabbitmqAddress

SECONDS = 10.0


class FakeClient:
    """The first is connected; others try until they are cancelled, and lose that, as `asyncio.wait_for` of 3.11 may."""

    made: list[FakeClient]
    attempts: asyncio.Queue[None]

    def __init__(self, *_: object, **__: object) -> None:
        self.closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.server_properties = {"version": "3.10.8"}
        self.made.append(self)

    async def connect(self) -> None:
        if len(self.made) == 1:
            return
        self.attempts.put_nowait(None)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("refused, at the very moment of the cancellation") from None

    async def close(self, *_: Any) -> None:
        """There is nothing to close."""


async def test_closing_ends_an_attempt_that_does_not_hear_its_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeClient.made, FakeClient.attempts = [], asyncio.Queue()
    monkeypatch.setattr(_rabbitmq_connection, "_Client", FakeClient)
    connection = Connection(RabbitmqAddress.parse("amqp://127.0.0.1:5672"), patience=0.5, name="test")
    await connection.open()
    FakeClient.made[0].closing.set_exception(ConnectionError("lost"))
    async with asyncio.timeout(SECONDS):
        await FakeClient.attempts.get()
        await connection.close()
    assert FakeClient.attempts.empty()
