"""How a scan stands, as its page shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ewms.services import Phase, TaskforceDocument
from skymap_scanner.skydriver.view import ScanView
from skymap_scanner.skydriver.web.rows import WORDS

_level = re.compile(r"nside (\d+): (\d+)/(\d+)").findall
_GONE = frozenset({Phase.CONDOR_RM, Phase.CONDOR_COMPLETE})


class Level(NamedTuple):
    """One nside of a scan."""

    nside: int
    """Its resolution."""
    done: int
    """Pixels that have their final answer."""
    planned: int
    """Pixels that are to have one, as far as is known."""


def levels_of(note: str, nsides: Sequence[int]) -> list[Level]:
    """How far each level of a scan is, those that have not begun with nothing.

    Parameters
    ----------
    note
        The scan's own line; see `skymap_scanner.scanning.status`.
    nsides
        All that the scan goes through.
    """
    said = {int(nside): Level(int(nside), int(done), int(planned)) for nside, done, planned in _level(note)}
    return [said.get(nside, Level(nside, 0, 0)) for nside in sorted({*nsides, *said})]


def told(view: ScanView, taskforces: Sequence[TaskforceDocument], ended: float | None, number: int) -> dict[str, Any]:
    """Everything on a scan's page that changes beside its map, ready for JSON.

    Parameters
    ----------
    ended
        When its workflow ended, seconds since 1970; None while it has not.
    number
        Of its newest map; 0 for none.
    """
    scan, workflow, standing = view.scan, view.workflow, view.standing
    alive = [taskforce for taskforce in taskforces if taskforce.phase not in _GONE]
    pixels = None if workflow is None else workflow.tasks.get("reconstruct")
    nsides = [int(nside) for nside in scan.order.table]
    return {
        "code": standing.code,
        "kind": standing.condition.value,
        "words": WORDS[standing.condition],
        "reason": standing.reason,
        "is_deleted": scan.is_deleted,
        "workflow_id": None if workflow is None else workflow.workflow_id,
        "number": number,
        "levels": [level._asdict() for level in levels_of("" if workflow is None else workflow.note, nsides)],
        "pixels": None
        if pixels is None
        else {"done": pixels.terminal, "planned": pixels.planned, "seconds": pixels.seconds},
        "dead_lettered": 0 if workflow is None else workflow.counts.get("dead_lettered", 0),
        "workers": sum(taskforce.workers for taskforce in alive),
        "clusters": [_cluster(taskforce) for taskforce in taskforces],
        "first_outcome_seconds": None if workflow is None else workflow.first_outcome_seconds,
        "submitted": scan.timestamp,
        "ended": ended,
        "files": [] if workflow is None else list(workflow.product or workflow.partial),
    }


def _cluster(taskforce: TaskforceDocument) -> dict[str, Any]:
    return {
        "cluster": taskforce.cluster,
        "wanted": taskforce.workers,
        "most": taskforce.n_workers,
        "phase": taskforce.phase.value,
        "reason": taskforce.reason,
    }
