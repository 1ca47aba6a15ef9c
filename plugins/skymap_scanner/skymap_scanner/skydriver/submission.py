"""A scan as the workflow that makes it."""

from __future__ import annotations

from typing import Any

from ewms.services import NewWorkflow, WorkerRequest
from skymap_scanner.skydriver.documents import ScanDocument

EVENT_FILE = "inputs/event.json"
"""The event among the files of the workflow."""
SCAN_LABEL = "scan_id"
"""Label of the workflow that names its scan."""
_LEAST_BYTES = 1 << 20
_RECONSTRUCT = "reconstruct"


def workflow_request(scan: ScanDocument, sha256: str) -> NewWorkflow:
    """What is submitted for a scan. Synchronous: the application is looked at.

    Parameters
    ----------
    sha256
        Of the event, which the scan's owner has uploaded.
    """
    order, event = scan.order, scan.event_metadata or {}
    counts: dict[str, Any] = {"workers_at": order.clusters} if order.clusters else {"workers": order.workers}
    return NewWorkflow(
        spec=_spec(scan),
        name=f"scan-{event.get('run_id', 0)}-{event.get('event_id', 0)}"[:64],
        labels={SCAN_LABEL: scan.scan_id, "reco": scan.reco.used},
        priority=max(0, order.priority),
        files={EVENT_FILE: sha256},
        worker=WorkerRequest(
            memory=None if order.worker_memory is None else max(order.worker_memory, _LEAST_BYTES),
            disk=None if order.worker_disk is None else max(order.worker_disk, _LEAST_BYTES),
            return_output=order.return_output,
        ),
        **counts,
    )


def _spec(scan: ScanDocument) -> dict[str, Any]:
    from skymap_scanner.scanning.workflow import scan_workflow

    order = scan.order
    parameters = {
        "reco": scan.reco.used,
        "nsides": order.nsides,
        "policy": order.policy,
        "pointed": order.pointed,
        "predictive_threshold": order.predictive_scanning_threshold,
        "plots": False,  # they are drawn when somebody looks
    }
    spec: dict[str, Any] = scan_workflow(parameters).model_dump(mode="json", exclude_defaults=True)
    for task in spec["tasks"]:
        if task["name"] == _RECONSTRUCT:
            task["timeout"] = order.max_pixel_reco_time
    return spec
