"""Dead letters of a workflow: listed in pages, and asked to be tried again."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

import msgspec

from ewms.core.errors import Conflict, InputError
from ewms.core.service.phases import Wish, WorkflowState
from ewms.core.service.workflow import ReplayRequest, WorkflowDocument
from ewms.stores.base import Terminal
from ewms.wms.access.caller import Caller
from ewms.wms.replay import selected
from ewms.wms.service.editing import edit_workflow
from ewms.wms.service.journals import Reading, look_into
from ewms.wms.service.listing import Listing
from ewms.wms.service.state import ServiceState

_AT_REST = frozenset({WorkflowState.COMPLETE, WorkflowState.FAILED})
Letter = dict[str, Any]
"""As in `dead_letters.jsonl`."""


def letters_page(found: Reading, after: str | None, limit: int) -> Listing[Letter]:
    """Dead letters in event order. Synchronous."""
    begin = (b"", -1, "") if after is None else _parse_cursor(after)
    behind = (terminal for terminal in found.journal.letters() if _place(terminal) > begin)
    page = list(itertools.islice(behind, limit + 1))
    items = [_letter(terminal, found) for terminal in page[:limit]]
    _, _, total = found.journal.counts()
    return Listing(items=items, after=_cursor(page[limit - 1]) if len(page) > limit else None, total=total)


async def ask_for_replay(
    state: ServiceState, caller: Caller, workflow: WorkflowDocument, task: str | None, event_ids: tuple[str, ...]
) -> tuple[ReplayRequest, int]:
    """Have the driver host try dead letters again; the request, and how many letters there are for it now.

    Raises `InputError` for letters that are not there, `Conflict` for a workflow that was cancelled.
    """
    request = ReplayRequest(request_id=f"RP-{secrets.token_hex(8)}", task=task, event_ids=event_ids)

    def count(found: Reading) -> int:
        return sum(1 for _ in selected(found.journal, found.names, task, event_ids))

    letters = await look_into(state, workflow, count, 0)
    if letters:
        await edit_workflow(state, caller, workflow.workflow_id, lambda document: _requested(document, request))
    elif event_ids:
        raise InputError(f"there is no dead letter {event_ids[0]!r:.220}")
    return request, letters


def _requested(workflow: WorkflowDocument, request: ReplayRequest) -> dict[str, Any]:
    if workflow.state is WorkflowState.CANCELLED or workflow.wish is Wish.CANCEL:
        raise Conflict(f"workflow {workflow.workflow_id} was cancelled, so nothing can be tried again; submit it anew")
    fields: dict[str, Any] = {"replay": (*workflow.replay, request)}
    if workflow.state in _AT_REST:
        fields |= {"state": WorkflowState.PENDING, "reason": ""}
    return fields


def _letter(terminal: Terminal, found: Reading) -> Letter:
    event = terminal.event
    return {
        "id": event.id,
        "task": found.graph.tasks[event.task].name,
        "reason": terminal.reason,
        "history": [msgspec.to_builtins(attempt) for attempt in found.journal.history(event.seq)],
        "body": found.bodies.shown(event.codec, event.data),
    }


def _place(terminal: Terminal) -> tuple[bytes, int, str]:
    return terminal.event.rank, terminal.event.task, terminal.event.id


def _cursor(terminal: Terminal) -> str:
    rank, task, event_id = _place(terminal)
    return f"{rank.hex()}.{task}.{event_id}"


def _parse_cursor(text: str) -> tuple[bytes, int, str]:
    try:
        rank, task, event_id = text.split(".", 2)
        return bytes.fromhex(rank), int(task), event_id
    except ValueError:
        raise InputError("after: no page of this listing ended there; begin anew") from None
