"""The service as a process: connections, loops, HTTP server, signals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ewms.core.service.configuration import Configuration
from ewms.wms.service.app import create_app
from ewms.wms.service.listening import HttpServer, http_server, open_socket
from ewms.wms.service.loops import loops_of
from ewms.wms.service.opening import open_state
from ewms.wms.service.state import ServiceState
from ewms.wms.service.supervision import Supervisor


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
async def serving(configuration: Configuration) -> AsyncIterator[Serving]:
    """A service that answers until the block ends. Raises `EwmsError` in one line where it cannot begin."""
    async with open_state(configuration) as state:
        supervisor = Supervisor(loops_of(state))
        server = http_server(create_app(state, supervisor.troubles), configuration.service)
        with open_socket(configuration.service) as socket:
            host, port = socket.getsockname()[:2]
            scheme = "http" if configuration.service.certificate is None else "https"
            service = Serving(url=f"{scheme}://{_shown(host)}:{port}", state=state, server=server)
            async with supervisor.running():
                task = asyncio.create_task(server.serve(sockets=[socket]))
                try:
                    yield service
                finally:
                    service.stop()
                    await task


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


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
