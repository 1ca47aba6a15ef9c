"""What shows while a workflow runs: progress for whoever asked, and the application's partial product."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ewms.core.application import Application
from ewms.core.errors import EwmsError
from ewms.local.product import write_product
from ewms.local.progress import Meter, Progress
from ewms.wms.hosting import Host

_log = logging.getLogger("ewms.driver")
_PROGRESS_SECONDS = 0.2
_SNAPSHOT_SECONDS = 2.0
_SNAPSHOT_SHARE = 0.05


class Watch:
    """Looks at a running driver a few times a second, as long as something changes.

    Parameters
    ----------
    meter
        Reads the progress.
    changed
        Set when there may be something new.
    on_progress
        Called with it, in the event loop.
    host
        Of the application, which is asked for a partial product where it defines one.
    folder
        Where that goes.
    """

    def __init__(
        self, meter: Meter, changed: asyncio.Event, on_progress: Callable[[Progress], None], host: Host, folder: Path
    ) -> None:
        self._meter = meter
        self._changed = changed
        self._on_progress = on_progress
        self._host = host
        self._folder = folder
        self._has_snapshot = type(host.application).snapshot is not Application.snapshot
        self._drawn_done = -1
        self._draw_at = time.monotonic() + _SNAPSHOT_SECONDS

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._on_progress(self._meter.read())
            if self._has_snapshot and self._meter.done != self._drawn_done and time.monotonic() > self._draw_at:
                await self._draw(self._meter.done)
            await asyncio.sleep(_PROGRESS_SECONDS)

    async def _draw(self, done: int) -> None:
        """Write a snapshot. One that fails is the last: a workflow does not end for the sake of a picture."""
        began = time.monotonic()
        drawing = asyncio.create_task(asyncio.to_thread(self._write))
        try:
            await asyncio.shield(drawing)
        except asyncio.CancelledError:
            await asyncio.gather(drawing, return_exceptions=True)  # or it would be written when the product is there
            raise
        except EwmsError as error:
            _log.warning("snapshot_failed", extra={"reason": str(error)})
            self._has_snapshot = False
        # The application answers nothing while it draws: that must not take much of the time.
        self._draw_at = time.monotonic() + max(_SNAPSHOT_SECONDS, (time.monotonic() - began) / _SNAPSHOT_SHARE)
        self._drawn_done = done

    def _write(self) -> None:
        product = self._host.snapshot()
        if product is not None:
            write_product(self._folder, product)
