"""The `[quotas]` and `[owners.NAME]` tables: how much of the service one owner may take."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ewms.core.spec import Size


class Quota(BaseModel):
    """What one owner may have at a time; what is left out has no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflows: int | None = Field(default=None, ge=0)
    """Workflows that are neither complete nor cancelled."""
    workers: int | None = Field(default=None, ge=0)
    """Workers over all clusters."""
    upload: Size | None = None
    """Bytes of files that were uploaded and still are kept."""


class OwnerConfiguration(Quota):
    """One owner; what is left out is as in `[quotas]`."""

    weight: float = Field(default=1.0, gt=0)
    """Share of the workers, relative to others."""
