"""What all workflows of a driver host share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ewms.brokers.base import Broker
from ewms.brokers.urls import broker_for
from ewms.brokers.waiting import connected_in_time
from ewms.drive.settings import HostSettings
from ewms.stores.store import Store
from ewms.stores.urls import store_for
from ewms.wms.files import Files
from ewms.wms.news import News


@dataclass(frozen=True, kw_only=True)
class Services:
    """Connections, all open."""

    settings: HostSettings
    """Of the host."""
    store: Store
    """Documents and journals."""
    broker: Broker
    """One connection for all queues."""
    news: News
    """Tells and hears what changed."""
    files: Files
    """Contents of uploads and products."""


@asynccontextmanager
async def open_services(settings: HostSettings) -> AsyncIterator[Services]:
    """Connections to everything; waits for a broker that is not there yet.

    Raises `EwmsError` in one line for whatever waiting does not cure.
    """
    files = Files(settings.files)
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with (
        store_for(settings.store.get_secret_value()) as store,
        connected_in_time(broker_for(settings.broker.get_secret_value())) as broker,
        News(broker) as news,
    ):
        yield Services(settings=settings, store=store, broker=broker, news=news, files=files)
