"""The document of a publication: one scan on its way to one target."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class PublicationDocument(BaseModel):
    """What a target is to have, and what it has. The partial map goes first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    publication_id: str
    """Scan and target."""
    alert_id: str
    """Of which alert."""
    scan_id: str
    """Which scan."""
    rule: str
    """Which rule wanted it."""
    target: str
    """Name of the target; what it is, the policy says."""
    event: str
    """Name of the event in folders, for example `run00118000.evt000000000007.gold`."""
    state: Literal["open", "done"] = "open"
    """`done`: nothing will be sent any more."""
    partial: int = 0
    """Number of the newest partial result that was kept for it; 0 for none."""
    partial_time: float = 0.0
    """When it was kept."""
    partial_sent: int = 0
    """Number of the last one that the target has."""
    ended: Literal["", "complete", "failed", "cancelled"] = ""
    """How the scan ended; nothing while it runs."""
    reason: str = ""
    """Why it did not complete."""
    failure_sent: bool = False
    """The target knows that the scan failed; it may go on all the same."""
    problem: str = ""
    """Why the last attempt failed; nothing where it did not."""
    failures: int = 0
    """Attempts since one succeeded."""
    due: float | None = None
    """When it is to be sent, seconds since 1970; None while there is nothing to send."""

    @property
    def stage(self) -> Literal["", "partial", "final"]:
        """What goes next."""
        if self.state == "done":
            return ""
        if self.partial > self.partial_sent:
            return "partial"
        return "final" if self.ended else ""
