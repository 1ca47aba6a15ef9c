"""NATS as somebody with ill will uses it: a client that is not ours, and sends what it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client, RawCredentials
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NoAnswer

from ewms.brokers.nats_login import NatsLogin

_SETTLED = 0.3


class RawNats:
    """A connection with an issued broker URL, and what the server says of it."""

    def __init__(self, client: Client, login: NatsLogin, complaints: list[str]) -> None:
        self.client = client
        self.login = login
        self.complaints = complaints

    async def ask(self, subject: str, body: bytes = b"") -> bytes | None:
        """The answer to a request; None if it was denied."""
        before = len(self.complaints)
        asking = asyncio.ensure_future(self.client.request(subject, body, timeout=2.0))
        while not asking.done() and len(self.complaints) == before:
            await asyncio.wait({asking}, timeout=0.01)
        if not asking.done():
            asking.cancel()
            return None
        try:
            answer: Msg = await asking
        except (NoAnswer, NoRespondersError):
            return None
        return answer.data

    async def settle(self) -> None:
        """Until the server has done with all that was sent."""
        await self.client.flush()
        await asyncio.sleep(_SETTLED)

    async def is_denied(self, subject: str) -> bool:
        """Whether to listen to a subject is refused."""
        before = len(self.complaints)
        subscription = await self.client.subscribe(subject)
        await self.client.flush()
        await asyncio.sleep(0)
        await subscription.unsubscribe()
        await self.client.flush()
        return len(self.complaints) > before


@asynccontextmanager
async def raw_nats(url: str) -> AsyncIterator[RawNats]:
    """Connect as the bearer of an issued URL."""
    scheme, _, rest = url.partition("://")
    userinfo, _, host = rest.rpartition("@")
    login = NatsLogin.of(userinfo)
    assert login is not None
    complaints: list[str] = []

    async def on_error(error: Exception) -> None:
        complaints.append(str(error))

    client = Client()  # not `nats.connect`, which leaves the connection open where it fails
    try:
        await client.connect(
            f"{scheme}://{host}",
            user_credentials=RawCredentials(login.credentials),
            inbox_prefix=login.inbox.encode(),
            error_cb=on_error,
            allow_reconnect=False,
        )
        yield RawNats(client, login, complaints)
    finally:
        await client.close()
