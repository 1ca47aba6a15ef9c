"""What all routes and loops of the service share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from ewms.brokers.base import Broker
from ewms.core.service.configuration import Configuration
from ewms.stores.store import Store
from ewms.wms.files import Files
from ewms.wms.news import News
from ewms.wms.service.metrics import Metrics
from ewms.wms.service.quotas import Quotas
from ewms.wms.service.vitals import VitalSigns
from ewms.wms.service.watch import Watch

if TYPE_CHECKING:
    from ewms.wms.access.access import Access

Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """Connections, all open."""

    configuration: Configuration
    """As it was read."""
    store: Store
    """Documents and journals."""
    broker: Broker
    """One connection for all queues."""
    news: News
    """Tells and hears what changed."""
    files: Files
    """Contents of uploads and products."""
    access: Access
    """Knows callers, and issues credentials."""
    quotas: Quotas
    """How much each owner may take."""
    watch: Watch
    """Tells listeners what changes."""
    vitals: VitalSigns
    """Who beside the service lives."""
    clock: Clock
    """Seconds since 1970; for what people read, never for a decision between hosts."""
    stopping: asyncio.Event
    """Set when the service is to end: whoever waits stops waiting."""
    metrics: Metrics = field(default_factory=Metrics)
    """For Prometheus."""


def state_of(connection: HTTPConnection) -> ServiceState:
    """The state of the service that a request came to."""
    state: ServiceState = connection.app.state.service
    return state


State = Annotated[ServiceState, Depends(state_of)]
