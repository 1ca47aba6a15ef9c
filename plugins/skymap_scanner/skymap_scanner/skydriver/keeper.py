"""Notes in scans how their workflows ended, so that lists need not look at each; and begins what waits."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import logging
from collections.abc import Mapping
from typing import Any

from ewms.services import EwmsError, NotFound, PluginHost, WorkflowDocument, WorkflowState
from skymap_scanner.skydriver.documents import Outcome, ScanDocument
from skymap_scanner.skydriver.progress import progress_of
from skymap_scanner.skydriver.scan_store import ScanStore
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.submission import SCAN_LABEL

_SWEEP_SECONDS = 5.0
_LOADED_AHEAD = "skymap_scanner.scanning.workflow"
_LOOKS_EVERY = 6
"""Sweeps."""
_OVERVIEW = "product/best_fit.json"
_OUTCOMES: Mapping[WorkflowState, Outcome] = {
    WorkflowState.COMPLETE: "complete",
    WorkflowState.FAILED: "failed",
    WorkflowState.CANCELLED: "cancelled",
}
_log = logging.getLogger("ewms.service")


class Keeper:
    """The loop of SkyDriver."""

    def __init__(self, host: PluginHost, scans: Scans) -> None:
        self._host = host
        self._scans = scans
        self._documents = ScanStore(host)

    async def run(self) -> None:
        """Until the service stops."""
        await asyncio.to_thread(importlib.import_module, _LOADED_AHEAD)  # the first scan is not to wait for it
        async with asyncio.TaskGroup() as group:
            follow = group.create_task(self._follow())
            for number in itertools.count():
                if self._host.stopping.is_set():
                    break
                if not number % _LOOKS_EVERY:
                    await self._look_at_all()
                await self._scans.begin_waiting()
                await self._pause()
            follow.cancel()

    async def note(self, workflow: WorkflowDocument) -> None:
        """Note how a scan's workflow stands; nothing for any other workflow."""
        scan_id, outcome = workflow.labels.get(SCAN_LABEL), _OUTCOMES.get(workflow.state, "")
        if scan_id is None:
            return
        try:
            scan = await self._documents.get(scan_id)
        except NotFound:
            return
        if scan.outcome == outcome or scan.ewms_workflow_id != workflow.workflow_id:
            return  # the latter: anybody may choose labels
        fields = await self._fields(scan, workflow, outcome)
        await self._documents.change(scan_id, lambda scan: {} if scan.outcome == outcome else fields)
        if outcome:
            _log.info("scan_ended", extra={"scan": scan_id, "outcome": outcome, "reason": workflow.reason})

    async def _follow(self) -> None:
        async for workflow in self._host.changes(None):
            await self.note(workflow)

    async def _look_at_all(self) -> None:
        """What ended, or was resumed, while nobody followed; news may also be lost."""
        async for scan in self._documents.unfinished("failed"):
            if (workflow := await self._scans.workflow(scan)) is not None:
                await self.note(workflow)

    async def _fields(self, scan: ScanDocument, workflow: WorkflowDocument, outcome: Outcome) -> dict[str, Any]:
        if not outcome:  # it goes on
            return {"outcome": "", "reason": "", "final_progress": None}
        owner = self._host.on_behalf(scan.owner)
        phases = await self._host.phases(owner, workflow.workflow_id)
        ended = phases[-1].timestamp if phases else self._host.now()
        threshold = scan.order.predictive_scanning_threshold
        progress = progress_of(workflow, threshold=threshold, now=self._host.now(), ended=ended)
        fields: dict[str, Any] = {"outcome": outcome, "reason": workflow.reason, "final_progress": progress}
        if _OVERVIEW in workflow.product:
            try:
                fields["overview"] = json.loads(await self._host.content(owner, workflow.workflow_id, _OVERVIEW))
            except (EwmsError, ValueError) as error:
                _log.warning("overview_not_read", extra={"scan": scan.scan_id, "reason": str(error)})
        return fields

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_SWEEP_SECONDS):
                await self._host.stopping.wait()
        except TimeoutError:
            return
