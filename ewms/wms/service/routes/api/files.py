"""`/api/files`: contents that are uploaded before the workflows that use them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ewms.core.query import Query
from ewms.core.service.upload import Sha256, UploadDocument
from ewms.stores.collections import UPLOADS
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.listing import After, Limit, Listing
from ewms.wms.service.state import State
from ewms.wms.service.uploads import known, remove, take_in

router = APIRouter(prefix="/api/files", tags=["files"])
_RAW = {"requestBody": {"content": {"application/octet-stream": {}}, "required": True}}
Digest = Annotated[Sha256, Path(description="Of the content, in 64 hexadecimal digits.")]


class Contents(BaseModel):
    """Contents, by what they hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[list[Sha256], Field(max_length=10_000)]
    """In hexadecimal digits."""


class Missing(BaseModel):
    """Contents that the caller has yet to send."""

    model_config = ConfigDict(frozen=True)

    missing: list[str]
    """Their sha256."""


class Kept(BaseModel):
    """A content that is kept now."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    """In hexadecimal digits."""
    size: int
    """Bytes."""


@router.get("")
async def list_uploads(state: State, caller: CallerOf, limit: Limit = 100, after: After = None) -> Listing[UploadDocument]:
    """What the caller has uploaded and not removed."""
    query = Query.parse({"owner": caller.name})
    page = await state.store.find(UPLOADS, query, after=after, limit=limit)
    items = [UploadDocument.model_validate(stored.body) for stored in page.items]
    return Listing(items=items, after=page.after, total=await state.store.count(UPLOADS, query))


@router.post("/missing")
async def tell_missing(contents: Contents, state: State, caller: CallerOf) -> Missing:
    """Which of some contents the caller has not uploaded; what others have does not count."""
    there = await known(state, caller.name, contents.sha256)
    return Missing(missing=[digest for digest in dict.fromkeys(contents.sha256) if digest not in there])


@router.post("", status_code=201, openapi_extra=_RAW)
async def upload(request: Request, state: State, caller: CallerOf) -> Kept:
    """Keep the body, whatever it is."""
    content = await take_in(state, caller.name, request.stream(), None, _announced(request))
    return Kept(sha256=content.sha256, size=content.size)


@router.put("/{sha256}", status_code=201, openapi_extra=_RAW)
async def upload_as(sha256: Digest, request: Request, state: State, caller: CallerOf) -> Kept:
    """Keep the body, which must have this sha256."""
    content = await take_in(state, caller.name, request.stream(), sha256, _announced(request))
    return Kept(sha256=content.sha256, size=content.size)


@router.delete("/{sha256}", status_code=204)
async def remove_upload(sha256: Digest, state: State, caller: CallerOf) -> Response:
    """Forget an upload, and give back its part of the quota; workflows that use it keep it."""
    await remove(state, caller.name, sha256)
    return Response(status_code=204)


def _announced(request: Request) -> int | None:
    length = request.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None
