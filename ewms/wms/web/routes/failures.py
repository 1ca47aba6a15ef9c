"""`/ui/workflows/WF-…/failures`, `/letters` and `/events`: what did not work, why, and how to try it again."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from ewms.wms.access.caller import CallerOf
from ewms.wms.service.listing import After
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.routes.api.results import get_event, list_failures, list_letters
from ewms.wms.service.state import State
from ewms.wms.web.pages import At, pages_of
from ewms.wms.web.routes.workflow import head_of

router = APIRouter(prefix="/ui/workflows/{workflow_id}", include_in_schema=False)
_LETTERS = 25


@router.get("/failures")
async def show_failures(workflow_id: str, request: Request, state: State, caller: CallerOf) -> Response:
    """Why events failed, by cause."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    failures = (await list_failures(workflow_id, state, caller)).items
    return pages_of(request).page(request, caller, "failures.html", {**head_of(state, workflow), "failures": failures})


@router.get("/letters")
async def show_letters(
    workflow_id: str, *, request: Request, state: State, caller: CallerOf, after: After = None, at: At = 0
) -> Response:
    """Events that were given up on, with their histories."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    listing = await list_letters(workflow_id, state, caller, _LETTERS, after)
    values = {**head_of(state, workflow), "listing": listing, "first": at + 1 if after else 1}
    return pages_of(request).page(request, caller, "letters.html", values)


@router.get("/events/{task}/{event_id:path}")
async def show_event(
    workflow_id: str, task: str, event_id: str, *, request: Request, state: State, caller: CallerOf
) -> Response:
    """One event with its whole history."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    event = await get_event(workflow_id, task, event_id, state, caller)
    return pages_of(request).page(request, caller, "event.html", {**head_of(state, workflow), "event": event})
