"""Scans in the plugin's part of the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from ewms.services import Conflict, NotFound, PluginHost, Query, Replace, WorkflowDocument, WorkflowState
from skymap_scanner.skydriver.documents import SCANS, Outcome, ScanDocument
from skymap_scanner.skydriver.view import ScanView

Edit = Callable[[ScanDocument], Mapping[str, Any]]
"""Gives the fields to change; none where all is as it should be."""
_PAGE = 500


class ScanStore:
    """Reads and changes scans."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host

    async def get(self, scan_id: str) -> ScanDocument:
        """A scan; `NotFound` if there is none."""
        stored = await self._host.store.get(SCANS, scan_id)
        if stored is None:
            raise NotFound(f"there is no scan {scan_id:.60}")
        return ScanDocument.model_validate(stored.body)

    async def change(self, scan_id: str, edit: Edit) -> ScanDocument:
        """Change fields of a scan, on whatever it is by then; it as it is then. `NotFound` if there is none."""
        while True:
            stored = await self._host.store.get(SCANS, scan_id)
            if stored is None:
                raise NotFound(f"there is no scan {scan_id:.60}")
            before = ScanDocument.model_validate(stored.body)
            fields = edit(before)
            if not fields:
                return before
            after = before.model_copy(update={**fields, "last_updated": self._host.now()})
            body = after.model_dump(mode="json")
            try:
                await self._host.store.write(Replace(collection=SCANS, key=scan_id, version=stored.version, body=body))
            except Conflict:
                continue  # somebody else was faster
            return after

    async def workflow(self, scan: ScanDocument) -> WorkflowDocument | None:
        """What makes a scan; None where it has no workflow, or one of another service."""
        if not scan.is_requested:
            return None
        try:
            return await self._host.workflow(self._host.on_behalf(scan.owner), str(scan.ewms_workflow_id))
        except NotFound:
            return None

    async def unfinished(self, *outcomes: Outcome) -> AsyncIterator[ScanDocument]:
        """Scans whose workflow has not ended, as far as was noted, or ended so; oldest first."""
        query = Query.parse({"outcome": {"$in": ["", *outcomes]}, "is_deleted": False})
        order = (("outcome", False), ("timestamp", False))
        after: str | None = None
        while True:
            page = await self._host.store.find(SCANS, query, order=order, after=after, limit=_PAGE)
            for stored in page.items:
                yield ScanDocument.model_validate(stored.body)
            if (after := page.after) is None:
                return

    async def backlog(self) -> list[ScanView]:
        """Scans that no driver host has taken up, in the order in which they will be begun."""
        found = []
        async for scan in self.unfinished():
            workflow = await self.workflow(scan)
            if workflow is None or workflow.state is WorkflowState.PENDING:
                found.append(ScanView(scan=scan, workflow=workflow))
        return sorted(found, key=lambda view: (-view.scan.priority, view.scan.timestamp))
