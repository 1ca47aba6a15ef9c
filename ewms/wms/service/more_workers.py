"""A further taskforce for a task that has some already."""

from __future__ import annotations

import secrets

from ewms.core.query import Query
from ewms.core.service.locations import Location
from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.transitions import PhaseEntry, created
from ewms.core.service.translation import LATE_PRIORITY, added_taskforce
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import TASKFORCES
from ewms.stores.store import Store
from ewms.wms.service.permission import not_found
from ewms.wms.service.state import ServiceState
from ewms.wms.service.submission import new_taskforce


async def add_taskforce(
    state: ServiceState, workflow: WorkflowDocument, task_id: str, location: Location, workers: int | None
) -> tuple[TaskforceDocument, PhaseEntry]:
    """A taskforce like those of a directive, ahead of those that came with the workflow, and with what its log begins.

    Parameters
    ----------
    workflow
        Whose directive it is; it has not ended.
    """
    added = added_taskforce(
        await _model(state.store, task_id),
        location,
        workers,
        priority=workflow.priority + LATE_PRIORITY,
        now=state.clock(),
        entropy=lambda: secrets.token_bytes(4),
    )
    if workflow.active:
        added = added.model_copy(update={"phase": Phase.PRE_LAUNCH})
    entry = created(added, "User", "workers were added")
    await state.store.write(*new_taskforce(added, entry))
    await state.news.publish(TASKFORCES, added.taskforce_uuid)
    return added, entry


async def _model(store: Store, task_id: str) -> TaskforceDocument:
    """Some taskforce of a directive: all of them ask for the same."""
    page = await store.find(TASKFORCES, Query.parse({"task_id": task_id}), limit=1)
    if not page.items:
        raise not_found(f"taskforce of task directive {task_id}, whose like could be added")
    return TaskforceDocument.model_validate(page.items[0].body)
