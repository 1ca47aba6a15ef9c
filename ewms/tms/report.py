"""Tells the service how a cluster stands: when that changes, and now and then as a sign of life."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

from ewms.core.errors import EwmsError
from ewms.core.service.report import ClusterReport, SiteScore
from ewms.tms.backend import Batch
from ewms.tms.service import Service
from ewms.tms.sites import scores
from ewms.tms.standings import Standings
from ewms.tms.waiting import wait_set
from ewms.tms.wanted import Wanted

_log = logging.getLogger("ewms.tms")
REPORT_SECONDS = 10.0
"""Between two reports while nothing changes."""
_GAP = 0.1
"""Between any two."""


class Reporter:
    """Knows how the cluster stands, and says so.

    Parameters
    ----------
    name
        Of the cluster.
    standings
        Where the scores of sites are.
    wanted
        Where sites are that the service has excluded.
    """

    def __init__(self, name: str, service: Service, standings: Standings, wanted: Wanted) -> None:
        self._name = name
        self._service = service
        self._standings = standings
        self._wanted = wanted
        self._report = ClusterReport(ready=False, reason="its backend was not asked yet")
        self._changed = asyncio.Event()

    @property
    def report(self) -> ClusterReport:
        """The last report, without sites."""
        return self._report

    def found(self, batches: Iterable[Batch]) -> None:
        """The backend answers, and has these batches."""
        workers = [batch.workers for batch in batches]
        if not self._report.ready:
            _log.info("backend_found", extra={"cluster": self._name})
        self._set(ClusterReport(ready=True, batches=len(workers), workers=sum(workers)))

    def lost(self, reason: str) -> None:
        """The backend does not answer, for that reason."""
        if self._report.ready or self._report.reason != reason:
            _log.warning("backend_lost", extra={"cluster": self._name, "reason": reason})
        self._set(self._report.model_copy(update={"ready": False, "reason": reason}))

    async def run(self) -> None:
        """Send reports until cancelled. One that is lost is not sent again: the next one tells more."""
        while True:
            self._changed.clear()
            try:
                await self._service.report(self._report.model_copy(update={"sites": self._sites()}))
            except EwmsError as error:
                _log.debug("report_lost", extra={"cluster": self._name, "reason": str(error)})
            await asyncio.sleep(_GAP)
            await wait_set(self._changed, REPORT_SECONDS)

    def _sites(self) -> dict[str, SiteScore]:
        """The scores, without those that would end an exclusion which this TMS knows nothing of, or no more."""
        excluded = self._wanted.excluded_sites()
        found = scores(self._standings.sites, time.monotonic())
        return {name: score for name, score in found.items() if score.excluded_for > 0 or name not in excluded}

    def _set(self, report: ClusterReport) -> None:
        if report.model_dump(exclude={"workers", "batches"}) != self._report.model_dump(exclude={"workers", "batches"}):
            self._changed.set()
        self._report = report
