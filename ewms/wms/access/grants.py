"""What pilots and users may do at the broker, and for how long."""

from __future__ import annotations

from ewms.brokers.credentials import MAX_LIFETIME, Grant
from ewms.wms.driver import Queues

_REFRESH_SECONDS = 3600.0
"""After which a TMS asks for fresh credentials for the pilots that are still to start."""
_MARGIN_SECONDS = 900.0
"""A bit: for the drain of a pilot, and for a TMS that was away for a moment."""
DEFAULT_RUN_SECONDS = 86_400.0
"""How long a pilot runs that nobody limits; it is told so, and drains before its credential ends."""


def pilot_grant(workflow_id: str) -> Grant:
    """Lease work, report, tell of itself, and hear what the driver says."""
    queues = Queues.of(workflow_id)
    return Grant(
        workflow_id=workflow_id,
        purpose="pilot",
        lease=(queues.work,),
        publish=(queues.reports,),
        signal=(queues.heartbeats,),
        hear=(queues.commands,),
    )


def load_grant(workflow_id: str, queue: str) -> Grant:
    """Publish events to a public input queue."""
    return Grant(workflow_id=workflow_id, purpose="load", publish=(queue,))


def read_grant(workflow_id: str, queue: str) -> Grant:
    """Lease what a public output queue holds."""
    return Grant(workflow_id=workflow_id, purpose="read", lease=(queue,))


def pilot_lifetime(max_runtime: float | None) -> float:
    """Seconds that the credential of a pilot must last: its run time and a bit, as it may start just before a refresh."""
    return min(MAX_LIFETIME, (max_runtime or DEFAULT_RUN_SECONDS) + _REFRESH_SECONDS + _MARGIN_SECONDS)
