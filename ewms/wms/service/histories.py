"""What happened to single events: their attempts, with what these left on stdout and stderr."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict

from ewms.core.errors import InputError, NotFound
from ewms.core.event import Attempt
from ewms.stores.base import EventRow
from ewms.wms.hosting import NO_OUTPUTS, decode_outputs
from ewms.wms.service.journals import Reading
from ewms.wms.service.listing import Listing


class LogEntry(BaseModel):
    """What one unsuccessful attempt left."""

    model_config = ConfigDict(frozen=True)

    task: str
    """The task."""
    id: str
    """The event's id."""
    attempt: int
    """Which attempt, from 1."""
    kind: str
    """`failed`, `vanished` or `returned`."""
    reason: str
    """One line that tells why."""
    pilot: str
    """Who reported it."""
    host: str
    """Where that was."""
    stdout: str
    """The end of it."""
    stderr: str
    """The end of it."""
    traceback: str
    """Of a Python consumer."""


class EventHistory(BaseModel):
    """One event, from its planning to its end."""

    model_config = ConfigDict(frozen=True)

    task: str
    """The task that it is for."""
    id: str
    """Its id."""
    state: str
    """`unfinished`, `accepted` or `dead`."""
    reason: str | None
    """Why it was given up on."""
    body: Any
    """What the task gets."""
    outputs: list[Any]
    """What came of it."""
    attempts: list[dict[str, Any]]
    """Every unsuccessful attempt, oldest first, in full."""


def log_page(found: Reading, task: str | None, event_id: str | None, after: int, limit: int) -> Listing[LogEntry]:
    """Unsuccessful attempts, oldest first; all are counted, and those of the page are kept. Synchronous.

    Parameters
    ----------
    task, event_id
        Only those of this task, of events with this id.
    after
        How many to skip: attempts are only ever added.
    """
    wanted, names = None if task is None else found.task(task), found.names
    items: list[LogEntry] = []
    total = 0
    for number, event, attempt in found.journal.attempts():
        if wanted in {None, number} and event_id in {None, event}:
            if after <= total < after + limit:
                items.append(_entry(names[number], event, attempt))
            total += 1
    end = after + len(items)
    return Listing(items=items, after=str(end) if end < total else None, total=total)


def event_history(found: Reading, task: str, event_id: str) -> EventHistory:
    """All that is known of an event; `NotFound` if it was never planned. Synchronous."""
    try:
        number = found.task(task)
    except InputError as error:
        raise NotFound(str(error)) from error
    terminal = found.journal.find(number, event_id)
    pending = None if terminal else found.journal.find_pending(number, event_id)
    if terminal is not None:
        outputs = [
            found.bodies.shown(output.codec, output.data) for output in decode_outputs(terminal.outputs or NO_OUTPUTS)
        ]
        state = "accepted" if terminal.reason is None else "dead"
        return _history(found, terminal.event, state, terminal.reason, outputs)
    if pending is not None:
        return _history(found, pending.event, "unfinished", None, [])
    raise NotFound(f"task {task:.80} has no event {event_id!r:.220}")


def _history(found: Reading, event: EventRow, state: str, reason: str | None, outputs: list[Any]) -> EventHistory:
    return EventHistory(
        task=found.names[event.task],
        id=event.id,
        state=state,
        reason=reason,
        body=found.bodies.shown(event.codec, event.data),
        outputs=outputs,
        attempts=[msgspec.to_builtins(attempt) for attempt in found.journal.history(event.seq)],
    )


def _entry(task: str, event_id: str, attempt: Attempt) -> LogEntry:
    tails = {name: str(attempt.detail.get(name, "")) for name in ("stdout", "stderr", "traceback")}
    return LogEntry(
        task=task,
        id=event_id,
        attempt=attempt.attempt,
        kind=attempt.kind,
        reason=attempt.reason,
        pilot=attempt.pilot,
        host=attempt.host,
        **tails,
    )
