"""The broker of a local run: the one the user names, or a private one that lives as long as the run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from ewms.brokers.base import Broker
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerError
from ewms.local.directory import RunDirectory


class Connected(NamedTuple):
    """A broker and what a run needs to know about it."""

    broker: Broker
    """Connected."""
    url: str
    """By which pilots reach it."""
    wait_broken: Callable[[], Awaitable[str]]
    """Returns the reason, in one line, once a private server cannot be kept alive."""


@asynccontextmanager
async def connected_broker(directory: RunDirectory, url: str | None) -> AsyncIterator[Connected]:
    """A connected broker.

    A named broker is remembered, with its credentials, in a file for the owner only, so that `ewms resume` finds it.
    Raises `BrokerUnavailable` or `BrokerRejected` within 5 seconds.
    """
    if url is None and directory.broker_url.exists():
        url = directory.broker_url.read_text().strip()
    if url is not None:
        directory.write_private(directory.broker_url, url)
        async with broker_for(url) as broker:
            if not broker.capabilities.multi_process:
                raise BrokerError(
                    "pilots are processes of their own and cannot reach an in-memory broker; leave --broker out"
                )
            yield Connected(broker, url, _for_ever)
        return
    async with EmbeddedNats(directory.broker) as server, broker_for(server.url) as broker:
        yield Connected(broker, server.url, server.wait_broken)


async def _for_ever() -> str:
    never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    return await never
