"""How clusters and execution sites stand, as the service keeps what TMSs report."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ewms.core.service.report import ClusterReport


class TmsDocument(BaseModel):
    """The last word of one cluster's TMS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str = "tms"
    """What it is among the hosts."""
    cluster: str
    """Whose TMS."""
    report: ClusterReport
    """What it said."""
    count: int
    """How many times it has spoken: it lives while this grows."""
    timestamp: float
    """When that was, seconds since 1970 by the service's clock."""


def tms_key(cluster: str) -> str:
    """The key of a cluster's TMS among the hosts."""
    return f"tms:{cluster}"


class SiteDocument(BaseModel):
    """One execution site of one cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster: str
    """By which it is reached."""
    site: str
    """Its name."""
    losses: float = 0.0
    """Workers lost, older ones counting less."""
    successes: float = 0.0
    """Workers that ended well, older ones counting less."""
    excluded_until: float = 0.0
    """No worker may start there before, seconds since 1970 by the service's clock."""
    excluded_by: str = ""
    """Who excluded it: `tms`, or the operator."""
    reason: str = ""
    """Why."""

    def is_excluded(self, now: float) -> bool:
        """Whether no worker may start there."""
        return self.excluded_until > now


def site_key(cluster: str, site: str) -> str:
    """The key of a site."""
    return f"{cluster}/{site}"
