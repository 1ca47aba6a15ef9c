"""A service that really listens, in the loop of the test, on a port that the kernel picks."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx2

from ewms.config_file import read_secret
from ewms.core.service.configuration import Configuration, parse_configuration
from ewms.wms.service.plugin import ServicePlugin
from ewms.wms.service.serving import Serving, serving
from ewms.wms.service.state import ServiceState

SECONDS = 30.0
_TLS = ssl.create_default_context()
"""Shared, because every client would load all the world's certificates."""


class RunningService:
    """A service and what it is asked by."""

    def __init__(self, service: Serving) -> None:
        self._service = service
        self.url = service.url
        """By which it is reached."""

    @property
    def state(self) -> ServiceState:
        """Of the service."""
        return self._service.state

    def stop(self) -> None:
        """What SIGTERM does."""
        self._service.stop()

    def client(self, token: str = "") -> httpx2.AsyncClient:
        """A client of the service; to be closed."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=SECONDS, verify=_TLS)


def configuration_for(folder: Path, **tables: Any) -> Configuration:
    """A configuration for tests: an in-memory broker, no tokens, one local cluster.

    Parameters
    ----------
    tables
        By name, as in `ewms.toml`: keys of `service` and `access` beside these, others in place of them.
    """
    service = {"data": str(folder), "listen": "127.0.0.1:0", "broker": f"memory://{folder.name}", "lease": 2.0}
    document = {
        "access": {"anonymous": True} if "access" not in tables else {},
        "clusters": {"here": {"backend": "local", "max_workers": 4}},
    }
    document = {**document, **tables, "service": service | tables.get("service", {})}
    return parse_configuration(document, "test", read_secret)


@contextlib.asynccontextmanager
async def running_service(folder: Path, **tables: Any) -> AsyncIterator[RunningService]:
    """A service with all its loops; tables as in `configuration_for`."""
    async with serving(configuration_for(folder, **tables)) as service:
        yield RunningService(service)


@contextlib.asynccontextmanager
async def service_with(guests: Mapping[str, ServicePlugin], folder: Path, **tables: Any) -> AsyncIterator[RunningService]:
    """As `running_service`, with these plugins, by prefix, in place of those that are installed."""
    async with serving(configuration_for(folder, **tables), guests) as service:
        yield RunningService(service)
