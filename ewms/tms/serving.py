"""The TMS as a process: its clusters, their connections to the service, signals."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from collections.abc import Callable, Sequence
from functools import partial

from ewms.core.errors import EwmsError
from ewms.core.service.report import ClusterReport
from ewms.tms.cluster import Cluster
from ewms.tms.configuration import ClusterSetup
from ewms.tms.folder import ClusterFolder
from ewms.tms.service_client import ServiceClient
from ewms.tms.supervision import Supervisor

_log = logging.getLogger("ewms.tms")

Connect = Callable[[ClusterSetup], ServiceClient]
"""Makes the connection of a cluster to the service."""


async def serve(setups: Sequence[ClusterSetup], connect: Connect, announce: Callable[[str], None]) -> None:
    """Be a TMS until SIGTERM or SIGINT.

    Parameters
    ----------
    announce
        Told in one line what it does, once it has begun.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    by_name = {setup.name: setup for setup in setups}

    async def tell(name: str, reason: str) -> None:
        async with connect(by_name[name]) as service:
            try:
                await service.report(ClusterReport(ready=False, reason=reason))
            except EwmsError as error:
                _log.debug("report_lost", extra={"cluster": name, "reason": str(error)})

    supervisor = Supervisor({name: partial(run_cluster, setup, connect) for name, setup in by_name.items()}, tell)
    announce(f"ewms tms: clusters {', '.join(by_name)} for {setups[0].service_url}")
    await supervisor.run(stop)


async def run_cluster(setup: ClusterSetup, connect: Connect, stop: asyncio.Event) -> None:
    """Run one cluster until `stop` is set. Raises `InputError` while another TMS works in its folder."""
    folder = ClusterFolder(setup.folder)
    folder.lock()
    try:
        async with setup.backend(setup.settings, folder, setup.owner) as backend, connect(setup) as service:
            await Cluster(setup.name, backend, service, folder).run(stop)
    finally:
        folder.unlock()


def connector(token: Callable[[], str], tls: ssl.SSLContext | None = None) -> Connect:
    """Connections that show a token, which is asked for anew with each request."""
    return lambda setup: ServiceClient(setup.service_url, setup.name, token, tls=tls)
