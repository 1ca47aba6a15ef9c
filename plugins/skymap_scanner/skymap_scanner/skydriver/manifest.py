"""SkyDriver's manifest and stored request of a scan. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import skymap_scanner
from ewms.services import InputError, projected
from skymap_scanner.skydriver.documents import RecoUsed, ScanDocument
from skymap_scanner.skydriver.order import ScanOrder
from skymap_scanner.skydriver.states import Standing

_OF_V1: Mapping[str, Any] = {
    "ewms_task": "use 'ewms_workflow_id'",
    "event_i3live_json_dict": "use 'i3_event_id'",
    "event_i3live_json_dict__hash": None,
}
"""What SkyDriver 2 gives for fields of SkyDriver 1."""
_KEPT = (
    "scan_id",
    "timestamp",
    "is_deleted",
    "scanner_server_args",
    "ewms_workflow_id",
    "ewms_address",
    "priority",
    "classifiers",
    "i3_event_id",
    "event_metadata",
    "scan_metadata",
    "replaced_by_scan_id",
    "last_updated",
)
_OWN = ("owner", "reco", "duplicate_of", "rescan_of", "content_digest", "outcome", "overview")


def manifest_of(scan: ScanDocument, standing: Standing, progress: dict[str, Any] | None) -> dict[str, Any]:
    """SkyDriver's fields, and beside them who asked, which reconstruction runs, what has no meaning here, how it stands."""
    document = scan.model_dump(mode="json", include={*_KEPT, *_OWN})
    return {
        **{name: document[name] for name in _KEPT},
        **_OF_V1,
        "progress": progress,
        **{name: document[name] for name in _OWN},
        "not_applicable": list(scan.order.not_applicable),
        "scan_state": standing.code,
        "condition": standing.condition.value,
        "reason": standing.reason,
    }


def shown(manifest: Mapping[str, Any], projection: str | Sequence[str], forbidden: Collection[str] = ()) -> dict[str, Any]:
    """Some fields of a manifest, dotted where they lie deeper; all of them for `*`.

    Raises
    ------
    InputError
        A field is forbidden.
    """
    if projection == "*":
        return {name: value for name, value in manifest.items() if name not in forbidden}
    for name in projection:
        if name.partition(".")[0] in forbidden:
            raise InputError(f"manifest_projection: {name!r:.80} is not shown here; leave it out")
    return projected(manifest, [name for name in projection if all(name.split("."))])


def stored_request(scan: ScanDocument, clusters: Mapping[str, int]) -> dict[str, Any]:
    """A `ScanRequestObj`; without `scan_id` and `rescan_ids` it can be posted again.

    Parameters
    ----------
    clusters
        With their most workers: what a request that names none may use.
    """
    order = scan.order
    sizes = {
        "scanner_server_memory_bytes": order.scanner_server_memory,
        "worker_memory_bytes": order.worker_memory,
        "worker_disk_bytes": order.worker_disk,
    }
    return {
        "scan_id": scan.scan_id,
        "rescan_ids": list(scan.rescan_ids),
        "docker_tag": order.docker_tag or "none",
        "reco_algo": order.reco_algo,
        "nsides": order.table,
        "real_or_simulated_event": "real" if order.is_real else "simulated",
        "predictive_scanning_threshold": order.predictive_scanning_threshold,
        "classifiers": order.classifiers,
        "request_clusters": dict(order.clusters or clusters),
        "max_pixel_reco_time": order.max_pixel_reco_time,
        "priority": order.priority,
        "debug_mode": ["client-logs"] if order.return_output else [],
        "i3_event_id": scan.i3_event_id,
        **{name: size for name, size in sizes.items() if size is not None},
    }


def scan_metadata(order: ScanOrder, reco: RecoUsed) -> dict[str, Any]:
    """How the scan is made."""
    return {
        "scanner": f"skymap_scanner {skymap_scanner.__version__}",
        "reco_algo": reco.used,
        "nsides": order.table,
        "policy": order.policy,
        "pointed": order.pointed,
    }


def server_args(order: ScanOrder, reco: RecoUsed) -> str:
    """The command line that makes the same scan by itself; it names no secret, since there is none."""
    given = ["skymap-scanner", "scan", "event.json", "--reco", reco.used, "--nsides", order.nsides]
    given += ["--policy", order.policy, "--predictive-threshold", str(order.predictive_scanning_threshold)]
    if order.pointed:
        given += ["--pointed", order.pointed]
    return shlex.join(given)
