"""Which clusters do not answer, by what their TMSs report and by the service's own clock."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

from ewms.core.service.cluster import TmsDocument, tms_key
from ewms.stores.collections import HOSTS
from ewms.stores.store import Store

SILENCE = 30.0
"""Seconds without a report after which a TMS counts as gone; it reports every ten."""
_log = logging.getLogger("ewms.control")


class ClusterHealth:
    """Watches the reports of some clusters.

    A cluster whose TMS never reported is taken for healthy: those of EWMS do not report.
    """

    def __init__(self, store: Store, clusters: Iterable[str]) -> None:
        self._store = store
        self._clusters = tuple(clusters)
        self._heard: dict[str, tuple[int, float]] = {}
        self.unhealthy: frozenset[str] = frozenset()
        """As of the last look."""

    async def look(self) -> None:
        """Read the reports."""
        found = await asyncio.gather(*(self._store.get(HOSTS, tms_key(cluster)) for cluster in self._clusters))
        reports = {
            cluster: TmsDocument.model_validate(stored.body)
            for cluster, stored in zip(self._clusters, found, strict=True)
            if stored is not None
        }
        reasons = {cluster: self._complaint(report) for cluster, report in reports.items()}
        unhealthy = frozenset(cluster for cluster, reason in reasons.items() if reason)
        for cluster in unhealthy - self.unhealthy:
            _log.warning("cluster_lost", extra={"cluster": cluster, "reason": reasons[cluster]})
        for cluster in self.unhealthy - unhealthy:
            _log.info("cluster_found", extra={"cluster": cluster})
        self.unhealthy = unhealthy

    def _complaint(self, tms: TmsDocument) -> str:
        """Why a cluster does not count; empty if it does."""
        now = time.monotonic()
        count, since = self._heard.get(tms.cluster, (-1, now))
        if count != tms.count:
            since = now
        self._heard[tms.cluster] = (tms.count, since)
        if now - since > SILENCE:
            return f"its TMS has been silent for {SILENCE:g} s"
        return "" if tms.report.ready else tms.report.reason or "its backend does not answer"
