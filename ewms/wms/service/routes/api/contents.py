"""`/api/workflows/{workflow_id}/files`, `/queues` and `/events`: what goes in and out of a workflow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from ewms.core.query import Query
from ewms.core.service.files import FileDocument, file_key
from ewms.stores.collections import FILES
from ewms.wms.access.caller import CallerOf
from ewms.wms.files import Files
from ewms.wms.service.journals import in_parts
from ewms.wms.service.listing import After, Limit, Listing
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.permission import not_found
from ewms.wms.service.queues import QueueState, queues_of
from ewms.wms.service.sending import SentEvent, send
from ewms.wms.service.state import State

router = APIRouter(prefix="/api/workflows/{workflow_id}", tags=["contents"])
_CHUNK = 1 << 20
_KIND = "application/octet-stream"
_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}


class SentEvents(BaseModel):
    """Events for an open workflow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queue: str | None = None
    """Where they go; may be left out where there is only one."""
    events: Annotated[tuple[SentEvent, ...], Field(max_length=100_000)]
    """In any order."""


class Accepted(BaseModel):
    """Events that the broker has now."""

    model_config = ConfigDict(frozen=True)

    accepted: int
    """How many."""


@router.get("/files")
async def list_files(
    workflow_id: str, state: State, caller: CallerOf, limit: Limit = 100, after: After = None
) -> Listing[FileDocument]:
    """Its uploads and its product, by name."""
    await workflow_of(state.store, caller, workflow_id)
    query = Query.parse({"workflow_id": workflow_id})
    page = await state.store.find(FILES, query, after=after, limit=limit)
    items = [FileDocument.model_validate(stored.body) for stored in page.items]
    return Listing(items=items, after=page.after, total=await state.store.count(FILES, query))


@router.get("/files/{name:path}", response_class=Response, responses={200: {"content": {_KIND: {}}}})
async def get_file(workflow_id: str, name: str, state: State, caller: CallerOf) -> Response:
    """One file, with ranges where it lies on this machine. A name is looked up, never followed."""
    await workflow_of(state.store, caller, workflow_id)
    stored = await state.store.get(FILES, file_key(workflow_id, name))
    if stored is None:
        raise not_found(f"file {name} of workflow {workflow_id}")
    file = FileDocument.model_validate(stored.body)
    files = state.files.holding(file)
    path = files.local_path(file.sha256)
    headers = _HEADERS | {"ETag": f'"{file.sha256}"'}
    if path is not None:
        return FileResponse(path, media_type=_KIND, headers=headers)
    headers["Content-Length"] = str(file.size)
    return StreamingResponse(_chunks(files, file.sha256), media_type=_KIND, headers=headers)


@router.get("/queues")
async def list_queues(workflow_id: str, state: State, caller: CallerOf) -> Listing[QueueState]:
    """Its queues: how much waits in them, how much is being worked on, how fast."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    queues = await queues_of(state, workflow)
    return Listing(items=queues, total=len(queues))


@router.post("/events")
async def send_events(workflow_id: str, sent: SentEvents, state: State, caller: CallerOf) -> Accepted:
    """Give events to an open workflow; answered when the broker has them."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    await send(state, workflow, sent.queue, sent.events)
    return Accepted(accepted=len(sent.events))


async def _chunks(files: Files, sha256: str) -> AsyncIterator[bytes]:
    stream = files.open(sha256)
    source = await asyncio.to_thread(stream.__enter__)
    try:
        async for part in in_parts(iter(lambda: source.read(_CHUNK), b""), 1):
            yield part[0]
    finally:
        await asyncio.to_thread(stream.__exit__, None, None, None)
