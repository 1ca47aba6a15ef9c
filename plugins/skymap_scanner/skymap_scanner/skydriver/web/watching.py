"""What the page of one scan follows: how it stands, and its map."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from ewms.services import FINAL, NotFound, WorkflowState
from skymap_scanner.maps import SkyMap
from skymap_scanner.skydriver.documents import ScanDocument
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.view import ScanView
from skymap_scanner.skydriver.web.live_maps import LiveMaps, drawn
from skymap_scanner.skydriver.web.scan_files import map_files, number_of
from skymap_scanner.skydriver.web.standing import told

_SECONDS = 1.0
_ENDED = FINAL | {WorkflowState.FAILED}


class Watching:
    """Scans as pages follow them.

    Parameters
    ----------
    scans
        All of them.
    """

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._live = LiveMaps(scans)

    def check_room(self) -> None:
        """`HTTPException` 503 where as many watch as the service bears."""
        self._live.check_room()

    async def events(self, scan: ScanDocument) -> AsyncIterator[bytes]:
        """Server-sent events of a scan: `standing` and `map`, the newest at once."""
        before, shown = b"", None
        while (view := await self._scans.view(scan)).workflow is None or scan.given_result is not None:
            event = b"event: standing\ndata: " + msgspec.json.encode(await self.told(view)) + b"\n\n"
            if event != before:
                yield event
            before = event
            if scan.given_result is not None and scan.given_result != shown:
                shown = scan.given_result
                _, data, _ = await asyncio.to_thread(drawn, await map_files(self._scans, view), self._number(view))
                yield b"event: map\ndata: " + data + b"\n\n"
            if await self._stops():
                return
            scan = await self._scans.get(scan.scan_id)
        async for data in self._live.events(scan, self.told):
            yield data

    async def skymap(self, scan: ScanDocument, number: int | None = None) -> tuple[SkyMap, int]:
        """The newest map of a scan and its number, without work where it is being shown; `NotFound` while there is none.

        Parameters
        ----------
        number
            `NotFound` unless it is this one, or one that is being shown.
        """
        view = await self._scans.view(scan)
        newest = self._number(view)
        wanted = newest if number is None else number
        if view.workflow is not None and (shown := self._live.shown(view.workflow.workflow_id, wanted)):
            return shown, wanted
        if wanted != newest:
            raise NotFound(f"map {number} of scan {scan.scan_id} is not there any more; the newest one is {newest}")
        files = await map_files(self._scans, view)
        return await asyncio.to_thread(files.skymap), newest

    async def told(self, view: ScanView) -> Mapping[str, Any]:
        """How a scan stands, as the event `standing` tells it."""
        taskforces = await self._scans.taskforces(view.scan)
        ended = None
        if view.workflow is not None and view.workflow.state in _ENDED:
            owner = self._scans.host.on_behalf(view.workflow.owner)
            ended = (await self._scans.host.phases(owner, view.workflow.workflow_id))[-1].timestamp
        return told(view, taskforces, ended, self._number(view))

    def _number(self, view: ScanView) -> int:
        """Which map a scan has."""
        if view.scan.given_result is not None:
            return int(view.scan.last_updated * 1000)
        return 0 if view.workflow is None else number_of(view.workflow)

    async def _stops(self) -> bool:
        """Whether the service ends within a moment."""
        try:
            async with asyncio.timeout(_SECONDS):
                await self._scans.host.stopping.wait()
        except TimeoutError:
            return False
        return True
