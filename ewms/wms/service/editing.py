"""Changes of workflows that people ask for, on whatever the document is by then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ewms.core.errors import Conflict
from ewms.core.service.wishes import check_unfinished
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Replace
from ewms.wms.access.caller import Caller
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.state import ServiceState
from ewms.wms.states import told

Edit = Callable[[WorkflowDocument], dict[str, Any]]
"""Gives the fields to change; nothing where all is as it should be. Raises where the document does not allow it."""


async def change_workflow(
    state: ServiceState, caller: Caller, workflow_id: str, fields: Mapping[str, Any]
) -> WorkflowDocument:
    """Change labels, priority or the most workers; the latter two only while it has not ended."""

    def edit(workflow: WorkflowDocument) -> dict[str, Any]:
        if fields.keys() - {"labels"}:
            check_unfinished(workflow, "changed")
        state.quotas.check_workers(workflow.owner, fields.get("workers") or 0)
        return {name: value for name, value in fields.items() if getattr(workflow, name) != value}

    return await edit_workflow(state, caller, workflow_id, edit)


async def edit_workflow(state: ServiceState, caller: Caller, workflow_id: str, edit: Edit) -> WorkflowDocument:
    """Change a workflow that the caller may see; it as it is then. `NotFound` where there is none."""
    while True:
        stored, before = await workflow_of(state.store, caller, workflow_id)
        fields = edit(before)
        if not fields:
            return before
        after = before.model_copy(update=fields)
        body = after.model_dump(mode="json")
        replace = Replace(collection=WORKFLOWS, key=workflow_id, version=stored.version, body=body)
        try:
            await state.store.write(replace, *told(before, after, state.clock()))
        except Conflict:
            continue  # the driver host was faster
        await state.news.publish(WORKFLOWS, workflow_id)
        return after
