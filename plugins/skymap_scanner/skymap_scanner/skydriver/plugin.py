"""SkyDriver as a plugin of `ewms serve`, and with it automated scanning and the pages on scans."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from fastapi import APIRouter

from ewms.services import NavigationEntry, PluginHost, Rule, ServicePlugin
from skymap_scanner.skydriver import rules
from skymap_scanner.skydriver.auto import service as auto
from skymap_scanner.skydriver.auto.collections import COLLECTIONS as ALERTS
from skymap_scanner.skydriver.documents import COLLECTIONS as SCANS
from skymap_scanner.skydriver.documents import REMEMBERED
from skymap_scanner.skydriver.keeper import Keeper
from skymap_scanner.skydriver.routes import ewms, listing, scan
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.web import service as web

_WEB = Path(__file__).with_name("web")


class SkyDriver(ServicePlugin):
    """Scans of events, asked for by programs, people and rules."""

    rules: ClassVar[Mapping[str, Rule]] = {**rules.RULES, **auto.RULES, **web.RULES}
    collections = {**SCANS, **ALERTS}
    remembered = REMEMBERED
    navigation: ClassVar[tuple[NavigationEntry, ...]] = (*web.NAVIGATION, *auto.NAVIGATION)
    templates = _WEB / "templates"
    static = _WEB / "static"

    def __init__(self) -> None:
        self._scans: Scans | None = None

    def router(self, host: PluginHost) -> APIRouter:
        """SkyDriver's own routes, those of automated scanning, and pages. `InputError` for settings that are wrong."""
        scans = self._scans = Scans(host)
        routes = APIRouter()
        for part in (listing.router(scans), scan.router(scans), ewms.router(scans), auto.router(host, scans)):
            routes.include_router(part)
        routes.include_router(web.router(host, scans))
        return routes

    async def run(self, host: PluginHost) -> None:
        """Begin scans that wait, note how scans ended, and scan alerts by themselves."""
        if self._scans is None:
            raise RuntimeError("the routes come first")
        async with asyncio.TaskGroup() as group:
            group.create_task(Keeper(host, self._scans).run())
            group.create_task(auto.run(host, self._scans))
