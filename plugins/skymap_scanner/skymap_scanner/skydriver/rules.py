"""Who may call which of SkyDriver's routes: its users' are for users, its scanner's for operators."""

from __future__ import annotations

from collections.abc import Mapping

from ewms.services import KNOWN, OPERATE, REQUEST, Rule

RULES: Mapping[str, Rule] = {
    "GET /": KNOWN,
    "POST /scans/find": KNOWN,
    "GET /scans/backlog": KNOWN,
    "POST /scan": REQUEST,
    "GET /scan-request/{scan_id}": KNOWN,
    "POST /scan/{scan_id}/actions/rescan": REQUEST,
    "POST /scan/{scan_id}/actions/add-workers": REQUEST,
    "GET /scan/{scan_id}": KNOWN,
    "DELETE /scan/{scan_id}": REQUEST,
    "GET /scan/{scan_id}/manifest": KNOWN,
    "PATCH /scan/{scan_id}/manifest": OPERATE,
    "GET /scan/{scan_id}/i3-event": KNOWN,
    "GET /scan/{scan_id}/result": KNOWN,
    "PUT /scan/{scan_id}/result": OPERATE,
    "GET /scan/{scan_id}/status": KNOWN,
    "GET /scan/{scan_id}/logs": KNOWN,
    "GET /scan/{scan_id}/details": KNOWN,
    "GET /scan/{scan_id}/ewms/workflow-id": KNOWN,
    "POST /scan/{scan_id}/ewms/workflow-id": OPERATE,
    "GET /scan/{scan_id}/ewms/workforce": KNOWN,
    "GET /scan/{scan_id}/ewms/taskforces": KNOWN,
}
"""By method and path below the prefix. Every user sees all scans; `Scans` lets only its owner and operators change one."""
