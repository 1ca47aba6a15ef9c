"""Scans of SkyDriver, as automated scanning sees them."""

from __future__ import annotations

from typing import Any

from ewms.services import NotFound, PluginHost, WorkflowState
from skymap_scanner.skydriver.auto.alert import AlertDocument
from skymap_scanner.skydriver.auto.policy import ScanPlan, Stage
from skymap_scanner.skydriver.auto.ports import Progress, StartedScan
from skymap_scanner.skydriver.scans import Scans

_FOLDERS: dict[Stage, str] = {"partial": "partial/", "final": "product/"}
_ENDS: dict[WorkflowState, Progress] = {}


class ServiceScanner:
    """Through the operations that routes and pages use, too."""

    def __init__(self, host: PluginHost, scans: Scans) -> None:
        self._host = host
        self._scans = scans

    async def keep(self, data: bytes) -> str:
        """Keep an alert for good, and return its id."""
        return await self._scans.keep_event(data)

    async def start(self, alert: AlertDocument, plan: ScanPlan, key: str) -> StartedScan:
        """Start a scan, or return the one that was started under this key before."""
        scan = await self._scans.create(
            self._host.on_behalf(alert.owner), request_of(alert, plan), key=key, options=options_of(plan)
        )
        return StartedScan(scan.scan_id, scan.workflow_id)

    async def progress(self, owner: str, workflow_id: str) -> Progress:
        """How far a scan is."""
        workflow = await self._host.workflow(self._host.on_behalf(owner), workflow_id)
        match workflow.state:
            case WorkflowState.COMPLETE:
                return Progress(workflow.partial_number, "complete")
            case WorkflowState.FAILED:
                return Progress(workflow.partial_number, "failed", workflow.reason)
            case WorkflowState.CANCELLED:
                return Progress(workflow.partial_number, "cancelled", workflow.reason)
            case _:
                return Progress(workflow.partial_number)

    async def files(self, owner: str, workflow_id: str, stage: Stage) -> dict[str, bytes]:
        """Files of the map by name: so far, or finished."""
        caller, folder = self._host.on_behalf(owner), _FOLDERS[stage]
        found = {}
        for name in await self._host.files(caller, workflow_id):
            if name.startswith(folder):
                try:
                    found[name.removeprefix(folder)] = await self._host.content(caller, workflow_id, name)
                except NotFound:
                    return {}  # the product has taken the place of the partial one
        return found


def request_of(alert: AlertDocument, plan: ScanPlan) -> dict[str, Any]:
    """Return a scan as SkyDriver's `POST /scan` has it."""
    return {
        "i3_event_id": alert.content,
        "docker_tag": "latest",
        "reco_algo": plan.reco,
        "nsides": {nside: int(extension) for nside, extension in (item.split(":") for item in plan.nsides.split(","))},
        "real_or_simulated_event": "real" if alert.facts.real else "simulated",
        "predictive_scanning_threshold": plan.predictive_threshold,
        "max_pixel_reco_time": plan.max_pixel_reco_time,
        "request_clusters": dict(plan.clusters),
        "priority": plan.priority,
        "classifiers": {**plan.classifiers, "rule": (alert.rule or "")[:25]},
    }


def options_of(plan: ScanPlan) -> dict[str, Any]:
    """Return what SkyDriver's `POST /scan` has no word for."""
    found = {"policy": plan.policy, "pointed": plan.pointed, "plots": plan.plots, "max_failures": plan.max_failures}
    return found if plan.workers is None else found | {"workers": plan.workers}
