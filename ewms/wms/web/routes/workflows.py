"""`/ui/workflows`: the list, with what is looked for in the address."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ewms.core.errors import InputError
from ewms.core.query import Query as StoreQuery
from ewms.core.service.phases import WorkflowState
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import WORKFLOWS
from ewms.wms.access.caller import Caller, CallerOf
from ewms.wms.service.listing import After, Listing
from ewms.wms.service.permission import restricted
from ewms.wms.service.state import ServiceState, State
from ewms.wms.service.workflow_search import WorkflowSearch, parse_labels
from ewms.wms.web.listing import sought
from ewms.wms.web.pages import At, pages_of

router = APIRouter(include_in_schema=False)
_PAGE = 50
Text = Annotated[str, Query(max_length=200)]


@router.get("/ui/workflows")
async def list_workflows(
    *,
    request: Request,
    state: State,
    caller: CallerOf,
    text: Text = "",
    label: Annotated[list[Text] | None, Query(max_length=20)] = None,
    labels: Text = "",
    states: Annotated[list[WorkflowState] | None, Query(alias="state")] = None,
    owner: Text = "",
    after: After = None,
    at: At = 0,
) -> Response:
    """A page of the workflows that are looked for, newest first."""
    wanted = sought(text, label or (), labels, [one.value for one in states or ()], owner)
    trouble, listing = "", Listing[WorkflowDocument](items=[], total=0)
    try:
        search = WorkflowSearch(
            states=[WorkflowState(one) for one in wanted.states],
            owner=wanted.owner or None,
            labels=parse_labels(wanted.labels),
            text=wanted.text or None,
        )
        listing = await search.page(state.store, caller, after, _PAGE)
    except InputError as error:
        trouble = str(error)
    values = {
        "sought": wanted,
        "listing": listing,
        "trouble": trouble,
        "first": at + 1 if after else 1,
        "by_state": await _by_state(state, caller),
    }
    code = HTTPStatus.BAD_REQUEST if trouble else HTTPStatus.OK
    return pages_of(request).page(request, caller, "workflows.html", values, code)


async def _by_state(state: ServiceState, caller: Caller) -> dict[str, int]:
    """How many workflows the caller may see, by state. Exact."""
    queries = [restricted(StoreQuery.parse({"state": one.value}), caller) for one in WorkflowState]
    counts = await asyncio.gather(*(state.store.count(WORKFLOWS, query) for query in queries))
    return {one.value: count for one, count in zip(WorkflowState, counts, strict=True)}
