"""Maps for everybody who watches: each is made once, those who come late get the newest, nothing is done for nobody."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from ewms.services import WorkflowDocument, WorkflowState
from skymap_scanner.maps import SkyMap, overview
from skymap_scanner.outputs.skyreader import to_json
from skymap_scanner.reading import native
from skymap_scanner.result import ScanResult
from skymap_scanner.simulation.event import simulate
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.view import PARTIAL, ScanView
from skymap_scanner.skydriver.web.live_maps import LiveMaps
from tests.support.conditions import until

MakeScan = Callable[..., ScanResult]
LISTENERS = 30
SECONDS = 60.0


class Service:
    """A scan whose workflow a test changes, with the files of its partial maps."""

    def __init__(self, maps: list[ScanResult]) -> None:
        self.host = self
        self.stopping = asyncio.Event()
        self.read: Counter[str] = Counter()
        self.following = 0
        self.scan = cast(Any, type("Scan", (), {"scan_id": "1x2", "ewms_workflow_id": "WF-1", "given_result": None}))
        self.scan.reco = type("Reco", (), {"used": "mpe"})
        self._maps = maps
        self._number = 0
        self._changed = asyncio.Event()
        self._event = native.dumps(simulate("track", 1.4, 3.6, 3e4, 1))

    def next_map(self) -> None:
        self._number += 1
        self._changed.set()

    async def changes(self, caller: object, workflow_id: str) -> AsyncIterator[WorkflowDocument]:
        assert (caller, workflow_id) == (None, "WF-1")
        self.following += 1
        try:
            while True:
                self._changed.clear()
                partial = (PARTIAL, "partial/overview.json") if self._number else ()
                yield WorkflowDocument.model_construct(
                    workflow_id="WF-1",
                    timestamp=0.0,
                    spec=cast(Any, None),
                    state=WorkflowState.RUNNING,
                    partial=partial,
                    partial_number=self._number,
                    product=(),
                )
                await self._changed.wait()
        finally:
            self.following -= 1

    async def file(self, _: object, name: str) -> bytes:
        self.read[name] += 1
        result = self._maps[self._number - 1]
        return (to_json(result) if name == PARTIAL else json.dumps(overview(SkyMap(result)))).encode()

    async def event(self, _: object) -> bytes:
        return self._event


async def standing(view: ScanView) -> dict[str, Any]:
    assert view.workflow is not None
    return {"number": view.workflow.partial_number}


@pytest.fixture
def service(make_scan: MakeScan) -> Service:
    return Service([make_scan(120.0, 10.0, nsides=((n, 0),)) for n in (2, 4, 8)])


async def test_a_map_is_made_once_for_all_who_watch(service: Service) -> None:
    live = LiveMaps(cast(Scans, service))
    got: list[list[bytes]] = [[] for _ in range(LISTENERS)]

    async def watch(into: list[bytes]) -> None:
        async for data in live.events(service.scan, standing):
            into.extend(part for part in data.split(b"\n\n") if part.startswith(b"event: "))

    def numbers(into: list[bytes]) -> list[int]:
        maps = [part.partition(b"\ndata: ")[2] for part in into if part.startswith(b"event: map")]
        return [json.loads(one)["number"] for one in maps]

    async def all_have(number: int) -> bool:
        return all(number in numbers(into) for into in got)

    watching = [asyncio.create_task(watch(into)) for into in got]
    for number in (1, 2):
        service.next_map()
        await until(lambda wanted=number: all_have(wanted), f"map {number} everywhere", SECONDS)  # type: ignore[misc]
    late: list[bytes] = []
    watching.append(asyncio.create_task(watch(late)))

    async def late_has_it() -> bool:
        return bool(numbers(late))

    await until(late_has_it, "the newest map for who comes late", SECONDS)
    assert numbers(late) == [2]
    assert len({tuple(one for one in into if one.startswith(b"event: map")) for into in got}) == 1
    assert service.read[PARTIAL] == 2, "once for each map, however many watch"
    assert live.shown("WF-1", 2) is not None
    assert live.shown("WF-1", 1) is None
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)

    async def nobody_works() -> bool:
        return service.following == 0

    await until(nobody_works, "the end of work for nobody", SECONDS)
    assert live.shown("WF-1", 2) is None


async def test_streams_end_with_the_service(service: Service) -> None:
    live = LiveMaps(cast(Scans, service))
    seen = []

    async def watch() -> None:
        async for data in live.events(service.scan, standing):
            seen.append(data)

    watching = asyncio.create_task(watch())

    async def has_begun() -> bool:
        return bool(seen)

    await until(has_begun, "the first event", SECONDS)
    service.stopping.set()
    await asyncio.wait_for(watching, SECONDS)
