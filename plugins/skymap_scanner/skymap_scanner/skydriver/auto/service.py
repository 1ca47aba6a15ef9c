"""Automated scanning as a part of SkyDriver: what `skydriver/plugin.py` composes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

from fastapi import APIRouter

from ewms.services import NavigationEntry, PluginHost, Rule
from skymap_scanner.skydriver.auto import routes
from skymap_scanner.skydriver.auto.automation import Automation
from skymap_scanner.skydriver.auto.service_scanner import ServiceScanner
from skymap_scanner.skydriver.auto.settings import AutoSettings, parse_settings
from skymap_scanner.skydriver.scans import Scans

RULES: Final[Mapping[str, Rule]] = routes.RULES
"""Who may call which route."""
NAVIGATION: Final[tuple[NavigationEntry, ...]] = ()
"""It has no page of its own."""
SETTINGS: Final = tuple(AutoSettings.model_fields)
"""Its keys of `[plugins.skydriver]`."""
_made: WeakKeyDictionary[PluginHost, Automation] = WeakKeyDictionary()


def automation_of(host: PluginHost, scans: Scans) -> Automation:
    """The automated scanning of a service: one for its routes and its loop.

    Raises
    ------
    InputError
        The settings are wrong, in one line that names the key.
    """
    if host not in _made:
        _made[host] = Automation(host, ServiceScanner(host, scans), parse_settings(host.settings))
    return _made[host]


def router(host: PluginHost, scans: Scans) -> APIRouter:
    """Its routes."""
    return routes.routes_of(automation_of(host, scans))


async def run(host: PluginHost, scans: Scans) -> None:
    """What it does beside them, until the service stops."""
    await automation_of(host, scans).run()
