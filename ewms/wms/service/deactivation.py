"""The end of a workflow by its user: EWMS's `abort` and `finished`, in one write with all its taskforces."""

from __future__ import annotations

import logging
from typing import Literal

from ewms.core.errors import Conflict, NotFound
from ewms.core.service.phases import FINAL, Wish, WorkflowState
from ewms.core.service.transitions import Stopped
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import TASKFORCES, WORKFLOWS
from ewms.stores.store import Replace
from ewms.wms.access.caller import Caller
from ewms.wms.service.happening import log, written
from ewms.wms.service.lookup import taskforces_of, workflow_of
from ewms.wms.service.state import ServiceState
from ewms.wms.states import told

Kind = Literal["ABORTED", "FINISHED"]
_WISHES: dict[Kind, Wish] = {"ABORTED": Wish.CANCEL, "FINISHED": Wish.FINISH}
_log = logging.getLogger("ewms.service")


async def deactivate(state: ServiceState, caller: Caller, workflow_id: str, kind: Kind) -> int:
    """End a workflow; the number of its taskforces that are stopped by that.

    Raises `NotFound` where there is none, or where it was deactivated before.
    """
    while True:
        stored, workflow = await workflow_of(state.store, caller, workflow_id)
        if workflow.deactivated is not None:
            raise NotFound(f"workflow {workflow_id} was deactivated before: {workflow.deactivated}")
        now = state.clock()
        ended = deactivated(workflow, kind, now)
        body = ended.model_dump(mode="json")
        changes = [
            Replace(collection=WORKFLOWS, key=workflow_id, version=stored.version, body=body),
            *told(workflow, ended, now),
        ]
        transitions = []
        if stops_at_once(workflow, kind):
            stop = Stopped("User", f"its workflow was {kind.lower()} by {caller.name}")
            for kept, taskforce in await taskforces_of(state.store, workflow_id):
                transition = stop.apply(taskforce, now)
                if transition.entries:
                    transitions.append(transition)
                    changes += written(kept, transition)
        try:
            await state.store.write(*changes)
        except Conflict:
            continue
        _log.info("workflow_deactivated", extra={"workflow_id": workflow_id, "kind": kind, "caller": caller.name})
        for transition in transitions:
            log(transition)
            await state.news.publish(TASKFORCES, transition.taskforce.taskforce_uuid)
        await state.news.publish(WORKFLOWS, workflow_id)
        return len(transitions)


async def end(state: ServiceState, caller: Caller, workflow_id: str, kind: Kind) -> WorkflowDocument:
    """End a workflow of our own interface; a repeat changes nothing. `Conflict` for one that ended otherwise."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    if workflow.deactivated == kind or workflow.state is WorkflowState.CANCELLED:
        return workflow
    if workflow.state is WorkflowState.COMPLETE:
        raise Conflict(f"workflow {workflow_id} is complete already")
    try:
        await deactivate(state, caller, workflow_id, kind)
    except NotFound as error:
        raise Conflict(str(error)) from error  # it is there, and was ended otherwise
    return (await workflow_of(state.store, caller, workflow_id))[1]


def deactivated(workflow: WorkflowDocument, kind: Kind, now: float) -> WorkflowDocument:
    """A workflow that its user has ended. One that failed is taken up once more, by a driver host that cleans up."""
    update: dict[str, object] = {"deactivated": kind, "deactivated_ts": now}
    if workflow.state in FINAL:
        update["closed"] = -1  # what was kept for its user is to go as well
    else:
        update["wish"] = _WISHES[kind]
    if workflow.state is WorkflowState.FAILED:
        update["state"] = WorkflowState.PENDING
    return workflow.model_copy(update=update)


def stops_at_once(workflow: WorkflowDocument, kind: Kind) -> bool:
    """Whether its pilots are of no more use: EWMS's `finished` means that its user has all outputs.

    A workflow of our own interface that takes no more input still has to work off what it took.
    """
    return kind == "ABORTED" or workflow.origin == "v1" or workflow.state in FINAL
