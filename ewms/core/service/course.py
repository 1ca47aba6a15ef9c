"""What is to happen to a workflow's taskforces next, as the workflow stands. Pure.

The service looks at this again and again: where nothing is to happen any more, there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ewms.core import ids
from ewms.core.scheduler.backlog import backlog
from ewms.core.service.files import CODE, CONTEXT
from ewms.core.service.phases import ENDING, FINAL, Phase, Wish, WorkflowState
from ewms.core.service.submission import Entropy
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.transitions import Activated, Event, Stopped
from ewms.core.service.workflow import WorkflowDocument

_LONGEST_PAUSE = 3600.0


def why_stopped(workflow: WorkflowDocument) -> str:
    """Why its pilots are of no more use; empty while they are."""
    if workflow.wish is Wish.CANCEL or workflow.deactivated == "ABORTED":
        return "its workflow was given up"
    if workflow.state in FINAL:
        return f"its workflow is {workflow.state}"
    if workflow.state is WorkflowState.FAILED:
        return f"its workflow failed: {workflow.reason}"
    if workflow.origin == "v1" and workflow.deactivated is not None:
        return "its workflow is finished"
    return ""


def due(workflow: WorkflowDocument, taskforces: Iterable[TaskforceDocument]) -> list[tuple[TaskforceDocument, Event]]:
    """What is to happen to taskforces now."""
    reason = why_stopped(workflow)
    if reason:
        stop = Stopped("WMS", reason)
        return [(taskforce, stop) for taskforce in taskforces if taskforce.phase not in ENDING]
    if not workflow.active:
        return []
    activate = Activated(carried(workflow))
    return [(taskforce, activate) for taskforce in taskforces if taskforce.phase is Phase.PRE_MQ_ACTIVATION]


def successors(
    workflow: WorkflowDocument, taskforces: Sequence[TaskforceDocument], now: float, entropy: Entropy
) -> list[TaskforceDocument]:
    """New taskforces for those that ended while there is work left.

    The first one comes at once; where that ends soon too, the next one after 2 s, then 4 s and so on, up to an hour, counted
    from when its predecessor was made. So a batch that somebody removed is back at once, and one that no cluster takes does
    no harm.
    """
    if not is_worked_on(workflow):
        return []
    left = backlog(workflow.tasks).events
    replaced = {taskforce.replaces: taskforce for taskforce in taskforces}
    found = []
    for ended in taskforces:
        has_work = left > 0 or (workflow.origin == "v1" and ended.n_workers is not None)
        if ended.phase is not Phase.CONDOR_COMPLETE or ended.taskforce_uuid in replaced or not has_work:
            continue
        if now >= ended.timestamp + _pause(ended, taskforces):
            found.append(_successor(ended, workflow, now, entropy))
    return found


def is_worked_on(workflow: WorkflowDocument) -> bool:
    """Whether it may have pilots."""
    return workflow.active and workflow.state is WorkflowState.RUNNING and not why_stopped(workflow)


def is_closable(workflow: WorkflowDocument, taskforces: Iterable[TaskforceDocument]) -> bool:
    """Whether nobody needs what was issued for it any more: it is over, its pilots are gone, its outputs are read."""
    if workflow.closing:
        return True
    keeps_outputs = workflow.state is WorkflowState.COMPLETE and bool(workflow.public) and workflow.deactivated is None
    is_over = workflow.state in FINAL and not keeps_outputs and workflow.closed != workflow.driver.epoch
    return is_over and all(taskforce.phase is Phase.CONDOR_COMPLETE for taskforce in taskforces)


def carried(workflow: WorkflowDocument) -> dict[str, str]:
    """Files of a workflow that its pilots need: name to sha256."""
    return {name: sha256 for name, sha256 in workflow.files.items() if name.startswith((CODE, CONTEXT))}


def _pause(ended: TaskforceDocument, taskforces: Sequence[TaskforceDocument]) -> float:
    """Seconds from the making of a taskforce to that of its successor, at least."""
    by_uuid = {taskforce.taskforce_uuid: taskforce for taskforce in taskforces}
    generation, one = 0, ended
    while one.replaces in by_uuid:
        generation, one = generation + 1, by_uuid[one.replaces]
    return min(2.0**generation, _LONGEST_PAUSE) if generation else 0.0


def _successor(ended: TaskforceDocument, workflow: WorkflowDocument, now: float, entropy: Entropy) -> TaskforceDocument:
    return TaskforceDocument(
        taskforce_uuid=ids.taskforce_uuid(ended.task_id, entropy()),
        task_id=ended.task_id,
        workflow_id=ended.workflow_id,
        owner=ended.owner,
        timestamp=now,
        priority=ended.priority,
        cluster=ended.cluster,
        schedd=ended.schedd,
        n_workers=ended.n_workers,
        worker=ended.worker,
        pilot=ended.pilot.model_copy(update={"files": carried(workflow)}),
        requested=ended.requested,
        replaces=ended.taskforce_uuid,
        phase=Phase.PRE_LAUNCH,
    )
