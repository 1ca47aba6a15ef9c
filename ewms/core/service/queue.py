"""A queue's document: EWMS's mq-profile without the credentials, which are issued to whoever may have them, never kept."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class QueueDocument(BaseModel):
    """One queue of a workflow, by its alias."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mqid: str
    """`QU-…`; the broker's name of it too."""
    workflow_id: str
    """Its workflow."""
    owner: str = ""
    """Whose that is."""
    timestamp: float
    """When it was reserved, seconds since 1970."""
    alias: str
    """What the user calls it."""
    is_public: bool
    """People outside fill or read it."""
    direction: Literal["in", "out", "inner"]
    """Whether people fill it (`in`), read it (`out`), or whether it only leads from task to task."""
