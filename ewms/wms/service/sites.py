"""Execution sites: their scores, and where no worker may start for now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from ewms.core.errors import Conflict
from ewms.core.service.cluster import SiteDocument, TmsDocument, site_key, tms_key
from ewms.core.service.report import ClusterReport, SiteScore
from ewms.stores.collections import HOSTS, SITES
from ewms.stores.store import Insert, Replace
from ewms.wms.service.lookup import find_all
from ewms.wms.service.state import ServiceState

BY_TMS = "tms"
"""Who excluded a site for its losses; an operator's exclusion outlasts that."""


async def sites_of(state: ServiceState, cluster: str | None = None) -> list[SiteDocument]:
    """All sites, or those of one cluster."""
    found = await find_all(state.store, SITES, {} if cluster is None else {"cluster": cluster})
    return [SiteDocument.model_validate(stored.body) for stored in found]


async def excluded_sites(state: ServiceState, cluster: str) -> tuple[str, ...]:
    """Where no worker of a cluster may start now, in order of their names."""
    now = state.clock()
    return tuple(sorted(site.site for site in await sites_of(state, cluster) if site.is_excluded(now)))


async def change_site(
    state: ServiceState, cluster: str, site: str, change: Callable[[SiteDocument], SiteDocument]
) -> SiteDocument:
    """Change a site, known or not; it as it is then."""
    key = site_key(cluster, site)
    while True:
        stored = await state.store.get(SITES, key)
        before = SiteDocument(cluster=cluster, site=site) if stored is None else SiteDocument.model_validate(stored.body)
        after = change(before)
        body = after.model_dump(mode="json")
        if stored is not None and after == before:
            return after
        try:
            await state.store.write(
                Insert(collection=SITES, key=key, body=body)
                if stored is None
                else Replace(collection=SITES, key=key, version=stored.version, body=body)
            )
        except Conflict:
            continue
        if after.excluded_until != before.excluded_until:
            await state.news.publish(SITES, key)
        return after


async def take_report(state: ServiceState, cluster: str, report: ClusterReport) -> None:
    """Keep what a TMS says of its cluster."""
    key = tms_key(cluster)
    while True:
        stored = await state.store.get(HOSTS, key)
        count = 1 if stored is None else TmsDocument.model_validate(stored.body).count + 1
        document = TmsDocument(cluster=cluster, report=report, count=count, timestamp=state.clock())
        body = document.model_dump(mode="json")
        try:
            await state.store.write(
                Insert(collection=HOSTS, key=key, body=body)
                if stored is None
                else Replace(collection=HOSTS, key=key, version=stored.version, body=body)
            )
            break
        except Conflict:
            continue
    await state.news.publish(HOSTS, key)
    now = state.clock()
    await asyncio.gather(
        *(change_site(state, cluster, site, partial(_scored, score=score, now=now)) for site, score in report.sites.items())
    )


def _scored(site: SiteDocument, score: SiteScore, now: float) -> SiteDocument:
    """A site as its TMS sees it; an operator's exclusion stays while it lasts."""
    fields: dict[str, object] = {"losses": score.losses, "successes": score.successes}
    if not site.is_excluded(now) or site.excluded_by == BY_TMS:
        until = now + score.excluded_for if score.excluded_for else 0.0
        # The TMS repeats what remains of an exclusion: the same end, but for the way of the message.
        if abs(until - site.excluded_until) > 1.0:
            fields |= {"excluded_until": until, "excluded_by": BY_TMS if until else "", "reason": "workers were lost there"}
    return site.model_copy(update=fields)
