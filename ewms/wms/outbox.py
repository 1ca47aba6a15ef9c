"""What is to be sent: bundles ready events into messages and knows which messages are out."""

from __future__ import annotations

import heapq
import itertools
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from ewms.brokers.base import Message
from ewms.core import wire
from ewms.core.bundling import RunTime, bundle_size, full_bundle, is_short, messages_ahead
from ewms.core.lifecycle import Phase, on_copied, on_lost, on_sent
from ewms.core.spec import TaskSpec
from ewms.wms.tracked import Tracked

_FLIGHTS_FLOOR = 64
_FLIGHTS_PER_SLOT = 4
_SHORT_FLIGHTS = 512
"""More of them where messages are so short that pilots hold some in line."""
_SHORT_AT_ONCE = 128
"""So many of which are sent together, because a broker syncs them together."""
_OVERHEAD = 64
_STRAGGLER_FACTOR = 3.0
_STRAGGLER_FLOOR = 1.0
_PLANNED = Phase.PLANNED


class OutMessage(Message, frozen=True):
    """A message to publish: an encoded `wire.WorkMessage` under an id made of epoch and number."""

    contents: bytes
    """Which attempts at which events are in it, packed."""


@dataclass(slots=True, eq=False)
class Flight:
    """A message that still needs reports."""

    task: int
    """Index of its task."""
    events: list[Tracked]
    """What is in it."""
    left: set[str]
    """Ids of the events that were not reported yet."""
    since: float
    """When it was formed, on the caller's monotonic clock."""
    copy: bool
    """Whether it is speculative."""
    alone: bool
    """Whether its loss can be its event's fault: it never held more than one, and did not wait in line with others."""
    lined: bool = False
    """Whether it may wait in a pilot's line."""


def pack(events: Iterable[Tracked]) -> bytes:
    """Sequence numbers and attempts as bytes."""
    return array("Q", [number for item in events for number in (item.event.seq, item.life.attempt)]).tobytes()


def unpack(data: bytes) -> list[tuple[int, int]]:
    """The pairs of sequence number and attempt that `pack` wrote."""
    numbers = array("Q", data)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


