"""The map of a scan as the service keeps it: the finished one, else the newest partial one."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
from pathlib import PurePosixPath
from types import SimpleNamespace

from ewms.services import Caller, NotFound, PluginHost, WorkflowDocument
from skymap_scanner.event import Alert
from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs.skyreader import parse_result
from skymap_scanner.reading.load import load_alert_bytes
from skymap_scanner.result import ScanResult

_INPUTS = "inputs/"
_PIXELS = "partial/partial.json"
_NUMBERS = "partial/overview.json"


def number_of(workflow: WorkflowDocument) -> int:
    """Which map a scan has: 0 for none, growing with each new one; the finished one is the last."""
    if workflow.product:
        return workflow.partial_number + 1
    return workflow.partial_number if _PIXELS in workflow.partial else 0


async def skymap_of(host: PluginHost, caller: Caller, workflow: WorkflowDocument) -> SkyMap:
    """The map of a scan, with the published fits of its event; `NotFound` while there is none."""
    if not number_of(workflow):
        raise NotFound(f"scan {workflow.workflow_id} has no map yet; ask again in a moment")
    is_whole = bool(workflow.product)
    pixels = next((name for name in workflow.product if name.endswith(".npz")), "") if is_whole else _PIXELS
    numbers = next((name for name in workflow.product if name.endswith("best_fit.json")), "") if is_whole else _NUMBERS
    contents = [await host.content(caller, workflow.workflow_id, name) for name in (pixels, numbers)]
    alert = await alert_of(host, caller, workflow)
    return await asyncio.to_thread(_skymap, *contents, alert)


async def alert_of(host: PluginHost, caller: Caller, workflow: WorkflowDocument) -> Alert:
    """The event of a scan."""
    name = next(name for name in workflow.files if name.startswith(_INPUTS))
    content = await host.content(caller, workflow.workflow_id, name)
    return await asyncio.to_thread(_alert, content, PurePosixPath(name).name)


@functools.lru_cache(maxsize=32)
def _alert(content: bytes, name: str) -> Alert:
    return load_alert_bytes(content, name)


def _skymap(pixels: bytes, numbers: bytes, alert: Alert) -> SkyMap:
    result = parse_result(pixels, "the scan's pixels")
    result = dataclasses.replace(result, fits=alert.fits)
    return SkyMap.of(result, SimpleNamespace(kind="cascade") if _is_shower(result, json.loads(numbers)) else None)


def _is_shower(result: ScanResult, overview: dict[str, object]) -> bool:
    """Whether the scan found that it can tell no direction although its reconstruction could."""
    has_values = any((rows["llh"] < float("inf")).any() for rows in result.levels.values())
    return result.gives_direction and has_values and overview["best_fit"] is None
