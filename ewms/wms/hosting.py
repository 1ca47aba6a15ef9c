"""The application as the driver sees it: typed calls with encoded bodies on both sides, its errors explained."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import msgspec

from ewms import blobs
from ewms.blobs import BlobStore
from ewms.core import codecs, wire
from ewms.core.application import Application
from ewms.core.errors import ApplicationError, EwmsError, InputError
from ewms.core.event import Attempt, DeadLetter, Event, Outcome
from ewms.core.graph import Graph
from ewms.core.ids import MAX_EVENT_ID, check_event_id
from ewms.core.plain import plain_payload
from ewms.stores.base import EventRow
from ewms.wms.routing import NewEvent, answer_rank, public_rank, source_rank

_decode_outputs = msgspec.msgpack.Decoder(list[wire.WireOutput]).decode


class Host:
    """Hosts one application: decodes what it gets, checks and encodes what it sends.

    Parameters
    ----------
    application
        The user's object.
    graph
        Tells which task an event's queue belongs to.
    store
        Where large bodies go.
    independent_start
        `start()` shares no state with the other methods, so that it may run, and wait, beside them.
    """

    def __init__(
        self,
        application: Application[Any, Any, Any],
        graph: Graph,
        store: BlobStore,
        *,
        independent_start: bool = False,
    ) -> None:
        self.application = application
        self._graph = graph
        self.store = store
        """Where large bodies are."""
        self._task_of: dict[str, int] = {}
        self._names = [task.name for task in graph.tasks]
        kind = type(application)
        self.listens = kind.advance is not Application.advance or kind.buried is not Application.buried
        """Whether outcomes matter to it; otherwise they need not even be decoded."""
        self.shows = kind.snapshot is not Application.snapshot or kind.status is not Application.status
        """Whether it has something to show while it runs."""
        self._lock = threading.Lock()
        self._status = ""
        self._start_lock: AbstractContextManager[Any] = nullcontext() if independent_start else self._lock

    def context(self) -> dict[str, bytes]:
        """The files that all events share; `ApplicationError` where a name is not that of a file."""
        files = dict(self._explained("context", self.application.context))
        for name in files:
            if not name or "/" in name or name in {".", ".."}:
                raise ApplicationError(
                    f"{type(self.application).__name__}.context() names '{name}', which is no plain file name"
                )
        return files

    def source(self, skip: int = 0) -> Iterator[NewEvent]:
        """The events of `start()`, encoded, without the first ones. Lazy."""
        following = iter(self._explained("start", self.application.start)).__next__
        number = 0
        while True:
            try:
                with self._start_lock:
                    event = following()
            except StopIteration:
                return
            except Exception as error:
                raise explain(type(self.application).__name__, "start", error) from error
            if number >= skip:
                yield self._encoded(event, source_rank(number))
            number += 1

    def received(self, task: int, messages: Sequence[tuple[str, bytes]]) -> list[NewEvent]:
        """Events from messages of somebody else's: ids, already checked, and bodies."""
        spec = self._graph.tasks[task]
        return [
            NewEvent(task, name, public_rank(name), *self.store.shrink(plain_payload(spec, body))) for name, body in messages
        ]

    def advance(self, event: EventRow, outputs: list[wire.WireOutput], *, many: bool) -> list[NewEvent]:
        """What the application answers to an accepted result."""
        values = tuple(blobs.load(output.codec, output.data) for output in outputs)
        outcome = Outcome(id=event.id, task=self._names[event.task], values=values, many=many)
        return self._answers("advance", lambda: self.application.advance(outcome))

    def buried(self, event: EventRow, reason: str, history: list[Attempt]) -> list[NewEvent]:
        """What the application answers to a dead letter."""
        letter = dead_letter(event, self._names[event.task], reason, history)
        return self._answers("buried", lambda: self.application.buried(letter))

    def assemble(self) -> Any:
        """The product."""
        with self._lock:
            return self._explained("assemble", self.application.assemble)

    def snapshot(self) -> Any:
        """The partial product."""
        with self._lock:
            return self._explained("snapshot", self.application.snapshot)

    def status(self) -> str:
        """The application's word on its progress; its last one while it is busy. Never waits."""
        if self._lock.acquire(blocking=False):
            try:
                self._status = str(self._explained("status", self.application.status))
            finally:
                self._lock.release()
        return self._status

    def summary(self) -> dict[str, Any]:
        """The application's own part of the summary."""
        return dict(self._explained("summary", self.application.summary))

    def _answers(self, method: str, call: Callable[[], Iterable[Event]]) -> list[NewEvent]:
        with self._lock:
            events = self._explained(method, lambda: list(call() or ()))
        return [self._encoded(event) for event in events]

    def _encoded(self, event: Any, rank: bytes | None = None) -> NewEvent:
        if not isinstance(event, Event):
            raise ApplicationError(
                f"application {type(self.application).__name__} sent a {type(event).__name__}; it must send ewms.Event"
            )
        task = self._task_of.get(event.queue)
        if task is None:
            task = self._task_of[event.queue] = self._names.index(self._graph.task_reading(event.queue))
        payload = codecs.encode(event.body)
        if len(payload.data) > self.store.threshold:
            payload = self.store.shrink(payload)
        codec, data = payload
        headers = msgspec.msgpack.encode(event.headers) if event.headers else None
        event_id = event.id
        # Most ids are numbers or plain words, which takes the half of the time to see.
        if not (type(event_id) is str and len(event_id) <= MAX_EVENT_ID and event_id.isalnum() and event_id.isascii()):
            check_event_id(event_id)
        return NewEvent(task, event_id, rank or answer_rank(event_id), codec, data, headers)

    def _explained(self, method: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            raise explain(type(self.application).__name__, method, error) from error


def explain(application: str, method: str, error: Exception) -> EwmsError:
    """What to raise for something that application code raised; it fails the workflow, resumably."""
    if isinstance(error, EwmsError):
        return error
    if isinstance(error, OSError):
        return InputError(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
    last = traceback.extract_tb(error.__traceback__)[-1]
    return ApplicationError(
        f"application {application}.{method} raised {type(error).__name__}: {error} ({last.filename}:{last.lineno})"
    )


def dead_letter(event: EventRow, task: str, reason: str, history: Sequence[Attempt]) -> DeadLetter:
    """A dead letter as application code and users see it."""
    body = blobs.load(event.codec, event.data)
    return DeadLetter(id=event.id, task=task, reason=reason, history=tuple(history), body=body)


NO_OUTPUTS = msgspec.msgpack.encode([])


def decode_outputs(data: bytes | msgspec.Raw) -> list[wire.WireOutput]:
    """Outputs as the journal keeps them."""
    return _decode_outputs(data)
