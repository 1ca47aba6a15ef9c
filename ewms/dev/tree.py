"""The tree of processes: a broker, and the service, a driver host and a TMS beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable

import httpx2

from ewms.brokers.embedded import EmbeddedNats
from ewms.core.errors import EwmsError
from ewms.dev.folder import DevFolder
from ewms.dev.part import Part, PartFailed
from ewms.dev.pilots import Pilots
from ewms.tms.backends.local import mark_of
from ewms.tms.folder import ClusterFolder

_log = logging.getLogger("ewms.dev")
_STOP_SECONDS = 4.0
_DRAIN_SECONDS = 3.0
_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_PARTS = ("serve", "drive", "tms")
_LATER = frozenset({"tms"})
"""Would only find that there is no service yet, and wait a while before it looks again."""


class Tree:
    """A service with everything that belongs to it.

    Parameters
    ----------
    folder
        Locked by the caller.
    url
        Of the service, as it is configured.
    """

    def __init__(self, folder: DevFolder, url: str) -> None:
        self._folder = folder
        self._url = url
        self._stop = asyncio.Event()
        configuration = str(folder.configuration)
        self._parts = {name: Part(name, ["--config", configuration], folder.logs / f"{name}.log") for name in _PARTS}

    def stop(self) -> None:
        """End all of it; returns at once."""
        self._stop.set()

    async def run(self, on_ready: Callable[[], object]) -> None:
        """Run until `stop`.

        Parameters
        ----------
        on_ready
            Called once the service answers.

        Raises
        ------
        BrokerUnavailable, PartFailed
            A part cannot be kept running; everything has ended by then.
        """
        pilots = Pilots(mark_of(ClusterFolder(self._folder.cluster)))
        async with EmbeddedNats(self._folder.broker, keep_port=True, accounts=True) as broker:
            try:
                await self._run_parts(broker, on_ready)
            finally:
                # Pilots can give back what they hold while there is a driver host to take it.
                await self._parts["tms"].stop(_STOP_SECONDS)
                await pilots.stop(_DRAIN_SECONDS)
                await asyncio.gather(*(part.stop(_STOP_SECONDS) for part in self._parts.values()))

    async def _run_parts(self, broker: EmbeddedNats, on_ready: Callable[[], object]) -> None:
        stopping = asyncio.create_task(self._stop.wait())
        broken = asyncio.create_task(broker.wait_broken())
        ready = asyncio.create_task(self._ready())
        running = [asyncio.create_task(self._run(part, ready)) for part in self._parts.values()]
        everything: list[asyncio.Task[object]] = [stopping, broken, *running]
        try:
            done, _ = await asyncio.wait([ready, *everything], return_when=asyncio.FIRST_COMPLETED)
            if ready in done:
                ready.result()
                on_ready()
                done, _ = await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
            if broken in done:
                raise PartFailed(f"the broker does not run: {broken.result()}")
            for task in done:
                task.result()
        finally:
            for task in (ready, *everything):
                task.cancel()
            await asyncio.gather(ready, *everything, return_exceptions=True)

    async def _run(self, part: Part, ready: asyncio.Task[None]) -> None:
        if part.name in _LATER:
            await asyncio.wait({ready})
        await part.run()

    async def _ready(self) -> None:
        """Until the service answers; `PartFailed` if it takes too long."""
        end = time.monotonic() + _READY_SECONDS
        async with httpx2.AsyncClient(base_url=self._url, trust_env=False) as http:
            while time.monotonic() < end:
                with contextlib.suppress(httpx2.TransportError):
                    if (await http.get("/healthz")).is_success:
                        return
                await asyncio.sleep(_LOOK_SECONDS)
        raise PartFailed(f"the service does not answer at {self._url}; see {self._folder.logs}")


async def run_tree(folder: DevFolder, url: str, on_ready: Callable[[], object]) -> None:
    """Run a tree until SIGTERM or SIGINT; raises as `Tree.run` does."""
    tree = Tree(folder, url)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, tree.stop)
    try:
        await tree.run(on_ready)
    except EwmsError as error:
        _log.error("dev_ended", extra={"reason": str(error)})
        raise
