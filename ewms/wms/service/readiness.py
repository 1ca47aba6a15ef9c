"""Whether the service can do its work: store, broker, loops, driver hosts, and each TMS's last word."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping

from pydantic import BaseModel, ConfigDict

from ewms.core.errors import BrokerRejected, EwmsError
from ewms.stores.collections import HOSTS
from ewms.wms.service.state import ServiceState

_SECONDS = 3.0
_NO_QUEUE = "ewms-readiness"
"""Does not exist; a broker that says so is there."""


class Readiness(BaseModel):
    """What is wrong, in one line each; empty where nothing is."""

    model_config = ConfigDict(frozen=True)

    ready: bool
    """Whether workflows are taken in and driven. Clusters do not count: their work waits."""
    store: str
    """The store."""
    broker: str
    """The broker."""
    drivers: str
    """Driver hosts."""
    loops: dict[str, str]
    """Loops of the service that do not run for now, by name."""
    clusters: dict[str, str]
    """Clusters of the configuration, by name."""


async def readiness(state: ServiceState, troubles: Mapping[str, str]) -> Readiness:
    """Look at everything; takes a few seconds at most.

    Parameters
    ----------
    troubles
        Of the loops.
    """
    store, broker = await asyncio.gather(
        _trouble(state.store.get(HOSTS, "")),
        _trouble(_asked(state)),
    )
    drivers, clusters = "unknown: the store is away", dict.fromkeys(state.configuration.clusters, "unknown")
    if not store:
        vitals = await state.vitals.look()
        drivers, clusters = "" if vitals.drivers else "no driver host lives; start `ewms drive`", vitals.clusters
    return Readiness(
        ready=not (store or broker or drivers or troubles),
        store=store,
        broker=broker,
        drivers=drivers,
        loops=dict(troubles),
        clusters=clusters,
    )


async def _asked(state: ServiceState) -> None:
    if state.broker.capabilities.tells_depth:
        try:
            await state.broker.inspect(_NO_QUEUE)
        except BrokerRejected:
            return


async def _trouble(question: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(_SECONDS):
            await question
    except TimeoutError:
        return f"does not answer within {_SECONDS:g} s"
    except EwmsError as error:
        return str(error)
    return ""
