"""`/v1/tms`: what a TMS asks and tells, as EWMS's does it; ours asks for its plan by `/api/tms`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from ewms.core.service.directive import TaskDirectiveDocument
from ewms.core.service.objects import PendingStarter, TaskforceObject, TaskforceUUID, UpdateResults
from ewms.core.service.phases import Phase
from ewms.core.service.queue import QueueDocument
from ewms.core.service.replies import directive_object, queue_object, taskforce_object
from ewms.core.service.requests import CompletionNotice, FailureNotice, StatusesNotice, SubmitNotice
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.transitions import Completed, Event, RemovalFailed, Removed, SubmitFailed, Submitted
from ewms.stores.collections import QUEUES, TASKFORCES
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.happening import tell
from ewms.wms.service.lookup import directive_of, find_all, log_of
from ewms.wms.service.routes.v1.documented import NOT_FOUND, answers
from ewms.wms.service.state import ServiceState, State
from ewms.wms.service.statuses import update_statuses

router = APIRouter(prefix="/v1/tms", tags=["tms - internal"])
Schedd = Annotated[str, Query(description="Host name of the access point, or name of the cluster.")]
Collector = Annotated[str | None, Query(deprecated=True, description="Not used.")]


@router.get("/pending-starter/taskforces", responses=answers(PendingStarter))
async def next_to_start(schedd: Schedd, state: State, caller: CallerOf, collector: Collector = None) -> PendingStarter:
    """The taskforce that is to be submitted next; nothing if there is none. It is offered until that is confirmed."""
    waiting = await _in_phase(state, schedd, Phase.PENDING_STARTER)
    ready = [taskforce for taskforce in waiting if taskforce.workers > 0]
    if not ready:
        return {}
    taskforce = min(ready, key=lambda one: (-one.priority, one.failures, one.timestamp, one.taskforce_uuid))
    directive = await directive_of(state.store, caller, taskforce.task_id)
    return {
        "taskforce": taskforce_object(taskforce, await log_of(state.store, taskforce.taskforce_uuid)),
        "task_directive": directive_object(directive),
        "mqprofiles": [queue_object(queue) for queue in await _queues(state, directive)],
    }


@router.post("/condor-submit/taskforces/{taskforce_uuid}", responses=answers(TaskforceUUID, NOT_FOUND))
async def confirm_submit(taskforce_uuid: str, notice: SubmitNotice, state: State) -> TaskforceUUID:
    """A taskforce was submitted."""
    submitted = Submitted(
        cluster_id=notice.cluster_id,
        workers=notice.n_workers,
        submit_dict=notice.submit_dict,
        event_log=notice.job_event_log_fpath,
    )
    return await _told(state, taskforce_uuid, submitted)


@router.post("/condor-submit/taskforces/{taskforce_uuid}/failed", responses=answers(TaskforceUUID, NOT_FOUND))
async def report_submit_failure(taskforce_uuid: str, state: State, notice: FailureNotice | None = None) -> TaskforceUUID:
    """A taskforce could not be submitted; after three times it is given up."""
    return await _told(state, taskforce_uuid, SubmitFailed((notice or FailureNotice()).error))


@router.get("/pending-stopper/taskforces", responses=answers(TaskforceObject))
async def next_to_stop(schedd: Schedd, state: State, collector: Collector = None) -> TaskforceObject:
    """The taskforce that is to be removed next; nothing if there is none. It is offered until that is confirmed."""
    waiting = await _in_phase(state, schedd, Phase.PENDING_STOPPER)
    if not waiting:
        return {}
    taskforce = min(waiting, key=lambda one: (one.timestamp, one.taskforce_uuid))
    return taskforce_object(taskforce, await log_of(state.store, taskforce.taskforce_uuid))


@router.post("/condor-rm/taskforces/{taskforce_uuid}", responses=answers(TaskforceUUID, NOT_FOUND))
async def confirm_removal(taskforce_uuid: str, state: State) -> TaskforceUUID:
    """A taskforce was removed."""
    return await _told(state, taskforce_uuid, Removed())


@router.post("/condor-rm/taskforces/{taskforce_uuid}/failed", responses=answers(TaskforceUUID, NOT_FOUND))
async def report_removal_failure(taskforce_uuid: str, state: State, notice: FailureNotice | None = None) -> TaskforceUUID:
    """A taskforce could not be removed; it is offered again."""
    return await _told(state, taskforce_uuid, RemovalFailed((notice or FailureNotice()).error))


@router.post("/condor-complete/taskforces/{taskforce_uuid}", responses=answers(TaskforceUUID, NOT_FOUND))
async def confirm_completion(taskforce_uuid: str, notice: CompletionNotice, state: State) -> TaskforceUUID:
    """Nothing of a taskforce is left at the backend."""
    return await _told(state, taskforce_uuid, Completed(float(notice.condor_complete_ts)))


@router.post(
    "/statuses/taskforces",
    response_model=UpdateResults,
    responses=answers(UpdateResults, {207: {"model": UpdateResults, "description": "Some taskforces are unknown"}}),
)
async def tell_statuses(notice: StatusesNotice, state: State) -> JSONResponse:
    """How the workers of several taskforces fare."""
    results = await update_statuses(state, notice)
    is_whole = all(result["status"] == "updated" for result in results)
    return JSONResponse({"results": results}, status_code=200 if is_whole else 207)


async def _told(state: ServiceState, uuid: str, event: Event) -> TaskforceUUID:
    await tell(state, uuid, event)
    return {"taskforce_uuid": uuid}


async def _in_phase(state: ServiceState, schedd: str, phase: Phase) -> list[TaskforceDocument]:
    found = await find_all(state.store, TASKFORCES, {"schedd": schedd, "phase": phase})
    return [TaskforceDocument.model_validate(stored.body) for stored in found]


async def _queues(state: ServiceState, directive: TaskDirectiveDocument) -> list[QueueDocument]:
    """Those that the directive's pilots would use in EWMS; ours are told of others, with credentials, when they start."""
    found = await find_all(state.store, QUEUES, {"workflow_id": directive.workflow_id})
    used = {*directive.input_queues, *directive.output_queues}
    return [QueueDocument.model_validate(stored.body) for stored in found if stored.key in used]
