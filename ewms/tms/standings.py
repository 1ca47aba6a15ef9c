"""Hands on to the service how workers fare, and remembers what the TMS itself needs of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection

from ewms.core.errors import EwmsError
from ewms.tms.backend import Backend, BackendUnavailable, Standing
from ewms.tms.patience import pause_after
from ewms.tms.service import Service
from ewms.tms.sites import Site, observe

_log = logging.getLogger("ewms.tms")
_GATHER_SECONDS = 0.3
"""What comes within it goes in one request."""


class Standings:
    """Sends the last word on each taskforce; what comes while the service is away replaces what came before.

    Parameters
    ----------
    on_end
        Called when nothing is left of a taskforce at the backend.
    """

    def __init__(self, service: Service, *, on_end: Callable[[], None]) -> None:
        self.ended: dict[str, float] = {}
        """By taskforce, when nothing was left of it; seconds since 1970, by the backend's clock."""
        self.sites: dict[str, Site] = {}
        """How sites fare."""
        self._service = service
        self._on_end = on_end
        self._unsent: dict[str, Standing] = {}
        self._arrived = asyncio.Event()

    async def forward(self, backend: Backend) -> None:
        """Take over what the backend tells, and send it, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(backend))
            group.create_task(self._send())

    def take(self, standing: Standing) -> None:
        """Take over one word of the backend."""
        self._unsent[standing.taskforce_uuid] = standing
        self._arrived.set()
        if standing.site_losses or standing.site_successes:
            self.sites = observe(self.sites, standing.site_losses, standing.site_successes, time.monotonic())
        if standing.ended_at is not None:
            self.ended[standing.taskforce_uuid] = standing.ended_at
            self._on_end()

    def keep(self, uuids: Collection[str]) -> None:
        """Forget the ends of all taskforces but these."""
        for uuid in self.ended.keys() - set(uuids) - self._unsent.keys():
            del self.ended[uuid]

    async def _listen(self, backend: Backend) -> None:
        failures = 0
        while True:
            try:
                async for standing in backend.standings():
                    failures = 0
                    self.take(standing)
            except BackendUnavailable as error:
                failures += 1
                _log.debug("standings_lost", extra={"reason": str(error)})
                await asyncio.sleep(pause_after(failures))

    async def _send(self) -> None:
        failures = 0
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._arrived.clear()
            batch, self._unsent = self._unsent, {}
            try:
                await self._service.tell_standings(list(batch.values()))
                failures = 0
            except EwmsError as error:
                failures += 1
                self._unsent = batch | self._unsent
                self._arrived.set()
                _log.debug("statuses_lost", extra={"reason": str(error)})
                await asyncio.sleep(pause_after(failures))
