"""`/v1/workflows`: requesting a workflow, looking at it, ending it."""

from __future__ import annotations

import secrets

from fastapi import APIRouter

from ewms.core.service.objects import DeactivatedWorkflowResponseObject, NewWorkflowResponse, WorkflowObject
from ewms.core.service.replies import directive_object, taskforce_object, workflow_object
from ewms.core.service.requests import WorkflowRequest
from ewms.core.service.submission import first_entry
from ewms.core.service.translation import translate
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.clusters import locations_of
from ewms.wms.service.deactivation import deactivate
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.routes.v1.documented import NOT_FOUND, answers
from ewms.wms.service.state import State
from ewms.wms.service.submission import submit

router = APIRouter(prefix="/v1/workflows", tags=["workflows"])


@router.post("", responses=answers(NewWorkflowResponse))
async def request_workflow(request: WorkflowRequest, state: State, caller: CallerOf) -> NewWorkflowResponse:
    """Create a workflow with its task directives, its taskforces and its queues, all or none."""
    submission = translate(
        request,
        owner=caller.name,
        now=state.clock(),
        locations=locations_of(state.configuration),
        entropy=lambda: secrets.token_bytes(4),
    )
    await submit(state.store, state.news, submission)
    return {
        "workflow": workflow_object(submission.workflow),
        "task_directives": [directive_object(directive) for directive in submission.directives],
        "taskforces": [
            taskforce_object(taskforce, [first_entry(taskforce).model_dump(mode="json")])
            for taskforce in submission.taskforces
        ],
    }


@router.get("/{workflow_id}", responses=answers(WorkflowObject, NOT_FOUND))
async def get_workflow(workflow_id: str, state: State, caller: CallerOf) -> WorkflowObject:
    """A workflow."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    return workflow_object(workflow)


@router.post("/{workflow_id}/actions/abort", responses=answers(DeactivatedWorkflowResponseObject, NOT_FOUND))
async def abort(workflow_id: str, state: State, caller: CallerOf) -> DeactivatedWorkflowResponseObject:
    """Give a workflow up: its taskforces are stopped, and its queues deleted."""
    stopped = await deactivate(state, caller, workflow_id, "ABORTED")
    return {"workflow_id": workflow_id, "n_taskforces": stopped}


@router.post("/{workflow_id}/actions/finished", responses=answers(DeactivatedWorkflowResponseObject, NOT_FOUND))
async def finished(workflow_id: str, state: State, caller: CallerOf) -> DeactivatedWorkflowResponseObject:
    """Say that a workflow has given everything that was wanted of it."""
    stopped = await deactivate(state, caller, workflow_id, "FINISHED")
    return {"workflow_id": workflow_id, "n_taskforces": stopped}
