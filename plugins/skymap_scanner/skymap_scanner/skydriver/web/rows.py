"""Scans as rows of a list."""

from __future__ import annotations

import math
from typing import Any

from skymap_scanner.skydriver.documents import ScanDocument
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.states import Condition

WORDS = {
    Condition.WAITING: "Waiting to start",
    Condition.RUNNING: "Scanning",
    Condition.PAUSED: "Paused",
    Condition.COMPLETE: "Complete",
    Condition.FAILED: "Failed",
    Condition.CANCELLED: "Cancelled",
}


def title_of(scan: ScanDocument) -> str:
    """Which event it is of."""
    about = scan.event_metadata or {}
    return f"Run {about['run_id']}, event {about['event_id']}" if about.get("run_id") else f"Event {scan.i3_event_id[:12]}"


async def row_of(scans: Scans, scan: ScanDocument) -> dict[str, Any]:
    """What the list tells of a scan. The workflow is asked only where it has not ended."""
    if scan.outcome:
        condition, reason = Condition(scan.outcome), scan.reason
    else:
        view = await scans.view(scan)
        condition, reason = view.condition, view.reason
    about, overview = scan.event_metadata or {}, scan.overview
    best = overview.get("best_fit") or {}
    return {
        "scan_id": scan.scan_id,
        "title": title_of(scan),
        "event_type": about.get("event_type", ""),
        "is_real": about.get("is_real_event", True),
        "classifiers": scan.classifiers,
        "kind": condition.value,
        "words": WORDS[condition],
        "is_deleted": scan.is_deleted,
        "reason": reason,
        "ra": _number(best.get("ra")),
        "dec": _number(best.get("dec")),
        "area": _area(overview),
        "classification": "shower" if str(overview.get("note", "")).startswith("shower") else "",
        "reco": scan.order.reco_algo,
        "nsides": list(scan.order.table),
        "timestamp": scan.timestamp,
        "owner": scan.owner,
    }


def _area(overview: dict[str, Any]) -> float | None:
    """Of the 90 % contour, square degrees: the calibrated one where there is one."""
    contours = overview.get("contours") or {}
    scheme = contours.get("calibrated") or contours.get("wilks") or {}
    return _number((scheme.get("90") or {}).get("area"))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
