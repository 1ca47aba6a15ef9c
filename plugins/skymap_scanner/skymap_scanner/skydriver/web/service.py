"""What the plugin needs to know of the pages: their routes, who may call them, and their entries in the menu."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from ewms.services import KNOWN, REQUEST, NavigationEntry, PluginHost, Rule
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.web.data import ScanData
from skymap_scanner.skydriver.web.pages import ScanPages

NAVIGATION: tuple[NavigationEntry, ...] = (NavigationEntry("Scans", "/scans"),)
RULES: Mapping[str, Rule] = {
    "GET /scans": KNOWN,
    "GET /scans/rows": KNOWN,
    "GET /new": REQUEST,
    "GET /compare": KNOWN,
    "GET /compare.json": KNOWN,
    "GET /figures/sky.json": KNOWN,
    "GET /figures/event.json": KNOWN,
    "GET /scans/{scan_id}": KNOWN,
    "GET /scans/{scan_id}/stream": KNOWN,
    "GET /scans/{scan_id}/standing.json": KNOWN,
    "GET /scans/{scan_id}/map.json": KNOWN,
    "GET /scans/{scan_id}/vertices.json": KNOWN,
    "GET /scans/{scan_id}/event.json": KNOWN,
    "GET /scans/{scan_id}/files/{name:path}": KNOWN,
}
"""Who may call the routes of `router`. Every user sees all scans, as in SkyDriver."""


def router(host: PluginHost, scans: Scans) -> APIRouter:
    """The pages and what they ask for; to be included behind SkyDriver's own routes, which are never shadowed."""
    found = APIRouter()
    found.include_router(ScanPages(scans).router())
    found.include_router(ScanData(scans).router())
    return found
