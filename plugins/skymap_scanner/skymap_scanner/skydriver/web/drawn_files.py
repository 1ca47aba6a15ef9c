"""Files of a scan that are made when somebody asks for them, of a partial map as of a finished one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from skymap_scanner.event import Alert
from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs import skyreader
from skymap_scanner.outputs.names import base_name
from skymap_scanner.skydriver.web.browser_map import browser_map


class DrawnFile(NamedTuple):
    """What somebody takes away."""

    content: bytes
    """All of it."""
    kind: str
    """Media type."""
    name: str
    """What it is called on their disk."""


class _Maker(NamedTuple):
    make: Callable[[SkyMap, Alert], bytes]
    kind: str


def _fullsky(skymap: SkyMap, _: Alert) -> bytes:
    from skymap_scanner.outputs.plots.canvas import house_style, rendered
    from skymap_scanner.outputs.plots.fullsky import full_sky

    with house_style():
        return rendered(full_sky(skymap), "png", dpi=200)


def _zoomed(skymap: SkyMap, alert: Alert) -> bytes:
    from skymap_scanner.outputs.plots.canvas import house_style, rendered
    from skymap_scanner.outputs.plots.zoom import zoom

    if skymap.best is None:
        return _fullsky(skymap, alert)
    with house_style():
        return rendered(zoom(skymap, skymap.best), "png", dpi=200)


def _event(_: SkyMap, alert: Alert) -> bytes:
    from skymap_scanner.detector.view import event_view

    return event_view(alert)


def _multiorder(skymap: SkyMap, _: Alert) -> bytes:
    from skymap_scanner.outputs.multiorder import multiorder_map

    return multiorder_map(skymap)


MAKERS: Mapping[str, _Maker] = {
    "fullsky.png": _Maker(_fullsky, "image/png"),
    "zoomed.png": _Maker(_zoomed, "image/png"),
    "event.png": _Maker(_event, "image/png"),
    "result.json": _Maker(lambda skymap, _: skyreader.to_json(skymap.result).encode(), "application/json"),
    "result.npz": _Maker(lambda skymap, _: skyreader.to_npz(skymap.result), "application/octet-stream"),
    "multiorder.fits": _Maker(_multiorder, "application/fits"),
    "map.json": _Maker(lambda skymap, _: msgspec.json.encode(browser_map(skymap)), "application/json"),
}
"""By the names under which they are asked for. All take up to seconds: call them in a thread."""


def drawn_file(name: str, skymap: SkyMap, alert: Alert) -> DrawnFile:
    """Make one of them, named after its event."""
    maker = MAKERS[name]
    base = base_name(skymap.result.header, skymap.result.levels)
    partial = "" if skymap.result.complete else ".partial"
    return DrawnFile(maker.make(skymap, alert), maker.kind, f"{base}{partial}.{name}")
