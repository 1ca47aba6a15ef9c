"""Takes in new workflows: checked, within the owner's quota, and once, however often they are sent."""

from __future__ import annotations

import asyncio

from ewms.core.errors import Conflict
from ewms.core.service.new_workflow import NewWorkflow
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import FILES
from ewms.stores.store import Change, Insert
from ewms.wms.access.caller import Caller
from ewms.wms.service.admission import Admitted, admit
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.repeats import Repeat, digest_of, first, insertion
from ewms.wms.service.state import ServiceState
from ewms.wms.service.submission import submit
from ewms.wms.service.uploads import known
from ewms.wms.service.webhook_addresses import check_webhook, resolved


async def submit_new(state: ServiceState, caller: Caller, request: NewWorkflow, key: str | None) -> WorkflowDocument:
    """Write a new workflow with all that belongs to it, or give the one that was submitted under this key before.

    Parameters
    ----------
    key
        Chosen by the client, one for each submission; None for none.

    Raises
    ------
    UsageError
        Something is wrong with it, told in one line.
    Forbidden
        It is above the owner's quota.
    Conflict
        The key was used for something else.
    """
    if key is not None and (workflow_id := await first(state.store, caller.name, key, request)) is not None:
        return (await workflow_of(state.store, caller, workflow_id))[1]
    allowed = state.configuration.webhooks.allow
    hooks = [check_webhook(url, allowed) for url in request.webhooks]
    await asyncio.gather(*(resolved(hook, allowed) for hook in hooks))
    uploads = await known(state, caller.name, request.files.values())
    admitted = await asyncio.to_thread(admit, state, caller.name, request, uploads)
    workflow = admitted.submission.workflow
    try:
        async with state.quotas.one_more_workflow(caller.name, request.most_workers):
            await submit(state.store, state.news, admitted.submission, *_beside(admitted, request, key))
    except Conflict:
        if key is None or (workflow_id := await first(state.store, caller.name, key, request)) is None:
            raise
        return (await workflow_of(state.store, caller, workflow_id))[1]  # the same request, at the same time
    return workflow


def _beside(admitted: Admitted, request: NewWorkflow, key: str | None) -> list[Change]:
    """What is written together with the workflow."""
    workflow = admitted.submission.workflow
    changes: list[Change] = [
        Insert(collection=FILES, key=file.key, body=file.model_dump(mode="json")) for file in admitted.files
    ]
    if key is not None:
        repeat = Repeat(
            owner=workflow.owner,
            digest=digest_of(request),
            workflow_id=workflow.workflow_id,
            timestamp=workflow.timestamp,
        )
        changes.append(insertion(key, repeat))
    return changes
