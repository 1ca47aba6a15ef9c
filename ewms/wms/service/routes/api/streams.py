"""`/api/stream` and `/api/workflows/{workflow_id}/stream`: changes as they happen, by server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from ewms.wms.access.caller import CallerOf
from ewms.wms.service.event_streams import Manner, all_events, check_room, workflow_events
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.state import ServiceState, State

router = APIRouter(prefix="/api", tags=["streams"])
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=200)]
Every = Annotated[float, Query(ge=0, le=60, description="Least seconds between two messages.")]
Summary = Annotated[bool, Query(description="What changes while it runs, not the whole document; rates are in it.")]
Stay = Annotated[bool, Query(description="Go on beyond its end: a replay may re-open it.")]
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_KIND = "text/event-stream"
_DOCUMENTED: dict[int | str, dict[str, object]] = {200: {"content": {_KIND: {}}}}


@router.get("/workflows/{workflow_id}/stream", response_class=StreamingResponse, responses=_DOCUMENTED)
async def stream_workflow(
    workflow_id: str,
    *,
    state: State,
    caller: CallerOf,
    last_event_id: LastEventId = None,
    every: Every = 0.0,
    summary: Summary = False,
    stay: Stay = False,
) -> StreamingResponse:
    """The workflow's document at once and at every change, with rates, until it has ended."""
    stored, _ = await workflow_of(state.store, caller, workflow_id)
    return _stream(state, workflow_events(state, caller, stored, last_event_id, Manner(every, summary, stay)))


@router.get("/stream", response_class=StreamingResponse, responses=_DOCUMENTED)
async def stream_all(
    state: State, caller: CallerOf, last_event_id: LastEventId = None, every: Every = 0.0
) -> StreamingResponse:
    """A summary of every workflow that the caller may see, whenever it changes."""
    return _stream(state, all_events(state, caller, last_event_id, Manner(every)))


def _stream(state: ServiceState, events: AsyncIterator[bytes]) -> StreamingResponse:
    check_room(state)
    return StreamingResponse(events, media_type=_KIND, headers=_HEADERS)
