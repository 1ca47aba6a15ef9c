"""Events sent to a workflow at a service while results come back: `map`, and `run` with events."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pydantic_core

from ewms.client.connection import ServiceBusy
from ewms.client.outcomes import Ended
from ewms.client.remote_workflow import RemoteWorkflow
from ewms.core import codecs
from ewms.core.errors import Conflict, EventFailed, EwmsError
from ewms.core.event import Event

_AHEAD = 8192
"""Inputs taken from the caller's iterable before the result of the first of them has been taken."""
_AT_ONCE = 500
_MAX_BYTES = 2 << 20
_SECONDS = 0.1
_PAUSE_SECONDS = 0.1
_PATIENCE_SECONDS = 2.0


def encoded(number: int, item: Any) -> dict[str, Any]:
    """An event as the service takes it; a body gets its index as id. `PayloadError` for what has no codec."""
    event = item if isinstance(item, Event) else Event(id=str(number), body=item)
    codec, data = codecs.encode(event.body)
    sent: dict[str, Any] = {"id": event.id}
    if event.headers:
        sent["headers"] = event.headers
    if codec == "json":
        return sent | {"body": pydantic_core.from_json(data)}
    return sent | {"body": base64.b64encode(data).decode(), "codec": codec}


def feed(workflow: RemoteWorkflow, events: Iterable[Any], room: threading.Semaphore | None = None) -> None:
    """Send all events, and say that there are no more; returns early if the workflow ends before.

    Parameters
    ----------
    room
        Acquired for each event.
    """
    batch: list[dict[str, Any]] = []
    size, since = 0, time.monotonic()
    for number, item in enumerate(events):
        if room is not None and not room.acquire(blocking=False):
            if batch and not _send(workflow, batch):
                return
            batch, size = [], 0
            room.acquire()
        batch.append(encoded(number, item))
        size += len(str(batch[-1]["body"]))
        if len(batch) >= _AT_ONCE or size > _MAX_BYTES or time.monotonic() - since > _SECONDS:
            if not _send(workflow, batch):
                return
            batch, size, since = [], 0, time.monotonic()
    if (not batch or _send(workflow, batch)) and not workflow.status().has_ended:
        workflow.finish()


def _send(workflow: RemoteWorkflow, batch: list[dict[str, Any]]) -> bool:
    """Send events as soon as the workflow takes them; False if it has ended."""
    while True:
        try:
            workflow.send(batch)
            return True
        except (Conflict, ServiceBusy):  # its queues are not there yet, or not any more, or hold enough for now
            if workflow.status().has_ended:
                return False
            time.sleep(_PAUSE_SECONDS)


class _Feeder(threading.Thread):
    """Feeds beside the caller who takes results."""

    def __init__(self, workflow: RemoteWorkflow, inputs: Iterable[Any]) -> None:
        super().__init__(name="ewms-feed", daemon=True)
        self.room = threading.Semaphore(_AHEAD)
        self.closed = False
        self.error: Exception | None = None
        self._workflow = workflow
        self._inputs = inputs

    def run(self) -> None:
        """Until the inputs end, or nobody wants them any more."""
        try:
            feed(self._workflow, self._wanted(), self.room)
        except Exception as error:  # noqa: BLE001  the caller's iterable may raise anything; it is raised again there
            self.error = error
            give_up(self._workflow)

    def _wanted(self) -> Iterator[Any]:
        for item in self._inputs:
            if self.closed:
                return
            yield item

    def close(self) -> None:
        """Stop feeding soon."""
        self.closed = True
        self.room.release()


def results(submit: Callable[[], RemoteWorkflow], inputs: Iterable[Any], *, ordered: bool) -> Iterator[Any]:
    """What became of each input, as `ewms.map` yields it; the workflow is cancelled when the caller stops early.

    Parameters
    ----------
    submit
        Called when the first result is asked for.
    """
    workflow = submit()
    feeder = _Feeder(workflow, inputs)
    feeder.start()
    is_over = False
    try:
        ended = workflow.outcomes()
        for each in _in_order(ended) if ordered else ended:
            feeder.room.release()
            yield _value(each)
        if feeder.error is not None:
            raise feeder.error
        workflow.wait()
        is_over = True
    finally:
        feeder.close()
        if not is_over:
            give_up(workflow)
        feeder.join(_PATIENCE_SECONDS)  # the caller's iterable may take its time


def give_up(workflow: RemoteWorkflow) -> None:
    """Cancel it, if that is still possible: what came before matters more to the caller."""
    with contextlib.suppress(EwmsError):
        workflow.cancel()


def _in_order(ended: Iterable[Ended]) -> Iterator[Ended]:
    waiting: dict[int, Ended] = {}
    following = 0
    for each in ended:
        waiting[int(each.id)] = each
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def _value(each: Ended) -> Any:
    if each.reason is not None:
        raise EventFailed(f"input {each.id}: {each.reason}")
    return each.value
