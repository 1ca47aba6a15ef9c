"""What travels over the broker: work messages out, reports back, signals beside them. msgpack, never pickle.

Events are bundled into messages, outcomes into reports and reports into messages;
users see none of these. Structs are arrays on the wire:
a new field goes to the end with a default, anything else raises `PROTOCOL`.
"""

from __future__ import annotations

import enum

import msgspec

from ewms.core.cost import Cost

PROTOCOL = 1


class Kind(enum.IntEnum):
    """How an attempt ended when it did not end with a result."""

    FAILED = 1
    """The task raised, exited non-zero, crashed, timed out or broke its memory limit."""
    RETURNED = 2
    """The pilot drained and gives the event back unworked."""
    VANISHED = 3
    """The message came a second time: the pilot that had it is gone."""


class WorkEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event inside a work message."""

    id: str
    """Unique in its queue."""
    codec: str
    """How `data` is to be read; a leading `@` marks a blob reference."""
    data: bytes
    """The encoded body or reference."""
    attempt: int = 1
    """Number of this attempt, from 1."""
    headers: dict[str, str] | None = None
    """As given by the application."""


class WorkMessage(msgspec.Struct, frozen=True, array_like=True):
    """Some events for one task: the unit that a pilot leases and acks."""

    protocol: int
    """`PROTOCOL` of the sender."""
    message_id: str
    """Minted once; the broker drops a second publish under it."""
    task: str
    """Name of the task."""
    copy: bool
    """A speculative copy: its failures do not count."""
    events: list[WorkEvent]
    """At least one."""
    ahead: int = 0
    """Messages that a pilot may hold in line for each slot while it has this one: they are short."""


class WireOutput(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One output value."""

    codec: str
    """As in `WorkEvent`."""
    data: bytes
    """The encoded value or reference."""
    queue: str = ""
    """A queue that the consumer named; empty means all outputs of the task."""


class Result(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A successful attempt."""

    id: str
    """The event's id."""
    attempt: int
    """Which attempt."""
    outputs: list[WireOutput]
    """None, one or many."""
    many: bool = False
    """The consumer yielded, so its output is a list even with one element."""


class RawResult(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`Result` as the driver reads it: the outputs go to the journal as the worker encoded them."""

    id: str
    """The event's id."""
    attempt: int
    """Which attempt."""
    outputs: msgspec.Raw
    """An encoded `list[WireOutput]`."""
    many: bool = False
    """The consumer yielded."""


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """An attempt that ended otherwise."""

    id: str
    """The event's id."""
    attempt: int
    """Which attempt."""
    kind: Kind
    """Failed, returned or vanished."""
    reason: str
    """One line."""
    detail: dict[str, str | int | float] = {}
    """`type`, `traceback`, `stdout`, `stderr`, `exit_code`, `seconds`, `cpu_seconds`, `peak_memory` (bytes), as known."""


class ReportHead(msgspec.Struct, frozen=True, array_like=True):
    """Who reports on which message; shared by what the pilot writes and the driver reads."""

    protocol: int
    """`PROTOCOL` of the sender."""
    message_id: str
    """The work message."""
    task: str
    """Its task."""
    copy: bool
    """It was a speculative copy."""
    pilot: str
    """Id of the pilot."""
    host: str
    """Its host."""
    site: str
    """Its site, where known."""
    busy: float
    """Seconds of work behind `results`, all together."""


class Report(ReportHead, frozen=True, array_like=True):
    """Outcomes of some or all events of one message."""

    results: list[RawResult]
    """Successful attempts."""
    failures: list[Failure]
    """The others."""
    cost: Cost = msgspec.field(default_factory=Cost)
    """Of all of them together."""


class RawReport(ReportHead, frozen=True, array_like=True):
    """`Report` as a pilot writes it: the results are passed through as the worker encoded them."""

    results: msgspec.Raw
    """An encoded `list[Result]`."""
    failures: list[Failure]
    """The others."""
    cost: Cost = msgspec.field(default_factory=Cost)
    """Of all of them together."""


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat", kw_only=True):
    """A pilot's sign of life, sent as a lossy signal."""

    pilot: str
    """Id of the pilot."""
    host: str
    """Its host."""
    site: str = ""
    """Its site."""
    slots: int = 1
    """How many events it can work on at once."""
    holds: list[str] = []
    """Ids of the messages it has leased."""
    done: int = 0
    """Events finished in its life."""
    failed: int = 0
    """Events failed in its life."""
    state: str = "running"
    """`running`, `draining`, `quarantined` or `ended`."""
    reason: str = ""
    """Why it is in that state."""


class Command(msgspec.Struct, frozen=True, tag="command", kw_only=True):
    """The driver's word to pilots, sent as a lossy signal."""

    action: str
    """`cancel`: kill the tasks; `end`: no more work will come; `quarantine`: take none for `seconds`."""
    pilot: str = ""
    """The pilot meant; empty means all."""
    seconds: float = 0.0
    """How long a quarantine lasts."""


Signal = Heartbeat | Command

encode = msgspec.msgpack.Encoder().encode
decode_work = msgspec.msgpack.Decoder(WorkMessage).decode
decode_reports = msgspec.msgpack.Decoder(list[Report]).decode
decode_signal = msgspec.msgpack.Decoder(Signal).decode
decode_results = msgspec.msgpack.Decoder(list[Result]).decode
