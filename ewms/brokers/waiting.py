"""A broker that is not there yet is only a delay for what runs beside it for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ewms.brokers.base import Broker
from ewms.core.errors import BrokerUnavailable

_RETRY_SECONDS = 1.0
_log = logging.getLogger("ewms.brokers")


@asynccontextmanager
async def connected_in_time(broker: Broker) -> AsyncIterator[Broker]:
    """The broker, connected as soon as it answers; raises `BrokerRejected` if it does and refuses."""
    is_told = False
    while True:
        try:
            await broker.connect()
            break
        except BrokerUnavailable as error:
            if not is_told:
                _log.warning("broker_awaited", extra={"reason": str(error)})
            is_told = True
            await asyncio.sleep(_RETRY_SECONDS)
    try:
        yield broker
    finally:
        await broker.close()
