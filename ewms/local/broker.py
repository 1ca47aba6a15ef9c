"""The broker of a local run: the one the user names, or a private one that lives as long as the run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ewms.brokers.base import Broker
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerError
from ewms.local.directory import RunDirectory


@asynccontextmanager
async def connected_broker(directory: RunDirectory, url: str | None) -> AsyncIterator[tuple[Broker, str]]:
    """A connected broker and the URL by which pilots reach it.

    A named broker is remembered, with its credentials, in a file for the owner only, so that `ewms resume` finds it.
    Raises `BrokerUnavailable` or `BrokerRejected` within 5 seconds.
    """
    if url is None and directory.broker_url.exists():
        url = directory.broker_url.read_text().strip()
    if url is not None:
        async with broker_for(url) as broker:
            if not broker.capabilities.multi_process:
                raise BrokerError(
                    "pilots are processes of their own and cannot reach an in-memory broker; leave --broker out"
                )
            directory.write_private(directory.broker_url, url)
            yield broker, url
        return
    async with EmbeddedNats(directory.broker) as server, broker_for(server.url) as broker:
        yield broker, server.url
