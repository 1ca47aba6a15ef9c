"""The progress of a scan in SkyDriver's shape, from its workflow's document. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ewms.services import WorkflowDocument, WorkflowState

_LEVEL = re.compile(r"nside (\d+): (\d+)/(\d+)", re.ASCII)
_TASK = "reconstruct"
_FINAL = frozenset({WorkflowState.COMPLETE, WorkflowState.CANCELLED})


def progress_of(workflow: WorkflowDocument, *, threshold: float, now: float, ended: float | None = None) -> dict[str, Any]:
    """What SkyDriver's scanner reported: how many pixels, how fast, how long still.

    Parameters
    ----------
    threshold
        The scan's `predictive_scanning_threshold`.
    now
        Seconds since 1970.
    ended
        When the workflow ended; None while it has not.
    """
    task = workflow.tasks.get(_TASK)
    planned, done = (task.planned, task.terminal) if task else (0, 0)
    first = workflow.first_outcome_seconds
    runtime = max(0.0, (now if ended is None else ended) - workflow.timestamp)
    levels = {nside: {"done": int(part), "planned": int(whole)} for nside, part, whole in _LEVEL.findall(workflow.note)}
    part = done / planned if planned else 0.0
    is_finished = workflow.state is WorkflowState.COMPLETE
    return {
        "summary": workflow.note or (f"{done} of {planned} pixels" if planned else f"the scan is {workflow.state}"),
        "epilogue": _epilogue(workflow),
        "tallies": {
            "by_nside": levels,
            "total_recos": done,
            "planned_recos": planned,
            "total_percent": round(100 * part, 2),
            **{name: workflow.counts[name] for name in ("dead_lettered", "retried") if name in workflow.counts},
        },
        "processing_stats": {
            "start": _start(workflow.timestamp, first),
            "runtime": _runtime(runtime, first),
            "rate": _rate(done, runtime, first),
            "end": "" if ended is None else _iso(ended),
            "finished": is_finished,
            "predictions": {} if ended is not None else _predictions(planned, done, runtime, first),
        },
        "predictive_scanning_threshold": threshold,
        "last_updated": _iso(now if ended is None else ended),
        "start": int(workflow.timestamp),
        "end": None if ended is None else int(ended),
    }


def _epilogue(workflow: WorkflowDocument) -> str:
    dead = workflow.counts.get("dead_lettered", 0)
    lost = f"; {dead} pixels could not be reconstructed" if dead else ""
    if workflow.state in _FINAL or workflow.state is WorkflowState.FAILED:
        reason = f": {workflow.reason}" if workflow.reason else ""
        return f"the scan is {workflow.state}{reason}{lost}"
    return lost.removeprefix("; ")


def _start(submitted: float, first: float | None) -> dict[str, str]:
    found = {"entire scan": _iso(submitted)}
    return found if first is None else found | {"first pixel-reco": _iso(submitted + first)}


def _runtime(runtime: float, first: float | None) -> dict[str, str]:
    found = {"this scan": _duration(runtime)}
    return found if first is None else found | {"prior to first pixel-reco": _duration(first)}


def _rate(done: int, runtime: float, first: float | None) -> dict[str, str]:
    if first is None or done < 2 or runtime <= first:
        return {}
    return {"average reco (scanner time)": f"{(runtime - first) / done:.3f} s per pixel"}


def _predictions(planned: int, done: int, runtime: float, first: float | None) -> Mapping[str, str]:
    """Of the pixels that are known to be wanted; later levels may bring more."""
    if first is None or not done or runtime <= first:
        return {}
    left = (planned - done) * (runtime - first) / done
    return {"time left": _duration(left), "total runtime at finish": _duration(runtime + left)}


def _iso(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, UTC).isoformat(timespec="seconds")


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
