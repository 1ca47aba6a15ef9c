"""Server-sent events: what changes of workflows, for as long as somebody listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, NamedTuple

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
from ewms.wms.service.watcher import Sight

_HEARTBEAT_SECONDS = 15.0
_HEARTBEAT = b": still here\n\n"
_HAS_ENDED = FINAL | {WorkflowState.FAILED}


class Manner(NamedTuple):
    """How somebody wants to be told."""

    every: float = 0.0
    """Least seconds between two messages; what comes meanwhile is put together."""
    summary: bool = False
    """Of one workflow, not its whole document, but what changes while it runs."""
    stay: bool = False
    """Beyond the end of the workflow: a replay may re-open it."""


def check_room(state: ServiceState) -> None:
    """`HTTPException` 503 where there are as many listeners as the service bears."""
    if state.watch.is_full:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "there are too many listeners; ask from time to time instead")


async def workflow_events(
    state: ServiceState, caller: Caller, stored: Stored, last: str | None, manner: Manner
) -> AsyncIterator[bytes]:
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
        version = stored.version
        if last != str(version):
            yield _told(Sight(0, version, workflow, {}), manner)
        while manner.stay or workflow.state not in _HAS_ENDED:
            await watcher.rest(manner.every)
            sights = await watcher.sights(_HEARTBEAT_SECONDS)
            if state.stopping.is_set():
                return
            news = [_told(sight, manner) for sight in sights if sight.version > version]
            if sights:
                version, workflow = max(version, sights[-1].version), sights[-1].workflow
            yield b"".join(news) or _HEARTBEAT


def _told(sight: Sight, manner: Manner) -> bytes:
    if manner.summary:
        return _event("workflow", str(sight.version), sight.summary)
    rates = _event("rates", None, _json(sight.rates)) if sight.number else b""
    return _event("workflow", str(sight.version), sight.document) + rates


async def all_events(state: ServiceState, caller: Caller, last: str | None, manner: Manner) -> AsyncIterator[bytes]:
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
            yield _event("reset", None, "{}")
        for key in changed or ():
            stored = await state.store.get(WORKFLOWS, key)
            if stored is not None and may_see(caller, str(stored.body["owner"])):
                sight = Sight(0, stored.version, WorkflowDocument.model_validate(stored.body), {})
                yield _event("workflow", None, sight.summary)
        while not state.stopping.is_set():
            await watcher.rest(manner.every)
            sights = await watcher.sights(_HEARTBEAT_SECONDS)
            parts = (_event("workflow", f"{state.watch.session}-{sight.number}", sight.summary) for sight in sights)
            yield b"".join(parts) or _HEARTBEAT


def _event(kind: str, identity: str | None, data: str) -> bytes:
    return format_sse_event(event=kind, id=identity, data_str=data)


def _json(data: Any) -> str:
    return pydantic_core.to_json(data).decode()
