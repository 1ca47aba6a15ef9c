"""`/v1/task-directives`: looking at a task, giving it more workers."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from ewms.core.service.objects import TaskDirectiveObject, TaskforceObject
from ewms.core.service.phases import FINAL
from ewms.core.service.replies import directive_object, taskforce_object
from ewms.core.service.requests import AddWorkersRequest
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.clusters import locations_of
from ewms.wms.service.errors import answer
from ewms.wms.service.lookup import directive_of, workflow_of
from ewms.wms.service.more_workers import add_taskforce
from ewms.wms.service.routes.v1.documented import NOT_FOUND, UNPROCESSABLE, answers
from ewms.wms.service.state import State

router = APIRouter(prefix="/v1/task-directives", tags=["task-directives"])


@router.get("/{task_id}", responses=answers(TaskDirectiveObject, NOT_FOUND))
async def get_directive(task_id: str, state: State, caller: CallerOf) -> TaskDirectiveObject:
    """A task directive."""
    return directive_object(await directive_of(state.store, caller, task_id))


@router.post(
    "/{task_id}/actions/add-workers",
    responses=answers(TaskforceObject, NOT_FOUND, UNPROCESSABLE),
    response_model=TaskforceObject,
)
async def add_workers(
    task_id: str, request: AddWorkersRequest, state: State, caller: CallerOf
) -> TaskforceObject | JSONResponse:
    """Create a further taskforce of a task, at any cluster, ahead of those that came with the workflow."""
    directive = await directive_of(state.store, caller, task_id)
    location = locations_of(state.configuration).find(request.cluster_location)
    _, workflow = await workflow_of(state.store, caller, directive.workflow_id)
    if workflow.deactivated is not None or workflow.state in FINAL:
        ended = (workflow.deactivated or workflow.state).lower()
        return answer(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"workflow {workflow.workflow_id} is {ended}; it takes no more workers"
        )
    added, entry = await add_taskforce(state, workflow, task_id, location, request.n_workers)
    return taskforce_object(added, [entry.model_dump(mode="json")])
