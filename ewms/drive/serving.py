"""A driver host as a process: connections, signals, limits."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal

from ewms.drive.host import DriverHost
from ewms.drive.loading import preload
from ewms.drive.services import open_services
from ewms.drive.settings import HostSettings

_GC_THRESHOLD = (50_000, 50, 100)
_TIDY_SECONDS = 10.0


async def serve(settings: HostSettings) -> None:
    """Be a driver host until SIGTERM or SIGINT; raises `EwmsError` where store, broker or files cannot be used."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    async with contextlib.AsyncExitStack() as stack:
        opening = asyncio.create_task(stack.enter_async_context(open_services(settings)))
        await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not opening.done():  # whoever stops everything need not wait for a broker that never came
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            return
        host = DriverHost(opening.result())
        hosting = asyncio.create_task(host.run())
        tidying = asyncio.create_task(_tidy())
        preloading = asyncio.create_task(asyncio.to_thread(preload, settings.preload))
        await asyncio.wait({hosting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        tidying.cancel()
        host.stop()
        await hosting
        await preloading
    stopping.cancel()


async def _tidy() -> None:
    """A workflow that has ended leaves objects that refer to each other, which the thresholds above would keep for hours."""
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        gc.collect()


def serve_as_process(settings: HostSettings) -> None:
    """As `serve`, in a process that does nothing else."""
    _allow_many_files()
    # As in `ewms run`: drivers make millions of small objects without cycles.
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)
    asyncio.run(serve(settings))


def _allow_many_files() -> None:
    """A journal takes three, and the limit that a shell gives is often 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
