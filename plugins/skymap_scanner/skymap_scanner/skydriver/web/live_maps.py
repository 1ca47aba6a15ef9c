"""Maps as they are refined, for everybody who watches: each is read, computed and put into words once for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException

from ewms.services import EwmsError, WorkflowDocument, WorkflowState
from skymap_scanner.maps import SkyMap
from skymap_scanner.skydriver.documents import ScanDocument
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.view import ScanView
from skymap_scanner.skydriver.web.browser_map import browser_map
from skymap_scanner.skydriver.web.scan_files import MapFiles, map_files, number_of

MAX_LISTENERS = 1000
_log = logging.getLogger("ewms.skydriver")
_HEARTBEAT = b": still here\n\n"
_HEARTBEAT_SECONDS = 15.0
_SHARE = 0.025
"""Of one core, at most, that the maps of one scan may take."""
_LEAST_SECONDS = 0.7
_OVER = frozenset({WorkflowState.COMPLETE, WorkflowState.CANCELLED})

Standing = Callable[[ScanView], Awaitable[Mapping[str, Any]]]
"""What there is to tell of a scan beside its map."""


class Channel:
    """What those who watch one scan are to be shown."""

    def __init__(self) -> None:
        self.listeners = 0
        """Pages that follow it."""
        self.latest: dict[str, tuple[int, bytes]] = {}
        """By kind of event: the newest one, and its number."""
        self.number = 0
        """Grows with every event."""
        self.skymap: tuple[int, SkyMap] | None = None
        """The newest map, and its number."""
        self._changed = asyncio.Event()

    def put(self, news: Mapping[str, bytes]) -> None:
        """Show events in place of the last of their kinds, those that are new."""
        for kind, data in news.items():
            event = b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"
            if kind not in self.latest or self.latest[kind][1] != event:
                self.number += 1
                self.latest[kind] = (self.number, event)
                self._changed.set()
        if self._changed.is_set():
            self._changed = asyncio.Event()

    async def changed(self, seconds: float, stopping: asyncio.Event) -> bool:
        """Whether there is something new within so many seconds."""
        if stopping.is_set():
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def wake(self) -> None:
        """Have everybody look, for the service ends."""
        self._changed.set()


class LiveMaps:
    """The channels of scans that somebody watches.

    Parameters
    ----------
    scans
        All scans.
    """

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._host = scans.host
        self._channels: dict[str, Channel] = {}
        self._feeding: dict[str, asyncio.Task[None]] = {}

    async def events(self, scan: ScanDocument, standing: Standing) -> AsyncIterator[bytes]:
        """Server-sent events `standing` and `map` of a scan with a workflow: the newest at once, then whenever they change.

        Whoever reads slowly misses what was replaced meanwhile.

        Parameters
        ----------
        standing
            Tells how it stands; that of the first who watches is used for all.
        """
        workflow_id = str(scan.ewms_workflow_id)
        channel = self._channels.setdefault(workflow_id, Channel())
        if workflow_id not in self._feeding or self._feeding[workflow_id].done():
            self._feeding[workflow_id] = asyncio.create_task(self._feed(scan, channel, standing))
        channel.listeners += 1
        seen = 0
        try:
            while not self._host.stopping.is_set():
                news = sorted(item for item in channel.latest.values() if item[0] > seen)
                if news:
                    seen = news[-1][0]
                    yield b"".join(event for _, event in news)
                elif not await channel.changed(_HEARTBEAT_SECONDS, self._host.stopping):
                    yield _HEARTBEAT
        finally:
            channel.listeners -= 1
            if not channel.listeners:
                self._channels.pop(workflow_id, None)
                if feeding := self._feeding.pop(workflow_id, None):
                    feeding.cancel()

    def check_room(self) -> None:
        """`HTTPException` 503 where as many watch as the service bears."""
        if sum(channel.listeners for channel in self._channels.values()) >= MAX_LISTENERS:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "too many listeners; reload from time to time instead")

    def shown(self, workflow_id: str, number: int) -> SkyMap | None:
        """The map with this number, if it is being shown."""
        channel = self._channels.get(workflow_id)
        if channel is None or channel.skymap is None or channel.skymap[0] != number:
            return None
        return channel.skymap[1]

    async def _feed(self, scan: ScanDocument, channel: Channel, standing: Standing) -> None:
        """Fill a channel until nobody watches."""
        ending = asyncio.create_task(self._host.stopping.wait())
        ending.add_done_callback(lambda _: channel.wake())
        try:
            async for workflow in self._host.changes(None, str(scan.ewms_workflow_id)):
                view = ScanView(scan=scan, workflow=workflow)
                news = {"standing": msgspec.json.encode(await standing(view))}
                if not channel.latest:
                    channel.put(news)
                began, spent = time.monotonic(), 0.0
                if number_of(workflow) and (channel.skymap is None or channel.skymap[0] != number_of(workflow)):
                    news_map, spent = await self._draw(channel, view, workflow)
                    news |= news_map
                channel.put(news)
                if workflow.state not in _OVER:
                    await asyncio.sleep(max(_LEAST_SECONDS, spent / _SHARE) - (time.monotonic() - began))
        except EwmsError as error:
            channel.put({"gone": msgspec.json.encode({"reason": str(error)})})
        finally:
            ending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ending

    async def _draw(self, channel: Channel, view: ScanView, workflow: WorkflowDocument) -> tuple[dict[str, bytes], float]:
        """The newest map in words, nothing where it could not be read, and the seconds of work that took."""
        number = number_of(workflow)
        try:
            files = await map_files(self._scans, view)
            skymap, data, spent = await asyncio.to_thread(drawn, files, number)
        except EwmsError as error:
            _log.warning("map_not_shown", extra={"workflow": workflow.workflow_id, "reason": str(error)})
            return {}, 0.0
        channel.skymap = number, skymap
        return {"map": data}, spent


def drawn(files: MapFiles, number: int) -> tuple[SkyMap, bytes, float]:
    """A map, the same in words, and the seconds of work that took."""
    began = time.thread_time()
    skymap = files.skymap()
    data = msgspec.json.encode({"number": number, "complete": skymap.result.complete, **browser_map(skymap)})
    return skymap, data, time.thread_time() - began
