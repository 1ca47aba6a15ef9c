"""What pages of scans ask for: streams, maps, pictures, files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from ewms.services import CallerOf, NotFound
from skymap_scanner.event import Alert
from skymap_scanner.skydriver.documents import ScanDocument
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.web.browser_map import browser_map
from skymap_scanner.skydriver.web.comparing import compared
from skymap_scanner.skydriver.web.drawn_files import MAKERS, drawn_file
from skymap_scanner.skydriver.web.event_data import event_data
from skymap_scanner.skydriver.web.figures import event_figures, sky_figures
from skymap_scanner.skydriver.web.pages import ScanId
from skymap_scanner.skydriver.web.scan_files import alert_in
from skymap_scanner.skydriver.web.vertices import vertices
from skymap_scanner.skydriver.web.watching import Watching

_STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_JSON = "application/json"
_SHOWN = ("product/", "partial/")
_FRESH = {"Cache-Control": "no-store"}


class ScanData:
    """What pages of scans ask for.

    Parameters
    ----------
    scans
        All scans.
    """

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._watching = Watching(scans)
        self._drawing = asyncio.Lock()  # matplotlib's settings are the process's

    def router(self) -> APIRouter:
        """Its routes."""
        router = APIRouter(include_in_schema=False)
        answers: dict[str, Callable[..., Any]] = {
            "/figures/sky.json": self.sky_figures,
            "/figures/event.json": self.event_figures,
            "/compare.json": self.compare,
            "/scans/{scan_id}/stream": self.stream,
            "/scans/{scan_id}/standing.json": self.standing,
            "/scans/{scan_id}/map.json": self.map,
            "/scans/{scan_id}/vertices.json": self.vertices,
            "/scans/{scan_id}/event.json": self.event,
            "/scans/{scan_id}/files/{name:path}": self.file,
        }
        for path, answer in answers.items():
            router.add_api_route(path, answer, methods=["GET"], response_class=Response)
        return router

    async def sky_figures(self, request: Request, _: CallerOf) -> Response:
        """The maps without data."""
        return _kept(request, await asyncio.to_thread(sky_figures))

    async def event_figures(self, request: Request, _: CallerOf) -> Response:
        """The views of an event without data."""
        return _kept(request, await asyncio.to_thread(event_figures))

    async def stream(self, _: CallerOf, scan_id: ScanId) -> Response:
        """Server-sent events `standing` and `map`: the newest at once, then each new one."""
        scan = await self._scans.get(scan_id)
        self._watching.check_room()
        return StreamingResponse(self._watching.events(scan), media_type="text/event-stream", headers=_STREAM)

    async def standing(self, _: CallerOf, scan_id: ScanId) -> Response:
        """How a scan stands, as the stream tells it."""
        return _json(await self._watching.told(await self._scans.view(await self._scans.get(scan_id))))

    async def map(self, _: CallerOf, scan_id: ScanId) -> Response:
        """The newest map, as the stream tells it."""
        skymap, number = await self._watching.skymap(await self._scans.get(scan_id))
        found = await asyncio.to_thread(browser_map, skymap)
        return _json({"number": number, "complete": skymap.result.complete, **found})

    async def vertices(self, _: CallerOf, scan_id: ScanId, number: int | None = None) -> Response:
        """What else is known of the pixels of a map."""
        skymap, _number = await self._watching.skymap(await self._scans.get(scan_id), number)
        return _json(await asyncio.to_thread(vertices, skymap))

    async def event(self, _: CallerOf, scan_id: ScanId) -> Response:
        """The event, as it is drawn."""
        alert = await self._alert(await self._scans.get(scan_id))
        return _json(await asyncio.to_thread(event_data, alert))

    async def file(self, _: CallerOf, scan_id: ScanId, name: str) -> Response:
        """A file: drawn for whoever asks, or as the scan wrote it."""
        scan = await self._scans.get(scan_id)
        if name not in MAKERS:
            return await self._written(scan, name)
        skymap, _number = await self._watching.skymap(scan)
        alert = await self._alert(scan)
        async with self._drawing:
            drawn = await asyncio.to_thread(drawn_file, name, skymap, alert)
        return _attached(drawn.content, drawn.kind, drawn.name)

    async def compare(
        self, _: CallerOf, a: Annotated[str, Query(max_length=64)], b: Annotated[str, Query(max_length=64)]
    ) -> Response:
        """Two scans side by side, as numbers."""
        maps = [(await self._watching.skymap(await self._scans.get(one)))[0] for one in (a, b)]
        return _json(await asyncio.to_thread(compared, *maps))

    async def _written(self, scan: ScanDocument, name: str) -> Response:
        if not name.startswith(_SHOWN):
            raise NotFound(f"scan {scan.scan_id} has no file {name:.200}")
        content = await self._scans.file(scan, name)
        return _attached(content, "application/octet-stream", name.rpartition("/")[2])

    async def _alert(self, scan: ScanDocument) -> Alert:
        return await asyncio.to_thread(alert_in, await self._scans.event(scan))


def _json(found: Mapping[str, Any]) -> Response:
    return Response(msgspec.json.encode(found), media_type=_JSON, headers=_FRESH)


def _kept(request: Request, text: str) -> Response:
    """An answer that browsers keep, and ask for again, which costs nothing while it is the same."""
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type=_JSON, headers=headers)


def _attached(content: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff", **_FRESH}
    return Response(content, media_type=kind, headers=headers)
