"""What automated scanning needs of the service: documents, scans and their files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from ewms.services import Delete, Insert, Page, Query, Replace, Stored
from skymap_scanner.skydriver.auto.alert import AlertDocument
from skymap_scanner.skydriver.auto.policy import ScanPlan, Stage


class Documents(Protocol):
    """The plugin's part of the store; see `ewms.services.PluginStore`."""

    async def get(self, collection: str, key: str) -> Stored | None:
        """One document; None if there is none."""

    async def find(
        self,
        collection: str,
        query: Query | None = None,
        *,
        order: Sequence[tuple[str, bool]] = (),
        after: str | None = None,
        limit: int = 100,
    ) -> Page:
        """Documents that satisfy a query, in pages."""

    async def count(self, collection: str, query: Query | None = None) -> int:
        """How many documents satisfy a query. Exact."""

    async def write(self, *changes: Insert | Replace | Delete) -> None:
        """Make all changes or none of them; `Conflict` where a condition does not hold."""


class Progress(NamedTuple):
    """How far a scan is."""

    partial: int
    """Number of its newest partial result; 0 for none."""
    ended: Literal["", "complete", "failed", "cancelled"] = ""
    """How it ended; nothing while it runs."""
    reason: str = ""
    """Why it did not complete."""
    replaced_by: str = ""
    """The scan that took its place; nothing where none did."""


class Scanner(Protocol):
    """Scans. All methods raise `EwmsError`."""

    async def keep(self, data: bytes) -> str:
        """Keep an alert for good; by the text that comes back, `start` finds it. The same alert may be kept twice."""

    async def start(self, alert: AlertDocument, plan: ScanPlan, key: str) -> str:
        """Start a scan, or find the one that was started under this key before; its id."""

    async def progress(self, scan_id: str) -> Progress:
        """How far a scan is."""

    async def files(self, scan_id: str, stage: Stage) -> dict[str, bytes]:
        """Files of the map by name: so far, or finished. Empty where there is none, or none any more."""

    async def link(self, scan_id: str, stage: Stage) -> str:
        """URL of the folder of these files."""
