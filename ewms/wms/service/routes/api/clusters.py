"""`/api/clusters` and `/api/sites`: where pilots run, and where none may for now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as Part
from pydantic import BaseModel, ConfigDict, Field

from ewms.core.errors import NotFound
from ewms.core.service.cluster import SiteDocument, TmsDocument, site_key, tms_key
from ewms.core.service.configuration import Configuration
from ewms.core.service.report import ClusterReport
from ewms.stores.collections import HOSTS, SITES
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.listing import Listing
from ewms.wms.service.sites import change_site, sites_of
from ewms.wms.service.state import State

router = APIRouter(prefix="/api", tags=["clusters"])
SiteName = Annotated[str, Part(pattern=r"^[A-Za-z0-9._:@-]{1,200}$")]


class ClusterState(BaseModel):
    """One cluster."""

    model_config = ConfigDict(frozen=True)

    name: str
    """In the service's configuration."""
    backend: str
    """What it is."""
    aliases: tuple[str, ...]
    """Further names by which requests may call it."""
    max_workers: int
    """Most workers at a time."""
    report: ClusterReport | None
    """The last word of its TMS; null if it has never spoken."""
    age: float | None
    """Seconds since then."""
    problem: str
    """What keeps its work waiting for now, in one line; empty where nothing does."""


class SiteState(SiteDocument):
    """One execution site."""

    excluded_for: float
    """Seconds for which no worker may start there; 0 if workers may."""


class Exclusion(BaseModel):
    """No worker is to start at a site for some time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(gt=0, le=366 * 86400)
    """For how long."""
    reason: str = Field(default="", max_length=500)
    """Why."""


@router.get("/clusters")
async def list_clusters(state: State, caller: CallerOf) -> Listing[ClusterState]:
    """The clusters of the configuration, with what their TMSs say."""
    problems = (await state.vitals.look()).clusters
    clusters = []
    for name, cluster in state.configuration.clusters.items():
        stored = await state.store.get(HOSTS, tms_key(name))
        word = None if stored is None else TmsDocument.model_validate(stored.body)
        clusters.append(
            ClusterState(
                name=name,
                backend=cluster.backend,
                aliases=cluster.aliases,
                max_workers=cluster.max_workers,
                report=None if word is None else word.report,
                age=None if word is None else max(0.0, state.clock() - word.timestamp),
                problem=problems[name],
            )
        )
    return Listing(items=clusters, total=len(clusters))


@router.get("/sites")
async def list_sites(state: State, caller: CallerOf, cluster: str | None = None) -> Listing[SiteState]:
    """Execution sites with their scores and exclusions."""
    now = state.clock()
    sites = [_shown(site, now) for site in await sites_of(state, cluster)]
    return Listing(items=sites, total=len(sites))


@router.post("/sites/{cluster}/{site}/exclusion")
async def exclude(cluster: str, site: SiteName, exclusion: Exclusion, state: State, caller: CallerOf) -> SiteState:
    """Have no worker of a cluster start at a site; it ends by itself."""
    _known(state.configuration, cluster)
    now = state.clock()
    update = {"excluded_until": now + exclusion.seconds, "excluded_by": caller.name, "reason": exclusion.reason}
    return _shown(await change_site(state, cluster, site, lambda old: old.model_copy(update=update)), now)


@router.delete("/sites/{cluster}/{site}/exclusion")
async def admit(cluster: str, site: SiteName, state: State, caller: CallerOf) -> SiteState:
    """Let workers start at a site again."""
    if await state.store.get(SITES, site_key(cluster, site)) is None:
        raise NotFound(f"there is no site {site} of cluster {cluster:.80}")
    update = {"excluded_until": 0.0, "excluded_by": "", "reason": ""}
    return _shown(await change_site(state, cluster, site, lambda old: old.model_copy(update=update)), state.clock())


def _shown(site: SiteDocument, now: float) -> SiteState:
    return SiteState(**site.model_dump(), excluded_for=max(0.0, site.excluded_until - now))


def _known(configuration: Configuration, cluster: str) -> None:
    if cluster not in configuration.clusters:
        raise NotFound(f"there is no cluster {cluster:.80}; known are {', '.join(configuration.clusters) or 'none'}")
