"""Where the outputs of a task go: the graph's edges, applied to one result."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

import msgspec

from ewms.core import wire
from ewms.core.errors import SpecError
from ewms.core.graph import Graph
from ewms.core.ids import child_event_id
from ewms.stores.base import EventRow

_SOURCE_RANK = struct.Struct(">Q")
_CHILD_RANK = struct.Struct(">HI")
_LAST_SOURCE_RANK = b"\xff" * _SOURCE_RANK.size
_PUBLIC_RANK = _LAST_SOURCE_RANK + b"\1"


class NewEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that is to be planned."""

    task: int
    """Index of its task."""
    id: str
    """Checked by whoever made it."""
    rank: bytes
    """Event order."""
    codec: str
    """How `data` is encoded."""
    data: bytes
    """Encoded body."""
    headers: bytes | None = None
    """Encoded headers."""

    def numbered(self, seq: int) -> EventRow:
        """The event as the journal knows it."""
        return EventRow(seq, self.task, self.id, self.rank, self.codec, self.data, self.headers)


def source_rank(number: int) -> bytes:
    """The rank of the n-th event of the source, from 0."""
    return _SOURCE_RANK.pack(number)


def child_rank(parent: bytes, task: int, number: int) -> bytes:
    """The rank of a parent's n-th child at one task: after the parent, before the parent's successor."""
    return parent + _CHILD_RANK.pack(task, number)


def answer_rank(event_id: str) -> bytes:
    """The rank of an event that the application sent in answer to others: after the source, by id.

    Which outcome it answers depends on the order of arrival, so that cannot matter.
    """
    return _LAST_SOURCE_RANK + event_id.encode() + b"\0"


def public_rank(event_id: str) -> bytes:
    """The rank of an event from a public queue: after the source, before answers, by id, since messages have no order."""
    return _PUBLIC_RANK + event_id.encode() + b"\0"


def is_public_rank(rank: bytes) -> bool:
    """Whether an event came from a public queue itself, and is not a child of one that did."""
    return rank.startswith(_PUBLIC_RANK) and rank.find(b"\0", len(_PUBLIC_RANK)) == len(rank) - 1


def is_source_rank(rank: bytes) -> bool:
    """Whether an event came from the source."""
    return len(rank) == _SOURCE_RANK.size


def count_source_ranks(events: Iterable[NewEvent]) -> int:
    """How many of the events came from the source."""
    return [len(event.rank) for event in events].count(_SOURCE_RANK.size)


class Router:
    """Turns a result into the events that it becomes downstream."""

    def __init__(self, graph: Graph) -> None:
        self._index = {task.name: number for number, task in enumerate(graph.tasks)}
        self._names = [task.name for task in graph.tasks]
        self._outputs = [task.output for task in graph.tasks]
        self._reader = {queue: self._index[task] for queue, task in graph.reader.items()}
        self.ends = [not any(queue in graph.reader for queue in task.output) for task in graph.tasks]
        """For each task, whether its results go to nobody: they are the product."""

    def task_index(self, name: str) -> int | None:
        """The index of a task by name; None if there is none."""
        return self._index.get(name)

    def children(self, parent: EventRow, outputs: list[wire.WireOutput]) -> Iterator[NewEvent]:
        """The events that a result's outputs become; raises `SpecError` for a queue that the task does not write."""
        declared = self._outputs[parent.task]
        name = self._names[parent.task]
        for number, output in enumerate(outputs):
            if output.queue and output.queue not in declared:
                raise SpecError(
                    f"task '{name}' sent an output to queue '{output.queue}', which is not in its output = "
                    f"({', '.join(declared) or 'none'})"
                )
            for queue in (output.queue,) if output.queue else declared:
                reader = self._reader.get(queue)
                if reader is not None:
                    event_id = child_event_id(parent.id, name, number)
                    yield NewEvent(reader, event_id, child_rank(parent.rank, reader, number), output.codec, output.data)
