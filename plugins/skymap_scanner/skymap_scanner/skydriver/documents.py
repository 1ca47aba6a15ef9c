"""The documents of scans and events. What SkyDriver's manifest has stands at the top level, to be searched. Pure."""

from __future__ import annotations

import secrets
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from skymap_scanner.skydriver.order import ScanOrder
from skymap_scanner.skydriver.request import EventMetadata

NOT_YET_REQUESTED = "not-yet-requested"
"""SkyDriver's word for the workflow of a scan that has none yet."""
Outcome = Literal["", "complete", "failed", "cancelled"]
"""How a scan's workflow ended; empty while it has not."""
SCANS = "scans"
"""One document per scan, by its id."""
EVENTS = "events"
"""One document per event, by the digest of what was sent."""
KEYS = "keys"
"""One document per order under a key that its sender chose, so that a repeat makes no second scan."""
REMEMBERED = {KEYS: 7 * 86400.0}
"""For how many seconds a repeated order is known as one."""
COLLECTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    SCANS: (
        ("timestamp",),
        ("owner", "timestamp"),
        ("outcome", "timestamp"),
        ("ewms_workflow_id",),
        ("i3_event_id", "timestamp"),
        ("content_digest", "timestamp"),
        ("event_metadata.run_id", "event_metadata.event_id"),
    ),
    EVENTS: (("content_digest",), ("timestamp",)),
    KEYS: (("timestamp",),),
}


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecoUsed(_Document):
    """Which reconstruction a scan is made with."""

    requested: str
    """As the request named it."""
    used: str
    """What really runs."""


class GivenResult(_Document):
    """A result that was sent to the service."""

    sha256: str
    """Of it, among the plugin's uploads."""
    is_final: bool
    """Whether it is the last one."""


class EventDocument(_Document):
    """An event that was sent."""

    i3_event_id: str
    """Digest of it as JSON: the same text is the same event."""
    content_digest: str
    """Digest of header and pulses, however they were written."""
    sha256: str
    """Of it as JSON, among the plugin's uploads."""
    timestamp: float
    """When it came first, seconds since 1970."""
    metadata: EventMetadata
    """Which event it is; real or simulated by its own word."""


class ScanDocument(_Document):
    """A scan. Its progress and state are not kept, but derived from its workflow."""

    scan_id: str
    """Its id, in the order of time."""
    timestamp: float
    """When it was asked for, seconds since 1970."""
    is_deleted: bool = False
    """It shows only to whoever asks for deleted ones."""
    scanner_server_args: str
    """How the same scan is made on the command line."""
    ewms_workflow_id: str | None = NOT_YET_REQUESTED
    """Its workflow."""
    ewms_address: str | None = None
    """URL of the service that has it."""
    priority: int = 0
    """As asked for."""
    classifiers: dict[str, Any] = {}
    """The user's labels, and where a rescan comes from."""
    i3_event_id: str
    """Its event."""
    event_metadata: dict[str, Any] | None = None
    """Which event that is."""
    scan_metadata: dict[str, Any] | None = None
    """What is known of the scan beside."""
    replaced_by_scan_id: str | None = None
    """The scan that takes its place."""
    last_updated: float = 0.0
    """When this document was changed last, seconds since 1970."""
    owner: str
    """Who asked for it."""
    order: ScanOrder
    """What was asked for."""
    reco: RecoUsed
    """Which reconstruction makes it."""
    content_digest: str
    """Of its event."""
    duplicate_of: str | None = None
    """The newest scan before it of an event with the same content; None for the first."""
    rescan_of: str | None = None
    """The scan whose request this one repeats."""
    rescan_ids: tuple[str, ...] = ()
    """Scans that repeat its request."""
    given_result: GivenResult | None = None
    """A result that was sent, in place of the workflow's."""
    given_progress: dict[str, Any] | None = None
    """A progress that was sent, in place of the workflow's."""
    told: tuple[str, ...] = ()
    """Which metadata were sent, in place of ours; each is taken once."""
    outcome: Outcome = ""
    """How its workflow ended."""
    reason: str = ""
    """Why it failed, or cannot be begun yet; one line."""
    overview: dict[str, Any] = {}
    """The finished map in numbers: `best_fit.json`."""
    final_progress: dict[str, Any] | None = None
    """The progress when the workflow ended."""
    attempts: int = 0
    """Attempts to begin it that failed."""
    due: float = 0.0
    """Not to be begun before, seconds since 1970."""

    @property
    def is_requested(self) -> bool:
        """Whether it has a workflow."""
        return self.ewms_workflow_id not in {None, NOT_YET_REQUESTED}


def new_scan_id(now: float) -> str:
    """SkyDriver's: hexadecimal milliseconds, an `x`, and random digits; 32 characters that sort by time."""
    stamp = f"{int(now * 1000):x}x"
    return stamp + secrets.token_hex(16)[: 32 - len(stamp)]
