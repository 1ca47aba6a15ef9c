"""What the plugin needs to know of the pages: their routes, who may call them, and their entries in the menu."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from ewms.services import KNOWN, REQUEST, SEE, NavigationEntry, PluginHost, Rule
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
    "GET /scans/{scan_id}": SEE,
    "GET /scans/{scan_id}/stream": SEE,
    "GET /scans/{scan_id}/standing.json": SEE,
    "GET /scans/{scan_id}/map.json": SEE,
    "GET /scans/{scan_id}/vertices.json": SEE,
    "GET /scans/{scan_id}/event.json": SEE,
    "GET /scans/{scan_id}/files/{name:path}": SEE,
}
"""Who may call the routes of `router`."""


def router(host: PluginHost, scans: Scans) -> APIRouter:
    """The pages and what they ask for; to be included behind SkyDriver's own routes, which are never shadowed."""
    found = APIRouter()
    found.include_router(ScanPages(scans).router())
    found.include_router(ScanData(scans).router())
    return found