class Outbox:
    """Ready events, delayed retries, and messages that are out.

    Parameters
    ----------
    tasks
        In topological order; downstream events are sent first, which keeps what lies between tasks small.
    epoch
        The driver's epoch: makes message ids unique over restarts.
    max_bytes
        Most bytes of bodies in one message.
    """

    def __init__(self, tasks: Sequence[TaskSpec], epoch: int, max_bytes: int) -> None:
        self.slots = 1
        self.run_times = [RunTime() for _ in tasks]
        self.flights: dict[str, Flight] = {}
        self._tasks = tasks
        self._max_bytes = max_bytes
        self._ids = (f"{epoch:x}.{number:x}" for number in itertools.count(1))
        self._ready: list[deque[Tracked]] = [deque() for _ in tasks]
        self._singles: list[deque[Tracked]] = [deque() for _ in tasks]
        self._lined = 0
        self._spare_since: float | None = None
        self._delayed: list[tuple[float, int, Tracked]] = []
        self._limits = [None if task.bundle == "auto" else int(task.bundle) for task in tasks]

    @property
    def idle(self) -> bool:
        """Nothing waits to be sent."""
        return not (any(self._ready) or any(self._singles) or self._delayed)

    @property
    def next_due(self) -> float | None:
        """When the next delayed retry may be sent."""
        return self._delayed[0][0] if self._delayed else None

    def add(self, tracked: Tracked, due: float | None = None) -> None:
        """An event waits to be sent, `due` not before that time."""
        if due is not None:
            heapq.heappush(self._delayed, (due, tracked.event.seq, tracked))
        else:
            queue = self._singles if tracked.life.single else self._ready
            queue[tracked.event.task].append(tracked)

    def restore(self, message_id: str, tracked: Tracked, now: float) -> None:
        """An event is out in a message that a former driver sent."""
        on_sent(tracked.life)
        flight = self.flights.setdefault(message_id, Flight(tracked.event.task, [], set(), now, copy=False, alone=False))
        flight.events.append(tracked)
        flight.left.add(tracked.event.id)

    def settle(self, message_id: str, reported: Iterable[str]) -> bool:
        """These events of a message were reported, perhaps not for the first time; whether none is left now."""
        flight = self.flights.get(message_id)
        if flight is None:
            return False
        flight.left.difference_update(reported)
        if flight.left:
            return False
        self._lined -= flight.lined
        del self.flights[message_id]
        return True

    def form(self, now: float) -> list[OutMessage]:
        """Messages to publish now, as many as pilots can have use for soon."""
        while self._delayed and self._delayed[0][0] <= now:
            self.add(heapq.heappop(self._delayed)[2])
        messages: list[OutMessage] = []
        room = _FLIGHTS_FLOOR + _FLIGHTS_PER_SLOT * self.slots
        for task in reversed(range(len(self._tasks))):
            singles = self._singles[task]
            while singles and len(self.flights) - self._lined < room:
                self._launch(task, self._take(singles, 1), now, messages)
            self._form(task, now, room, messages)
        return messages

    def _form(self, task: int, now: float, room: int, messages: list[OutMessage]) -> None:
        """Messages of events that are not suspected of anything."""
        ready, run_time, limit = self._ready[task], self.run_times[task], self._limits[task]
        size, full = bundle_size(run_time, len(ready), self.slots, limit), full_bundle(run_time, limit)
        free, ahead = room - (len(self.flights) - self._lined), 0
        if is_short(run_time, size):
            free = room + _SHORT_FLIGHTS - self._lined
            if free < min(len(ready), _SHORT_AT_ONCE):
                return
            out = len(self.flights) + min(free, len(ready) // size) if len(ready) >= full else 2 * self.slots
            ahead = messages_ahead(run_time, size, out, self.slots)
        most = len(self.flights) + free
        while ready and len(self.flights) < most:
            if len(ready) < full and len(self.flights) >= 2 * self.slots:
                break  # the slots are busy, so there is time for a fuller message
            self._launch(task, self._take(ready, size), now, messages, ahead=ahead)

    def copies(self, now: float) -> list[OutMessage]:
        """Speculative copies for slots that would idle: of messages that take far longer than events like theirs did."""
        spare = self.slots - len(self.flights)
        if spare <= 0:
            self._spare_since = None
            return []
        if self._spare_since is None:
            self._spare_since = now
        messages: list[OutMessage] = []
        for flight in list(self.flights.values()):
            if len(messages) >= spare:
                break
            mean = self.run_times[flight.task].mean
            if flight.copy or mean is None or not self._tasks[flight.task].speculate:
                continue
            # Before there was a slot to spare, a message may have waited at the broker for its turn.
            if now - max(flight.since, self._spare_since) < _STRAGGLER_FLOOR + _STRAGGLER_FACTOR * mean * len(flight.events):
                continue
            stragglers = [
                tracked for tracked in flight.events if tracked.event.id in flight.left and on_copied(tracked.life)
            ]
            self._launch(flight.task, stragglers, now, messages, copy=True)
        return messages

    def resend(self) -> list[str]:
        """The broker turned out to hold none of the messages that are out: their events are sent again, in new ones."""
        flights, self.flights, self._lined = self.flights, {}, 0
        for flight in flights.values():
            for tracked in flight.events:
                if on_lost(tracked.life):
                    self.add(tracked)
        return list(flights)

    def _take(self, queue: deque[Tracked], count: int) -> list[Tracked]:
        taken: list[Tracked] = []
        size, max_bytes = 0, self._max_bytes
        while queue and len(taken) < count:
            tracked = queue[0]
            size += len(tracked.event.data) + _OVERHEAD
            if size > max_bytes and taken:
                break
            queue.popleft()
            if tracked.life.phase is _PLANNED:
                taken.append(tracked)
        return taken

    def _launch(
        self,
        task: int,
        events: list[Tracked],
        now: float,
        messages: list[OutMessage],
        *,
        copy: bool = False,
        ahead: int = 0,
    ) -> None:
        if not events:
            return
        if not copy:
            self._spare_since = None
        message_id = next(self._ids)
        work = []
        for tracked in events:
            event, life = tracked.event, tracked.life
            headers = msgspec.msgpack.decode(event.headers) if event.headers else None
            work.append(wire.WorkEvent(event.id, event.codec, event.data, life.attempt, headers))
            on_sent(life)
        body = wire.encode(wire.WorkMessage(wire.PROTOCOL, message_id, self._tasks[task].name, copy, work, ahead))
        left = {tracked.event.id for tracked in events}
        self.flights[message_id] = Flight(
            task, events, left, now, copy, alone=len(events) == 1 and not ahead, lined=ahead > 0
        )
        self._lined += ahead > 0
        messages.append(OutMessage(message_id, body, pack(events)))
