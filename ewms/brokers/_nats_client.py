"""nats-py's client as it is used here: it never reconnects by itself, and never sends credentials in clear by mistake."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as LiveSubscription

from ewms.brokers._nats_errors import connection_error
from ewms.brokers._nats_url import NatsAddress

_PING_SECONDS = 5
"""A server that does not answer is noticed after three times this."""
_UNSENT_BYTES = 16 * 1024 * 1024
_CLOSE_SECONDS = 2.0
_FAILED_CLOSE_SECONDS = 0.1
"""There is nothing to send, and asyncio never reports the end of a connection whose TLS handshake failed."""


class Subscription:
    """A subscription that outlives the client it was made with."""

    def __init__(self, subject: str, callback: Callable[[Msg], None]) -> None:
        self._subject = subject
        self._callback = callback
        self._live: LiveSubscription | None = None

    async def bind(self, client: Client) -> None:
        """Subscribe with a new client. No limit above which nats-py would drop messages: what comes was asked for."""
        self._live = await client.subscribe(self._subject, cb=self._on_message, pending_msgs_limit=0, pending_bytes_limit=0)

    async def drain(self) -> None:
        """Unsubscribe; return when everything under way was handed over, or the connection is lost."""
        if self._live is not None:
            with contextlib.suppress(errors.Error):
                await self._live.drain()  # type: ignore[no-untyped-call]

    async def _on_message(self, message: Msg) -> None:
        self._callback(message)


class _Client(Client):
    def _connect_command(self) -> bytes:
        if "tls" in self.options and not self._server_info.get("tls_required"):
            raise errors.SecureConnWantedError
        return super()._connect_command()


async def open_client(
    address: NatsAddress,
    deadline: float,
    on_error: Callable[[Exception], Awaitable[None]],
    on_closed: Callable[[Client], None],
) -> Client:
    """A connected client.

    Parameters
    ----------
    deadline
        Loop time.
    on_error
        Called with what the server complains of later.
    on_closed
        Called with the client when it has lost its connection; it is of no use any more.

    Raises
    ------
    BrokerUnavailable, BrokerRejected
        Why there is none.
    """
    client = _Client()
    complaints: list[Exception] = []

    async def error_cb(error: Exception) -> None:
        if client.is_connected:
            await on_error(error)
        else:
            complaints.append(error)

    async def closed_cb() -> None:
        on_closed(client)

    try:
        async with asyncio.timeout_at(deadline):
            await client.connect(
                address.servers,
                name="ewms",
                error_cb=error_cb,
                closed_cb=closed_cb,
                allow_reconnect=False,
                max_reconnect_attempts=1,  # of each server, before nats-py reports that it found none
                reconnect_time_wait=0,
                ping_interval=_PING_SECONDS,
                pending_size=_UNSENT_BYTES,
                tls=address.tls,
                **address.login,
            )
        if not client.is_connected:  # nats-py does not notice when a server hangs up on the greeting
            raise errors.ConnectionClosedError
    except (errors.Error, OSError, TimeoutError) as error:
        await discard(client, _FAILED_CLOSE_SECONDS)
        is_vague = isinstance(error, errors.NoServersError | errors.ConnectionClosedError)
        raise connection_error(complaints[-1] if is_vague and complaints else error, address.shown) from error
    return client


async def discard(client: Client, seconds: float = _CLOSE_SECONDS) -> None:
    """Send what is written, and disconnect; within bounds, whatever the state of the connection."""
    with contextlib.suppress(errors.Error, OSError, TimeoutError):
        async with asyncio.timeout(seconds):
            await client.close()


def new_inbox(address: NatsAddress) -> str:
    """A subject that nobody else uses."""
    return f"{address.inbox}.{uuid.uuid4().hex}"
