"""`/ui/workflows/WF-…`: one workflow: how far it is, where its pilots are, and its files."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ewms.core.service.phases import FINAL, WorkflowState
from ewms.core.service.workflow import WorkflowDocument
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.listing import After
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.routes.api.contents import list_files
from ewms.wms.service.routes.api.workflows import list_phases, list_workers
from ewms.wms.service.sites import sites_of
from ewms.wms.service.state import ServiceState, State
from ewms.wms.web.graph import draw
from ewms.wms.web.pages import At, pages_of

router = APIRouter(prefix="/ui/workflows/{workflow_id}", include_in_schema=False)
_FILES = 200
_LOST = 0.5


def head_of(state: ServiceState, workflow: WorkflowDocument) -> dict[str, Any]:
    """What stands above each page of a workflow."""
    return {
        "workflow": workflow,
        "clusters": list(state.configuration.clusters),
        "is_over": workflow.state in FINAL,
        "can_pause": workflow.state in {WorkflowState.PENDING, WorkflowState.RUNNING} and not workflow.deactivated,
        "can_resume": workflow.state in {WorkflowState.PAUSED, WorkflowState.FAILED},
    }


async def pilots_of(state: ServiceState, caller: CallerOf, workflow_id: str) -> dict[str, Any]:
    """Its taskforces, and the sites of their clusters at which workers were lost or may not start."""
    taskforces = (await list_workers(workflow_id, state, caller)).items
    used, now = {taskforce.cluster for taskforce in taskforces}, state.clock()
    sites = [site for site in await sites_of(state) if site.cluster in used]
    telling = [site for site in sites if site.losses >= _LOST or site.is_excluded(now)]
    return {"taskforces": taskforces, "sites": telling, "now": now}


@router.get("")
async def show_workflow(workflow_id: str, request: Request, state: State, caller: CallerOf) -> Response:
    """How far it is."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    values = {
        **head_of(state, workflow),
        **await pilots_of(state, caller, workflow_id),
        "drawing": draw(workflow.spec),
        "phases": (await list_phases(workflow_id, state, caller)).items,
        "history": state.watch.history(workflow_id),
    }
    return pages_of(request).page(request, caller, "workflow.html", values)


@router.get("/pilots")
async def show_pilots(workflow_id: str, request: Request, state: State, caller: CallerOf) -> Response:
    """The part of the page that tells of pilots and phases, for its renewal."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    phases = (await list_phases(workflow_id, state, caller)).items
    values = {"workflow": workflow, "phases": phases, **await pilots_of(state, caller, workflow_id)}
    return pages_of(request).page(request, caller, "pilots.html", values)


@router.get("/files")
async def show_files(
    workflow_id: str, *, request: Request, state: State, caller: CallerOf, after: After = None, at: At = 0
) -> Response:
    """Its product, its partial product and what was uploaded for it."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    listing = await list_files(workflow_id, state, caller, _FILES, after)
    values = {**head_of(state, workflow), "listing": listing, "first": at + 1 if after else 1}
    return pages_of(request).page(request, caller, "files.html", values)
