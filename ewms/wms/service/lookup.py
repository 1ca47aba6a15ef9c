"""Documents of the store as models."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel

from ewms.core.query import Query
from ewms.core.service.directive import TaskDirectiveDocument
from ewms.core.service.queue import QueueDocument
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import QUEUES, TASK_DIRECTIVES, TASKFORCES, WORKFLOWS
from ewms.stores.store import Document, Store, Stored
from ewms.wms.access.caller import Caller
from ewms.wms.service.permission import not_found, require_sight

M = TypeVar("M", bound=BaseModel)
_PAGE = 1000


async def find_all(store: Store, collection: str, filter_: dict[str, object]) -> list[Stored]:
    """Every document that satisfies a filter, by key."""
    query = Query.parse(filter_)
    found: list[Stored] = []
    after: str | None = None
    while True:
        page = await store.find(collection, query, after=after, limit=_PAGE)
        found += page.items
        after = page.after
        if after is None:
            return found


async def workflow_of(store: Store, caller: Caller, key: str) -> tuple[Stored, WorkflowDocument]:
    """A workflow that the caller may see; `NotFound` otherwise."""
    stored, document = await _one(store, WORKFLOWS, key, WorkflowDocument, f"workflow {key}")
    require_sight(caller, document.owner, f"workflow {key}")
    return stored, document


async def directive_of(store: Store, caller: Caller, key: str) -> TaskDirectiveDocument:
    """A task directive that the caller may see; `NotFound` otherwise."""
    _, document = await _one(store, TASK_DIRECTIVES, key, TaskDirectiveDocument, f"task directive {key}")
    require_sight(caller, document.owner, f"task directive {key}")
    return document


async def taskforce_of(store: Store, caller: Caller, key: str) -> tuple[Stored, TaskforceDocument]:
    """A taskforce that the caller may see; `NotFound` otherwise."""
    stored, document = await _one(store, TASKFORCES, key, TaskforceDocument, f"taskforce {key}")
    require_sight(caller, document.owner, f"taskforce {key}")
    return stored, document


async def queue_of(store: Store, caller: Caller, key: str) -> QueueDocument:
    """A queue that the caller may see; `NotFound` otherwise."""
    _, document = await _one(store, QUEUES, key, QueueDocument, f"queue {key}")
    require_sight(caller, document.owner, f"queue {key}")
    return document


async def taskforces_of(store: Store, workflow_id: str) -> list[tuple[Stored, TaskforceDocument]]:
    """All taskforces of a workflow."""
    found = await find_all(store, TASKFORCES, {"workflow_id": workflow_id})
    return [(stored, TaskforceDocument.model_validate(stored.body)) for stored in found]


async def log_of(store: Store, uuid: str) -> list[Document]:
    """The whole log of a taskforce, oldest entry first."""
    entries: list[Document] = []
    last = 0
    while part := await store.log(uuid, after=last, limit=_PAGE):
        entries += (entry for _, entry in part)
        last = part[-1][0]
        if len(part) < _PAGE:
            break
    return entries


async def _one(store: Store, collection: str, key: str, kind: type[M], what: str) -> tuple[Stored, M]:
    stored = await store.get(collection, key)
    if stored is None:
        raise not_found(what)
    return stored, kind.model_validate(stored.body)
