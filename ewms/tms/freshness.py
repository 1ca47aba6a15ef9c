"""When what pilots start with is out of date: their credentials, and the sites where none is to start. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Order

REFRESH_SECONDS = 3600.0
"""Credentials last as long as a worker's run time and a bit, but pilots start later than their taskforce."""


class _Told(NamedTuple):
    since: float
    sites: tuple[str, ...]


class Freshness:
    """A taskforce that is met for the first time counts as fresh: most often it was submitted just now."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    def renewed(self, uuid: str, excluded_sites: tuple[str, ...], now: float) -> None:
        """Note what pilots of a taskforce start with, since that time on a monotonic clock."""
        self._told[uuid] = _Told(now, excluded_sites)

    def stale(self, orders: Mapping[str, Order], now: float) -> set[str]:
        """Submitted taskforces whose pilots start with what is out of date."""
        return {
            uuid
            for uuid, order in orders.items()
            if order.taskforce.phase is Phase.CONDOR_SUBMIT and self._is_stale(uuid, order.excluded_sites, now)
        }

    def keep(self, uuids: Collection[str]) -> None:
        """Forget all taskforces but these."""
        self._told = {uuid: told for uuid, told in self._told.items() if uuid in uuids}

    def _is_stale(self, uuid: str, excluded_sites: tuple[str, ...], now: float) -> bool:
        told = self._told.setdefault(uuid, _Told(now, ()))
        return now - told.since > REFRESH_SECONDS or told.sites != excluded_sites
