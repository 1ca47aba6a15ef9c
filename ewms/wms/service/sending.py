"""Events that are sent to an open workflow over REST: into its public queue, as anybody's with a client of the broker."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from ewms.core.errors import Conflict, InputError
from ewms.core.ids import check_event_id
from ewms.core.service.phases import Wish
from ewms.core.service.workflow import WorkflowDocument
from ewms.wms.service.state import ServiceState

_AT_ONCE = 100


def _id(text: str) -> str:
    try:
        return check_event_id(text)
    except InputError as error:
        raise ValueError(str(error)) from None


class SentEvent(BaseModel):
    """One event."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, AfterValidator(_id)]
    """Unique in its queue; a repeat with the same body does no harm."""
    body: Any
    """As JSON, or base64 of what the codec wrote."""
    codec: Literal["json", "bytes"] = "json"
    """What the body is."""


async def send(state: ServiceState, workflow: WorkflowDocument, queue: str | None, events: Sequence[SentEvent]) -> None:
    """Return when the broker has all events.

    Raises
    ------
    InputError
        There is no such queue, or a body is not what its codec says.
    Conflict
        The workflow takes no events now.
    HTTPException
        429: it has enough to do for now.
    """
    name = _queue(workflow, queue)
    if workflow.deactivated is not None or workflow.wish in {Wish.CANCEL, Wish.FINISH}:
        raise Conflict(f"workflow {workflow.workflow_id} takes no more events: it was finished or cancelled")
    if not workflow.active:
        raise Conflict(f"workflow {workflow.workflow_id} is {workflow.state} and takes no events now; try again in a moment")
    await _check_room(state, workflow, name)
    bodies = [_body(event) for event in events]
    for start in range(0, len(events), _AT_ONCE):
        part = zip(events[start : start + _AT_ONCE], bodies[start : start + _AT_ONCE], strict=True)
        await asyncio.gather(*(state.broker.publish(name, body, event.id) for event, body in part))


def _queue(workflow: WorkflowDocument, queue: str | None) -> str:
    """The broker's name of a public input queue."""
    inputs = {
        name: public for name, public in workflow.public.items() if name in {task.input for task in workflow.spec.tasks}
    }
    if not inputs:
        raise InputError(f"workflow {workflow.workflow_id} takes no events from outside; submit one with open = true")
    if queue is None and len(inputs) == 1:
        return next(iter(inputs.values()))
    if queue not in inputs:
        raise InputError(f"queue {queue!r:.80} is none that takes events; name one of {', '.join(inputs)}")
    return inputs[queue]


def _body(event: SentEvent) -> bytes:
    if event.codec == "json":
        return pydantic_core.to_json(event.body, inf_nan_mode="constants")
    try:
        return base64.b64decode(event.body, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise InputError(f"the body of event {event.id} is not base64") from None


async def _check_room(state: ServiceState, workflow: WorkflowDocument, name: str) -> None:
    """Events wait at the sender, not by millions at the broker."""
    if not state.broker.capabilities.tells_depth:
        return
    ready = (await state.broker.depth(name)).ready
    if ready > workflow.spec.window:
        raise HTTPException(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"{ready} events wait in the queue already; try again in a moment",
            headers={"Retry-After": "1"},
        )
