"""The map of a scan as the service keeps it: the finished one, else the newest partial one."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import NamedTuple

from ewms.services import NotFound, WorkflowDocument
from skymap_scanner.event import Alert
from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs.skyreader import parse_result
from skymap_scanner.reading.load import load_alert_bytes
from skymap_scanner.result import ScanResult
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.view import PARTIAL, ScanView

_PIXELS = PARTIAL
_NUMBERS = "partial/overview.json"


def number_of(workflow: WorkflowDocument) -> int:
    """Which map a scan has: 0 for none, growing with each new one; the finished one is the last."""
    if workflow.product:
        return workflow.partial_number + 1
    return workflow.partial_number if _PIXELS in workflow.partial else 0


class MapFiles(NamedTuple):
    """What a map is made of."""

    pixels: bytes
    """All of the scan, as `icecube-skyreader` has it."""
    numbers: bytes
    """Its overview, JSON; empty where nobody made one."""
    event: bytes
    """The alert."""
    reco: str
    """The reconstruction, for results that do not name one."""

    def skymap(self) -> SkyMap:
        """The map, with the published fits of its event. Takes some hundredths of a second."""
        result = parse_result(self.pixels, "the scan's pixels")
        result = dataclasses.replace(result, fits=alert_in(self.event).fits, reco=result.reco or self.reco)
        is_shower = bool(self.numbers) and _is_shower(result, json.loads(self.numbers))
        return SkyMap.of(result, SimpleNamespace(kind="cascade") if is_shower else None)


async def map_files(scans: Scans, view: ScanView) -> MapFiles:
    """The files of a scan's newest map; `NotFound` while there is none."""
    scan, workflow = view.scan, view.workflow
    event = await scans.event(scan)
    if scan.given_result is not None:
        given, _ = await scans.result(scan)
        return MapFiles(await asyncio.to_thread(lambda: json.dumps(given).encode()), b"", event, scan.reco.used)
    if workflow is None or not number_of(workflow):
        raise NotFound(f"scan {scan.scan_id} has no map yet; ask again in a moment")
    pixels, numbers = _PIXELS, _NUMBERS
    if workflow.product:
        pixels, numbers = (_ending(workflow.product, end) for end in (".npz", "best_fit.json"))
    return MapFiles(await scans.file(scan, pixels), await scans.file(scan, numbers), event, scan.reco.used)


def _ending(names: Sequence[str], end: str) -> str:
    found = next((name for name in names if name.endswith(end)), None)
    if found is None:
        raise NotFound(f"the product has no file that ends in {end}; it is no map")
    return found


@functools.lru_cache(maxsize=16)
def alert_in(content: bytes) -> Alert:
    """The event that a scan keeps."""
    return load_alert_bytes(content, "the scan's event")


def _is_shower(result: ScanResult, overview: dict[str, object]) -> bool:
    """Whether the scan found that it can tell no direction although its reconstruction could."""
    has_values = any((rows["llh"] < float("inf")).any() for rows in result.levels.values())
    return result.gives_direction and has_values and overview["best_fit"] is None
