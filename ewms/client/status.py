"""A workflow as its service tells of it. Keys that a newer service has beside these are left alone."""

from __future__ import annotations

from typing import Any

import msgspec

from ewms.core.errors import UsageError
from ewms.core.service.phases import WorkflowState

ENDED = frozenset({WorkflowState.COMPLETE, WorkflowState.FAILED, WorkflowState.CANCELLED})
"""States in which nothing happens unless somebody asks for it."""


class TaskStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far one task is."""

    planned: int = 0
    """Events known so far."""
    terminal: int = 0
    """Accepted or given up on."""


class WorkflowStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a workflow stands."""

    workflow_id: str
    """`WF-…`."""
    state: WorkflowState
    """Where it is."""
    timestamp: float
    """When it was submitted, seconds since 1970."""
    reason: str = ""
    """Why it failed or waits."""
    wish: str = ""
    """What was last asked for."""
    name: str = ""
    """For people."""
    owner: str = ""
    """Who submitted it."""
    priority: int = 50
    """From 100 it is urgent."""
    labels: dict[str, str] = {}
    """For searching."""
    counts: dict[str, int] = {}
    """As in `summary.json`."""
    tasks: dict[str, TaskStatus] = {}
    """By task."""
    files: dict[str, str] = {}
    """Its files: name to sha256."""
    product: tuple[str, ...] = ()
    """Names of the product's files."""

    @property
    def has_ended(self) -> bool:
        """Nothing happens any more unless somebody asks for it."""
        return self.state in ENDED


def status_of(document: Any) -> WorkflowStatus:
    """The status in a service's answer; `UsageError` where it holds none."""
    try:
        return msgspec.convert(document, WorkflowStatus)
    except msgspec.ValidationError as error:
        raise UsageError(f"the service tells of a workflow in another way than this version knows: {error}") from error
