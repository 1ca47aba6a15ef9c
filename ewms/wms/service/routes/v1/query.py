"""`/v1/query`: searching, with EWMS's filters, projections and pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from fastapi import APIRouter, Response
from pydantic import BaseModel

from ewms.core.errors import InputError
from ewms.core.query import Query
from ewms.core.service.directive import TaskDirectiveDocument
from ewms.core.service.objects import TaskDirectivesPage, TaskforcesPage, WorkflowsPage
from ewms.core.service.replies import LOG, directive_object, projected, taskforce_object, workflow_object
from ewms.core.service.requests import FindRequest
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import TASK_DIRECTIVES, TASKFORCES, WORKFLOWS
from ewms.stores.store import Page, Store
from ewms.wms.access.caller import Caller, CallerOf
from ewms.wms.service.lookup import log_of
from ewms.wms.service.permission import restricted
from ewms.wms.service.routes.v1.documented import answers
from ewms.wms.service.searching import pinned, renamed
from ewms.wms.service.state import State

router = APIRouter(prefix="/v1/query")
M = TypeVar("M", bound=BaseModel)
_MOST = 2000
_STORED_AS = {"pilot_config": "requested.pilot_config", "worker_config": "requested.worker_config"}


@router.post("/workflows", tags=["workflows"], responses=answers(WorkflowsPage), response_model=WorkflowsPage)
async def query_workflows(request: FindRequest, state: State, caller: CallerOf) -> Response:
    """Search workflows."""
    page = await _found(state.store, WORKFLOWS, "workflow_id", request, caller)
    shown = await _shown(page, WorkflowDocument, workflow_object)
    return await _page("workflows", shown, page.after, request)


@router.post(
    "/task-directives", tags=["task-directives"], responses=answers(TaskDirectivesPage), response_model=TaskDirectivesPage
)
async def query_task_directives(request: FindRequest, state: State, caller: CallerOf) -> Response:
    """Search task directives."""
    page = await _found(state.store, TASK_DIRECTIVES, "task_id", request, caller)
    shown = await _shown(page, TaskDirectiveDocument, directive_object)
    return await _page("task_directives", shown, page.after, request)


@router.post("/taskforces", tags=["taskforces"], responses=answers(TaskforcesPage), response_model=TaskforcesPage)
async def query_taskforces(request: FindRequest, state: State, caller: CallerOf) -> Response:
    """Search taskforces."""
    page = await _found(state.store, TASKFORCES, "taskforce_uuid", request, caller)
    logs: dict[str, list[dict[str, Any]]] = {}
    if request.projection is None or LOG in request.projection:
        found = await asyncio.gather(*(log_of(state.store, stored.key) for stored in page.items))
        logs = {stored.key: entries for stored, entries in zip(page.items, found, strict=True)}
    shown = await _shown(
        page, TaskforceDocument, lambda taskforce: taskforce_object(taskforce, logs.get(taskforce.taskforce_uuid, []))
    )
    return await _page("taskforces", shown, page.after, request)


async def _found(store: Store, collection: str, key: str, request: FindRequest, caller: Caller) -> Page:
    query = restricted(_query(collection, request.query), caller)
    one = pinned(request.query, key)
    if one is None:
        return await store.find(collection, query, after=request.after, limit=_MOST)
    stored = await store.get(collection, one)
    is_found = stored is not None and request.after is None and query.matches(stored.body)
    return Page([stored] if stored is not None and is_found else [], None)


def _query(collection: str, filter_: Mapping[str, Any]) -> Query:
    query = Query.parse(filter_)
    if collection != TASKFORCES:
        return query

    return Query.parse(renamed(filter_, _stored_as))


def _stored_as(key: str) -> str:
    top, _, rest = key.partition(".")
    if top == LOG:
        raise InputError(f"query.{key:.100}: the log of phases cannot be searched; search by phase and read the log")
    stored = _STORED_AS.get(top, top)
    return f"{stored}.{rest}" if rest else stored


async def _shown(page: Page, kind: type[M], show: Callable[[M], Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    def show_all() -> list[Mapping[str, Any]]:
        return [show(kind.model_validate(stored.body)) for stored in page.items]

    return await asyncio.to_thread(show_all)  # it may be much


async def _page(name: str, shown: list[Mapping[str, Any]], after: str | None, request: FindRequest) -> Response:
    def encoded() -> bytes:
        return msgspec.json.encode({name: [projected(one, request.projection) for one in shown], "next_after": after})

    return Response(await asyncio.to_thread(encoded), media_type="application/json")
