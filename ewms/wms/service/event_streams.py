"""Server-sent events: what changes of workflows, for as long as somebody listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pydantic_core
from fastapi.sse import format_sse_event
from starlette.exceptions import HTTPException

from ewms.core.service.phases import FINAL, WorkflowState
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Stored
from ewms.wms.access.caller import Caller
from ewms.wms.service.permission import may_see
from ewms.wms.service.state import ServiceState

_HEARTBEAT_SECONDS = 15.0
_HEARTBEAT = b": still here\n\n"
_SUMMARY = ("workflow_id", "name", "owner", "labels", "priority", "state", "reason", "counts", "tasks")
_HAS_ENDED = FINAL | {WorkflowState.FAILED}


def check_room(state: ServiceState) -> None:
    """`HTTPException` 503 where there are as many listeners as the service bears."""
    if state.watch.is_full:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "there are too many listeners; ask from time to time instead")


async def workflow_events(state: ServiceState, caller: Caller, stored: Stored, last: str | None) -> AsyncIterator[bytes]:
    """One workflow: its document at every change, until it has ended.

    Parameters
    ----------
    stored
        As it is now.
    last
        Version that the listener has already; None if it has none.
    """
    with state.watch.watcher(caller, stored.key) as watcher:
        workflow = WorkflowDocument.model_validate(stored.body)
        if last != str(stored.version):
            yield _event("workflow", str(stored.version), workflow.model_dump(mode="json"))
        version, is_over = stored.version, workflow.state in _HAS_ENDED
        while not is_over:
            sights = await watcher.sights(_HEARTBEAT_SECONDS, state.stopping)
            if state.stopping.is_set():
                return
            for sight in sights:
                if sight.version > version:
                    version, is_over = sight.version, sight.workflow.state in _HAS_ENDED
                    yield _event("workflow", str(version), sight.workflow.model_dump(mode="json"))
                    yield _event("rates", None, sight.rates)
            if not sights:
                yield _HEARTBEAT


async def all_events(state: ServiceState, caller: Caller, last: str | None) -> AsyncIterator[bytes]:
    """All workflows that the caller may see: a summary of each at every change.

    Parameters
    ----------
    last
        Id of the last event that the listener has. Where that is too long ago to tell what changed since, the first event
        is `reset`: list the workflows anew.
    """
    session, _, number = (last or "").rpartition("-")
    with state.watch.watcher(caller) as watcher:
        changed = state.watch.changed_since(int(number)) if session == state.watch.session and number.isdecimal() else None
        if changed is None:
            yield _event("reset", None, {})
        for key in changed or ():
            stored = await state.store.get(WORKFLOWS, key)
            if stored is not None and may_see(caller, str(stored.body["owner"])):
                yield _event("workflow", None, _summary(WorkflowDocument.model_validate(stored.body), stored.version, {}))
        while not state.stopping.is_set():
            sights = await watcher.sights(_HEARTBEAT_SECONDS, state.stopping)
            for sight in sights:
                summary = _summary(sight.workflow, sight.version, sight.rates)
                yield _event("workflow", f"{state.watch.session}-{sight.number}", summary)
            if not sights:
                yield _HEARTBEAT


def _summary(workflow: WorkflowDocument, version: int, rates: dict[str, float]) -> dict[str, Any]:
    return workflow.model_dump(mode="json", include=set(_SUMMARY)) | {"version": version, "rates": rates}


def _event(kind: str, identity: str | None, data: Any) -> bytes:
    return format_sse_event(event=kind, id=identity, data_str=pydantic_core.to_json(data).decode())
