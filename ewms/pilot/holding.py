"""A leased message, and what of it is still to be reported."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec

from ewms.brokers.base import Delivery
from ewms.core.wire import PROTOCOL, Failure, Kind, WorkEvent
from ewms.pilot.reasons import Detail
from ewms.pilot.worker.frames import array_head


class ProtocolMismatch(Exception):
    """A message is not of the protocol that this pilot speaks."""


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """`wire.WorkMessage` with its events left encoded: on the hot path only the worker needs them."""

    protocol: int
    message_id: str
    task: str
    copy: bool
    events: msgspec.Raw
    ahead: int = 0


_decode_head = msgspec.msgpack.Decoder(_Head).decode
_decode_events = msgspec.msgpack.Decoder(list[WorkEvent]).decode


class Holding:
    """One message in hand. Its events are known by their positions.

    Raises
    ------
    ProtocolMismatch
        The message cannot be read at all.
    """

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        try:
            self._head = _decode_head(delivery.body)
            if self._head.protocol != PROTOCOL:
                _ = self.events  # they can be given back if they are still understood
        except msgspec.MsgspecError as error:
            raise ProtocolMismatch(f"a message cannot be read as protocol {PROTOCOL}: {error}") from error
        self.message_id = self._head.message_id
        self.task = self._head.task
        self.copy = self._head.copy
        self.ahead = self._head.ahead
        if not self._count():
            raise ProtocolMismatch("a message without events came")
        self.todo: Sequence[int] = range(self._count())
        """Positions of the events that nothing was reported of, in the order in which they are run."""

    @property
    def is_retry(self) -> bool:
        """Whether it is a single event that did not succeed before."""
        return self._count() == 1 and self.events[0].attempt > 1

    def _count(self) -> int:
        return array_head(memoryview(self._head.events))[0]

    @property
    def protocol(self) -> int:
        """What the sender speaks."""
        return self._head.protocol

    @cached_property
    def events(self) -> list[WorkEvent]:
        """All events, decoded when first needed."""
        return _decode_events(self._head.events)

    @property
    def next_event(self) -> WorkEvent:
        """The first of those to do."""
        return self.events[self.todo[0]]

    def take(self, count: int) -> None:
        """The next `count` events are reported."""
        self.todo = self.todo[count:]

    def bring_forward(self, index: int) -> None:
        """Make the event that is `index` places ahead the next one."""
        todo = list(self.todo)
        self.todo = [todo.pop(index), *todo]

    def failure(self, position: int, kind: Kind, reason: str, detail: Detail | None = None) -> Failure:
        """The event at a position, as not successful."""
        event = self.events[position]
        return Failure(id=event.id, attempt=event.attempt, kind=kind, reason=reason, detail=detail or {})
