"""The document of an alert: what came, what was decided, and what became of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from skymap_scanner.skydriver.auto.facts import Facts
from skymap_scanner.skydriver.auto.policy import ScanPlan

Way = Literal["post", "folder", "webhook"]
"""How an alert came in."""
State = Literal["waiting", "started", "ignored"]
"""`waiting`: it is kept, and not all its scans are started; `started`: they are; `ignored`: the policy wants none."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedScan(_Document):
    """One scan of an alert."""

    plan: ScanPlan
    """How it is scanned."""
    decision: int
    """Under which decision; see `AlertDocument.decision`."""
    scan_id: str | None = None
    """SkyDriver's id; None until it is started."""


class AlertDocument(_Document):
    """Written before the alert is acknowledged, and never removed."""

    alert_id: str
    """`AL-…`, made of the digest of its content: the same alert has the same id, however it comes."""
    received: float
    """When it came first, seconds since 1970."""
    way: Way
    """How."""
    sender: str
    """Who sent it: the caller, or the name of the file."""
    owner: str
    """Whose its scans are."""
    content: str
    """Where the alert itself is kept."""
    facts: Facts
    """What rules look at."""
    event: str
    """Run and event: what revisions have in common."""
    revision_of: str | None = None
    """The alert of the same event, with other content, that came last before; None for the first."""
    seen: int = 1
    """How many times it came."""
    last_seen: float
    """When it came last."""
    state: State = "waiting"
    """How far it is."""
    decision: int = 1
    """Grows when an operator has it decided anew: scans of another decision are other scans."""
    rule: str | None = None
    """Which rule took it; None before it was decided, and where none did."""
    policy: str | None = None
    """Version of the policy by which it was decided; None before."""
    scans: tuple[PlannedScan, ...] = ()
    """What it is scanned by, of all decisions."""
    publish: tuple[str, ...] = ()
    """Targets of the maps."""
    problem: str = ""
    """Why a scan could not be started at the last attempt."""
    failures: int = 0
    """Attempts since one succeeded."""
    due: float = 0.0
    """Not to be tried before, seconds since 1970."""

    @property
    def current(self) -> tuple[PlannedScan, ...]:
        """The scans of the last decision."""
        return tuple(scan for scan in self.scans if scan.decision == self.decision)


def alert_id(digest: str) -> str:
    """Return the id of an alert with this content."""
    return f"AL-{digest[:32]}"


def event_of(facts: Facts) -> str:
    """Return what all revisions of an event have in common."""
    return f"{'real' if facts.real else 'simulated'}/{facts.run}/{facts.event}"


def pause_after(failures: int, longest: float) -> float:
    """Seconds until the next attempt."""
    return float(min(longest, 2.0 ** min(failures - 1, 20)))
