"""The service as a process: connections, loops, HTTP server, signals."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from ewms.core.service.configuration import Configuration
from ewms.stores.collections import make_known
from ewms.wms.service.app import create_app
from ewms.wms.service.listening import HttpServer, http_server, open_socket
from ewms.wms.service.loops import loops_of
from ewms.wms.service.metrics import CountTransitions, Metrics
from ewms.wms.service.opening import open_state
from ewms.wms.service.plugin import ServicePlugin, collections_of, hosted, load_plugins, plugin_loops, remembered_by
from ewms.wms.service.state import ServiceState
from ewms.wms.service.supervision import Supervisor

_log = logging.getLogger("ewms.service")


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A service that answers."""

    url: str
    """At the address that it listens at."""
    state: ServiceState
    """Of the service."""
    server: HttpServer
    """Its server."""

    def stop(self) -> None:
        """End it: requests under way are finished, long polls and streams end at once."""
        self.state.stopping.set()
        self.server.stop()


@asynccontextmanager
async def serving(
    configuration: Configuration, plugins: Mapping[str, ServicePlugin] | None = None
) -> AsyncIterator[Serving]:
    """A service that answers until the block ends. Raises `EwmsError` in one line where it cannot begin.

    Parameters
    ----------
    plugins
        By prefix; None for those that are installed.
    """
    plugins = load_plugins() if plugins is None else plugins
    make_known(collections_of(plugins))
    async with open_state(configuration) as state:
        guests = hosted(plugins, state)
        supervisor = Supervisor(loops_of(state, remembered_by(plugins)) | plugin_loops(guests))
        server = http_server(create_app(state, supervisor.troubles, guests), configuration.service)
        with open_socket(configuration.service) as listening, _counted(state.metrics):
            service = Serving(url=_url(configuration, listening), state=state, server=server)
            async with supervisor.running():
                task = asyncio.create_task(server.serve(sockets=[listening]))
                _log.info("service_started", extra={"url": service.url})
                try:
                    yield service
                finally:
                    service.stop()
                    await task
                    _log.info("service_stopped")


@contextmanager
def _counted(metrics: Metrics) -> Iterator[None]:
    """What is logged inside the block is counted too."""
    handler, logger = CountTransitions(metrics), logging.getLogger("ewms")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


async def serve(configuration: Configuration, announce: Callable[[str], None]) -> None:
    """Be the service until SIGTERM or SIGINT.

    Parameters
    ----------
    announce
        Told the service's URL once it answers.
    """
    async with serving(configuration) as service:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, service.stop)
        announce(service.url)
        await service.state.stopping.wait()


def _url(configuration: Configuration, listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    scheme = "http" if configuration.service.certificate is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
