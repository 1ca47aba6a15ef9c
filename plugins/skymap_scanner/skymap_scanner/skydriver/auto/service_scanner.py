"""Scans of SkyDriver, as automated scanning sees them."""

from __future__ import annotations

from typing import Final

from ewms.services import NotFound, PluginHost, WorkflowState
from skymap_scanner.skydriver.auto.alert import AlertDocument
from skymap_scanner.skydriver.auto.policy import ScanPlan, Stage
from skymap_scanner.skydriver.auto.ports import Progress
from skymap_scanner.skydriver.order import ScanOrder
from skymap_scanner.skydriver.scans import Scans

_FOLDERS: Final[dict[Stage, str]] = {"partial": "partial/", "final": "product/"}
_LONGEST_CLASSIFIER: Final = 25


class ServiceScanner:
    """Through the operations that routes and pages use, too."""

    def __init__(self, host: PluginHost, scans: Scans) -> None:
        self._host = host
        self._scans = scans

    async def keep(self, data: bytes) -> str:
        """Keep an alert for good, and return its id."""
        return (await self._scans.events.keep(data)).i3_event_id

    async def start(self, alert: AlertDocument, plan: ScanPlan, key: str) -> str:
        """Start a scan, or find the one that was started under this key before; its id."""
        scan = await self._scans.create(self._host.on_behalf(alert.owner), order_of(alert, plan), key=key)
        return scan.scan_id

    async def progress(self, scan_id: str) -> Progress:
        """How far a scan is."""
        scan = await self._scans.get(scan_id)
        workflow = await self._scans.workflow(scan)
        if scan.replaced_by_scan_id:
            return Progress(0, replaced_by=scan.replaced_by_scan_id)
        if workflow is None:
            return Progress(0, "cancelled", "the scan was deleted") if scan.is_deleted else Progress(0)
        match workflow.state:
            case WorkflowState.COMPLETE:
                return Progress(workflow.partial_number, "complete")
            case WorkflowState.FAILED:
                return Progress(workflow.partial_number, "failed", workflow.reason)
            case WorkflowState.CANCELLED:
                return Progress(workflow.partial_number, "cancelled", workflow.reason)
            case _:
                return Progress(workflow.partial_number)

    async def files(self, scan_id: str, stage: Stage) -> dict[str, bytes]:
        """Files of the map by name: so far, or finished."""
        scan, folder = await self._scans.get(scan_id), _FOLDERS[stage]
        found = {}
        for name in await self._scans.files(scan):
            if name.startswith(folder):
                try:
                    found[name.removeprefix(folder)] = await self._scans.file(scan, name)
                except NotFound:
                    return {}  # the product has taken the place of the partial one
        return found

    async def link(self, scan_id: str, stage: Stage) -> str:
        """URL of the folder of these files."""
        scan = await self._scans.get(scan_id)
        service = self._host.url.removesuffix(f"/{self._host.prefix}")
        return f"{service}/api/workflows/{scan.ewms_workflow_id}/files/{_FOLDERS[stage].rstrip('/')}"


def order_of(alert: AlertDocument, plan: ScanPlan) -> ScanOrder:
    """Return one scan of an alert, in SkyDriver's words."""
    return ScanOrder(
        reco_algo=plan.reco,
        nsides=plan.nsides,
        is_real=alert.facts.real,
        max_pixel_reco_time=plan.max_pixel_reco_time,
        clusters=dict(plan.clusters),
        workers=plan.workers,
        i3_event_id=alert.content,
        policy=plan.policy,
        pointed=plan.pointed,
        predictive_scanning_threshold=plan.predictive_threshold,
        priority=plan.priority,
        classifiers={**plan.classifiers, "rule": (alert.rule or "")[:_LONGEST_CLASSIFIER]},
    )
