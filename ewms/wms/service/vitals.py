"""Who beside the service lives: driver hosts and TMSs, by the signs that they give and the service's own clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from ewms.core.service.cluster import tms_key
from ewms.core.service.configuration import Configuration
from ewms.stores.collections import HOSTS
from ewms.stores.store import Store
from ewms.wms.service.cluster_health import SILENCE
from ewms.wms.service.lookup import find_all

_DRIVE = "drive"


class Vitals(NamedTuple):
    """Who lives at this time."""

    drivers: int
    """Driver hosts."""
    hosts: dict[str, float]
    """All driver hosts that left a sign, by name: seconds since the last one."""
    clusters: dict[str, str]
    """What is wrong with each cluster of the configuration; empty where nothing is."""


class VitalSigns:
    """A host is dead when its document stays the same for as long as is agreed; watched from the first look on.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, configuration: Configuration, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._configuration = configuration
        self._store = store
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}

    async def look(self) -> Vitals:
        """Read all signs."""
        now = self._clock()
        found = await find_all(self._store, HOSTS, {})
        self._seen = {
            one.key: self._seen[one.key] if self._seen.get(one.key, (0, 0.0))[0] == one.version else (one.version, now)
            for one in found
        }
        silent = {key: now - since for key, (_, since) in self._seen.items()}
        lease = self._configuration.service.lease
        hosts = {one.key: silent[one.key] for one in found if one.body.get("role") == _DRIVE}
        drivers = sum(1 for seconds in hosts.values() if seconds < lease)
        reports = {one.key: one.body.get("report", {}) for one in found}
        clusters = {name: _complaint(reports, silent, tms_key(name)) for name in self._configuration.clusters}
        return Vitals(drivers, hosts, clusters)


def _complaint(reports: dict[str, dict[str, object]], silent: dict[str, float], key: str) -> str:
    if key not in reports:
        return "its TMS has never reported"
    if silent[key] > SILENCE:
        return f"its TMS has been silent for {silent[key]:.0f} s"
    report = reports[key]
    return "" if report["ready"] else str(report["reason"] or "its backend does not answer")
