"""A service with something to look at: workflows in all states, one of them at work, pilots, sites and failures."""

from __future__ import annotations

import time
from typing import Any

from ewms.core.event import Attempt
from ewms.core.service.cluster import SiteDocument, TmsDocument, site_key, tms_key
from ewms.core.service.phases import Phase, WorkflowState
from ewms.core.service.report import ClusterReport
from ewms.core.service.taskforce import TaskforceDocument, WorkerSpec
from ewms.core.service.workflow import StateEntry, TaskProgress, WorkflowDocument
from ewms.core.spec import parse_spec
from ewms.stores.base import Batch, Buried
from ewms.stores.collections import HOSTS, SITES, TASKFORCES, WORKFLOWS
from ewms.stores.store import Append, Insert
from ewms.wms.service.state import ServiceState
from tests.support.driven import change, event

OWNER = "ada"
CLUSTERS = {"osg": {"backend": "htcondor", "max_workers": 5000}, "npx": {"backend": "htcondor", "max_workers": 800}}
PLANNED = 49_152
SPEC = {
    "name": "skymap",
    "tasks": [
        {"name": "reconstruct", "python": "scan:reconstruct", "input": "pixels", "output": "likelihoods"},
        {"name": "merge", "python": "scan:merge", "input": "likelihoods", "output": ["map", "contours"]},
    ],
}
_OTHERS = (
    ("IC-261130-b", WorkflowState.PENDING, 0, {"site": "south", "kind": "realtime"}, 120),
    ("principia-ocr", WorkflowState.PAUSED, 311, {"book": "principia"}, 50),
    ("catalogue-2026", WorkflowState.COMPLETE, PLANNED, {"kind": "simulation", "run": "141"}, 40),
    ("catalogue-2025", WorkflowState.FAILED, 7_101, {"kind": "simulation", "run": "140"}, 40),
    ("micrographs-17", WorkflowState.CANCELLED, 1_024, {"microscope": "krios"}, 50),
)
_CAUSES = (
    (
        "RuntimeError: ice model 'spice-3.2' has no table for depth {}",
        "osg-node{}",
        "Traceback (most recent call last):\n  …",
    ),
    ("timed out after 300 s", "npx-{}", ""),
)


async def fill(state: ServiceState) -> str:
    """Leave all of it; the id of the workflow that works."""
    now = time.time()
    for number, (name, standing, terminal, labels, priority) in enumerate(_OTHERS):
        reason = "the application raised ValueError: event 7 has no vertex" if standing is WorkflowState.FAILED else ""
        fields: dict[str, Any] = {"state": standing, "reason": reason, "labels": labels, "priority": priority}
        await _insert(state, f"WF-6b0d8b{number:02}-5a17c0de", name, now - 7200 * (number + 1), _counts(terminal) | fields)
    working = "WF-6b0d8b30-56b46409"
    labels = {"site": "south", "kind": "realtime", "run": "142"}
    await _insert(state, working, "IC-261130-a", now - 90, {"labels": labels, "priority": 120} | _counts(0))
    await _pilots(state, working, now)
    await _failures(state, working)
    running = {"state": WorkflowState.RUNNING, "active": True, "note": "level 3 of 4: nside 64, 12 of 24 pixels refined"}
    await change(state, working, running | _counts(12_400, dead=2))
    return working


async def progress(state: ServiceState, workflow_id: str, terminal: int) -> None:
    """Have so many events of the first task be over."""
    await change(state, workflow_id, _counts(terminal, dead=2))


def _counts(terminal: int, dead: int = 0) -> dict[str, Any]:
    merged = terminal if terminal == PLANNED else terminal - terminal // 9
    tasks = {
        "reconstruct": TaskProgress(planned=PLANNED, terminal=terminal, seconds=2.31),
        "merge": TaskProgress(planned=terminal, terminal=merged, seconds=0.012),
    }
    counts = {
        "sent": min(PLANNED, terminal + 3000),
        "accepted": terminal + merged - dead,
        "dead_lettered": dead,
        "retried": 4,
    }
    return {"counts": counts, "tasks": {name: task.model_dump() for name, task in tasks.items()}}


async def _insert(state: ServiceState, key: str, name: str, when: float, fields: dict[str, Any]) -> None:
    document = WorkflowDocument(workflow_id=key, timestamp=when, name=name, owner=OWNER, spec=parse_spec(SPEC, "test"))
    document = WorkflowDocument.model_validate(document.model_dump() | fields)
    entries = [StateEntry(state=WorkflowState.PENDING, timestamp=when)]
    if document.state is not WorkflowState.PENDING or document.tasks["reconstruct"].terminal == 0:
        entries.append(StateEntry(state=WorkflowState.RUNNING, timestamp=when + 1))
    await state.store.write(
        Insert(collection=WORKFLOWS, key=key, body=document.model_dump(mode="json")),
        *(Append(log=key, entry=entry.model_dump(mode="json")) for entry in entries),
    )


async def _pilots(state: ServiceState, workflow_id: str, now: float) -> None:
    for cluster, workers, statuses in (
        ("osg", 1200, {"RUNNING": {"Running": 1134}, "IDLE": {"None": 66}}),
        ("npx", 300, {"RUNNING": {"Running": 298}, "HELD": {"None": 2}}),
    ):
        taskforce = TaskforceDocument(
            taskforce_uuid=f"TF-6b0d8b30-{cluster}",
            task_id="TD-6b0d8b30",
            workflow_id=workflow_id,
            owner=OWNER,
            timestamp=now - 80,
            priority=120,
            cluster=cluster,
            n_workers=None,
            workers=workers,
            worker=WorkerSpec(),
            phase=Phase.CONDOR_SUBMIT,
            compound_statuses=statuses,
            cluster_id=4711,
        )
        report = ClusterReport(ready=True, batches=1, workers=workers)
        tms = TmsDocument(cluster=cluster, report=report, count=1, timestamp=now)
        await state.store.write(
            Insert(collection=TASKFORCES, key=taskforce.taskforce_uuid, body=taskforce.model_dump(mode="json")),
            Insert(collection=HOSTS, key=tms_key(cluster), body=tms.model_dump(mode="json")),
        )
    site = SiteDocument(cluster="osg", site="FERMIGRID", losses=6.2, successes=1.0, excluded_until=now + 7200)
    site = site.model_copy(update={"excluded_by": "tms", "reason": "workers were lost there"})
    good = SiteDocument(cluster="osg", site="UCSD", losses=0.4, successes=212.0)
    changes = [Insert(collection=SITES, key=site_key(one.cluster, one.site), body=one.model_dump()) for one in (site, good)]
    await state.store.write(*changes)


async def _failures(state: ServiceState, workflow_id: str) -> None:
    attempts = []
    for seq in range(1, 7):
        reason, host, traceback = _CAUSES[seq % 2 and seq < 6]
        stderr = f"reading geometry GCD-2026.i3\npixel {seq}: searching\n"
        detail = {"stderr": stderr, "traceback": traceback} if traceback else {"stderr": stderr}
        attempts.append(
            (
                seq,
                Attempt(
                    attempt=1, kind="failed", reason=reason.format(seq), pilot="PL-1", host=host.format(seq), detail=detail
                ),
            )
        )
    with state.store.journal(workflow_id) as journal:
        events = [event(seq, {"nside": 64, "pixel": 8100 + seq}) for seq in range(1, 7)]
        buried = [Buried(2, 1, attempts[1][1].reason), Buried(6, 2, attempts[5][1].reason)]
        journal.commit(Batch(events=events, attempts=attempts, buried=buried))
