"""`/api/workflows/{workflow_id}/…`: what became of its events, from its journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from ewms.core.errors import InputError, NotFound
from ewms.wms.access.caller import CallerOf
from ewms.wms.failures import FailureCluster, failure_clusters
from ewms.wms.service.event_streams import check_room
from ewms.wms.service.histories import EventHistory, LogEntry, event_history, log_page
from ewms.wms.service.journals import look_into
from ewms.wms.service.letters import Letter, ask_for_replay, letters_page
from ewms.wms.service.listing import After, Limit, Listing
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.outcomes import followed_lines, outcome_lines
from ewms.wms.service.state import State

router = APIRouter(prefix="/api/workflows/{workflow_id}", tags=["results"])
_LINES = "application/x-ndjson"


class ReplayWish(BaseModel):
    """Dead letters that are to be tried again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str | None = None
    """Only those of this task."""
    event_ids: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=10_000)] = ()
    """Only these; empty for all."""


class Replayed(BaseModel):
    """What is being tried again."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    """Under which the driver host does it, once."""
    letters: int
    """How many dead letters there are for it."""


@router.get("/outcomes", response_class=StreamingResponse, responses={200: {"content": {_LINES: {}}}})
async def stream_outcomes(
    workflow_id: str,
    *,
    state: State,
    caller: CallerOf,
    after: Annotated[int, Query(ge=0, lt=1 << 63, description="`order` of the last one that is known.")] = 0,
    follow: Annotated[bool, Query(description="Go on until the workflow has ended.")] = False,
    sort: Annotated[bool, Query(description="In event order; of what there is now.")] = False,
) -> StreamingResponse:
    """Terminal events of the last tasks, one JSON object a line, in the order of acceptance."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    lines: AsyncIterator[bytes] = outcome_lines(state, workflow, after, sort=sort)
    if follow and sort:
        raise InputError("follow and sort exclude each other: what is still to come may belong before; leave one out")
    if follow:
        check_room(state)
        lines = followed_lines(state, caller, workflow, after)
    return StreamingResponse(lines, media_type=_LINES)


@router.get("/events/{task}/{event_id:path}")
async def get_event(workflow_id: str, task: str, event_id: str, state: State, caller: CallerOf) -> EventHistory:
    """One event with its whole history."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    history = await look_into(state, workflow, lambda found: event_history(found, task, event_id), None)
    if history is None:
        raise NotFound(f"workflow {workflow_id} has no events yet")
    return history


@router.get("/failures")
async def list_failures(workflow_id: str, state: State, caller: CallerOf) -> Listing[dict[str, Any]]:
    """Why events failed, put together by cause, the most frequent first: what `ewms why` shows."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    nothing: list[FailureCluster] = []
    clusters = await look_into(state, workflow, lambda found: failure_clusters(found.journal, found.names), nothing)
    return Listing(items=[msgspec.to_builtins(cluster) for cluster in clusters], total=len(clusters))


@router.get("/dead-letters")
async def list_letters(
    workflow_id: str, state: State, caller: CallerOf, limit: Limit = 100, after: After = None
) -> Listing[Letter]:
    """Events that were given up on, in event order, with their histories."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    return await look_into(
        state, workflow, lambda found: letters_page(found, after, limit), Listing[Letter](items=[], total=0)
    )


@router.post("/dead-letters/replay")
async def replay(workflow_id: str, wish: ReplayWish, state: State, caller: CallerOf) -> Replayed:
    """Try dead letters again, all or some; the workflow is re-opened for them."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    request, letters = await ask_for_replay(state, caller, workflow, wish.task, wish.event_ids)
    return Replayed(request_id=request.request_id, letters=letters)


@router.get("/logs")
async def list_logs(
    workflow_id: str,
    *,
    state: State,
    caller: CallerOf,
    task: str | None = None,
    event: Annotated[str | None, Query(description="Id of an event.")] = None,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, lt=1 << 31)] = 0,
) -> Listing[LogEntry]:
    """What unsuccessful attempts left on stdout and stderr, oldest first."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    return await look_into(
        state,
        workflow,
        lambda found: log_page(found, task, event, after, limit),
        Listing[LogEntry](items=[], total=0),
    )
