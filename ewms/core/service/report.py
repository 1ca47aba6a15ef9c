"""What a TMS tells the service of its cluster, beside what it confirms of taskforces."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SiteScore(BaseModel):
    """How workers fared at an execution site lately."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    losses: float = Field(ge=0)
    """Workers lost, older ones counting less."""
    successes: float = Field(ge=0)
    """Workers that ended well, older ones counting less."""
    excluded_for: float = Field(default=0.0, ge=0)
    """Seconds from now for which no worker may start there; 0 ends an exclusion."""


class ClusterReport(BaseModel):
    """How a cluster stands; sent when that changes, and as a sign of life."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ready: bool
    """Whether the backend answers."""
    reason: str = ""
    """Why it does not, in one line."""
    batches: int = Field(default=0, ge=0)
    """Taskforces that it has."""
    workers: int = Field(default=0, ge=0)
    """Their workers: idle, running or held."""
    sites: dict[str, SiteScore] = {}
    """Scores by site; one that is left out stands as before."""
