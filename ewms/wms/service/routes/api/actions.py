"""`/api/workflows/{workflow_id}/actions/…`: what a user wishes of a workflow."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from ewms.core.service.new_workflow import Workers
from ewms.core.service.wishes import check_unfinished, paused, resumed
from ewms.core.service.workflow import WorkflowDocument
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.clusters import locations_of
from ewms.wms.service.deactivation import end
from ewms.wms.service.editing import edit_workflow
from ewms.wms.service.state import State

router = APIRouter(prefix="/api/workflows/{workflow_id}/actions", tags=["workflows"])


class MoreWorkers(BaseModel):
    """More room for a workflow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: Workers | None = None
    """How many more it may have at a time; one that has no limit keeps none."""
    cluster: str | None = None
    """A further cluster that it may use, by name or alias."""


@router.post("/pause")
async def pause(workflow_id: str, state: State, caller: CallerOf) -> WorkflowDocument:
    """Send no more events until `resume`; what pilots are working on is finished."""
    return await edit_workflow(state, caller, workflow_id, paused)


@router.post("/resume")
async def resume(workflow_id: str, state: State, caller: CallerOf) -> WorkflowDocument:
    """Go on, after `pause` or a failure."""
    return await edit_workflow(state, caller, workflow_id, resumed)


@router.post("/cancel")
async def cancel(workflow_id: str, state: State, caller: CallerOf) -> WorkflowDocument:
    """Give it up: pilots are stopped and queues deleted; what was accepted stays readable."""
    return await end(state, caller, workflow_id, "ABORTED")


@router.post("/finish")
async def finish(workflow_id: str, state: State, caller: CallerOf) -> WorkflowDocument:
    """Take no more input; complete once everything is worked off."""
    return await end(state, caller, workflow_id, "FINISHED")


@router.post("/add-workers")
async def add_workers(workflow_id: str, more: MoreWorkers, state: State, caller: CallerOf) -> WorkflowDocument:
    """Let it have more workers at a time, or use a further cluster."""
    cluster = None if more.cluster is None else locations_of(state.configuration).find(more.cluster).name

    def edit(workflow: WorkflowDocument) -> dict[str, object]:
        check_unfinished(workflow, "given workers")
        fields: dict[str, object] = {}
        if more.workers is not None and workflow.workers is not None:
            fields["workers"] = workflow.workers + more.workers
            state.quotas.check_workers(workflow.owner, workflow.workers + more.workers)
        if cluster is not None and cluster not in workflow.clusters:
            fields["clusters"] = (*workflow.clusters, cluster)
        return fields

    return await edit_workflow(state, caller, workflow_id, edit)
