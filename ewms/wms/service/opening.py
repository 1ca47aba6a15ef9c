"""Opens everything that the service works with."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ewms.brokers.base import Broker
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerUnavailable, InputError
from ewms.core.service.configuration import Configuration
from ewms.stores.urls import store_for
from ewms.wms.access.opening import open_access
from ewms.wms.files import Files
from ewms.wms.news import News
from ewms.wms.service.quotas import Quotas
from ewms.wms.service.state import ServiceState
from ewms.wms.service.vitals import VitalSigns
from ewms.wms.service.watch import Watch

_RETRY_SECONDS = 1.0
_log = logging.getLogger("ewms.service")


@asynccontextmanager
async def open_state(configuration: Configuration) -> AsyncIterator[ServiceState]:
    """Connections to store, broker and files; waits for a broker that is not there yet.

    Raises `EwmsError` in one line for whatever waiting does not cure.
    """
    service = configuration.service
    if service.broker is None:
        raise InputError("no broker is configured; write broker = under [service], or use `ewms dev`, which brings its own")
    service.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = Files(service.files_url)
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_for(service.store_url))
        broker = await _connected(broker_for(service.broker.get_secret_value()))
        stack.push_async_callback(broker.close)
        news = await stack.enter_async_context(News(broker))
        access = await stack.enter_async_context(open_access(configuration, store, broker))
        stopping = asyncio.Event()
        yield ServiceState(
            configuration=configuration,
            store=store,
            broker=broker,
            news=news,
            files=files,
            access=access,
            quotas=Quotas(configuration, store),
            vitals=VitalSigns(configuration, store),
            watch=Watch(store, news, stopping),
            clock=time.time,
            stopping=stopping,
        )


async def _connected(broker: Broker) -> Broker:
    """The broker once it answers: services are started in any order."""
    is_told = False
    while True:
        try:
            await broker.connect()
        except BrokerUnavailable as error:
            if not is_told:
                _log.warning("broker_awaited", extra={"reason": str(error)})
            is_told = True
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return broker
