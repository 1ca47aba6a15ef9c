"""A webhook that is still to be called: the outbox of the service."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ewms.core.service.workflow import StateEntry


class Delivery(BaseModel):
    """One change of state for one URL; gone when it was delivered, or given up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery_id: str
    """`DL-…`: the same at each attempt, so that a receiver knows a repeat."""
    workflow_id: str
    """What changed."""
    owner: str
    """Whose that is."""
    name: str
    """Of the workflow, for people."""
    url: str
    """Where it goes."""
    entry: StateEntry
    """How it changed."""
    due: float
    """Not to be tried before, seconds since 1970."""
    failures: int = 0
    """Attempts so far."""
