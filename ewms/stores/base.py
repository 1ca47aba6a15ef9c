"""The journal contract: the truth about a workflow's events. `tests/contract/test_journal.py` runs over every store.

A journal is synchronous and used by one thread. Every write names the epoch of the driver that makes it and fails with
`StaleEpoch` once a newer driver has opened the journal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import msgspec

from ewms.core.event import Attempt
from ewms.core.lifecycle import Life


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """An event as it was planned."""

    seq: int
    """Number in the journal, growing with every planned event."""
    task: int
    """Index of its task in the workflow's graph."""
    id: str
    """Unique in its task."""
    rank: bytes
    """Sort key of the product: event order."""
    codec: str
    """How `data` is encoded; a leading `@` marks a blob reference."""
    data: bytes
    """Encoded body."""
    headers: bytes | None
    """Encoded headers, None where there are none."""


class Pending(NamedTuple):
    """An unfinished event."""

    event: EventRow
    """As planned."""
    life: Life | None
    """Its life so far; None if nothing but planning has happened to it."""


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A terminal result."""

    seq: int
    """The event."""
    order: int
    """Position in the order of commitment."""
    outputs: bytes
    """Encoded `Result.outputs`."""
    many: bool
    """Whether the output is a list."""


class Buried(NamedTuple):
    """A terminal dead letter."""

    seq: int
    """The event."""
    order: int
    """Position in the order of commitment."""
    reason: str
    """One line."""


class Terminal(NamedTuple):
    """A terminal event with how it ended."""

    event: EventRow
    """As planned."""
    order: int
    """Position in the order of commitment."""
    outputs: bytes | None
    """Encoded `Result.outputs`; None for a dead letter without a late result."""
    many: bool
    """Whether the output is a list."""
    reason: str | None
    """Why it was buried; None if it was accepted."""


class Known(NamedTuple):
    """A planned event that the journal had already."""

    new: EventRow
    """As it would have been planned now."""
    old: EventRow
    """As it stands."""


@dataclass(slots=True)
class Batch:
    """Everything that one transaction changes."""

    events: list[EventRow] = field(default_factory=list)
    """Newly planned; those with a known (task, id) are not written."""
    accepted: list[Accepted] = field(default_factory=list)
    """Terminal results."""
    buried: list[Buried] = field(default_factory=list)
    """Terminal dead letters."""
    late: list[tuple[int, bytes, bool]] = field(default_factory=list)
    """Results that came after the burial: seq, outputs, many."""
    lives: list[tuple[int, Life]] = field(default_factory=list)
    """Changed lives of unfinished events."""
    attempts: list[tuple[int, Attempt]] = field(default_factory=list)
    """Unsuccessful attempts, by seq."""
    revived: list[int] = field(default_factory=list)
    """Dead letters that are unfinished again."""
    redeemed: list[tuple[int, int]] = field(default_factory=list)
    """Dead letters whose late result is accepted now: seq and order."""
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    """Confirmed messages: id and packed seqs and attempts."""
    settled: list[str] = field(default_factory=list)
    """Messages that need no more reports."""
    values: dict[str, Any] = field(default_factory=dict)
    """Named values to set: counters, state, position in the source."""

    def __bool__(self) -> bool:
        return any(
            (
                self.events,
                self.accepted,
                self.buried,
                self.late,
                self.lives,
                self.attempts,
                self.revived,
                self.redeemed,
                self.sent,
                self.settled,
                self.values,
            )
        )


class Journal(ABC):
    """One workflow's journal."""

    epoch: int
    """This driver's epoch, from 1."""

    @abstractmethod
    def commit(self, batch: Batch) -> list[Known]:
        """Write a batch in one durable transaction; returns the planned events that were known already.

        Raises `StaleEpoch`, or `StoreFull`; nothing is written then.
        """

    @abstractmethod
    def value(self, name: str, default: Any = None) -> Any:
        """A named value, as last committed."""

    @abstractmethod
    def values(self) -> dict[str, Any]:
        """All named values; `epoch` is the last in use."""

    @abstractmethod
    def advance(self, epoch: int) -> None:
        """Go on under this epoch where it is greater: message ids of a journal that was copied must not come again."""

    @abstractmethod
    def counts(self) -> tuple[int, int, int]:
        """How many events are planned in all, accepted, and buried. Exact."""

    @abstractmethod
    def counts_by_task(self, tasks: int) -> tuple[list[int], list[int]]:
        """How many events are planned and how many terminal, for each of so many tasks. Exact."""

    @abstractmethod
    def positions(self) -> tuple[int, int]:
        """The last seq and the last order in use; 0 where there is none."""

    @abstractmethod
    def pending(self, after: int, limit: int) -> list[Pending]:
        """Unfinished events with a seq above `after`, in order of seq."""

    @abstractmethod
    def find_pending(self, task: int, event_id: str) -> Pending | None:
        """The unfinished event of that id; None if it is unknown or terminal."""

    @abstractmethod
    def find(self, task: int, event_id: str) -> Terminal | None:
        """The terminal event of that id; None if it is unknown or unfinished."""

    @abstractmethod
    def terminals(self, tasks: Iterable[int] | None = None, *, by_rank: bool = False, after: int = 0) -> Iterator[Terminal]:
        """Accepted events and dead letters of some or all tasks, in order of commitment or of rank. Lazy.

        Parameters
        ----------
        after
            Only those whose position in the order of commitment is above this.
        """

    @abstractmethod
    def letters(self) -> Iterator[Terminal]:
        """Dead letters in order of rank. Lazy."""

    @abstractmethod
    def life(self, seq: int) -> Life | None:
        """The recorded life of an event; None if nothing but planning and acceptance has happened to it."""

    @abstractmethod
    def history(self, seq: int) -> list[Attempt]:
        """Unsuccessful attempts at one event, oldest first."""

    @abstractmethod
    def attempts(self) -> Iterator[tuple[int, str, Attempt]]:
        """All unsuccessful attempts with their event's task and id, oldest first. Lazy."""

    @abstractmethod
    def sent_messages(self) -> Iterator[tuple[str, bytes]]:
        """Confirmed messages that still need reports, as in `Batch.sent`."""

    @abstractmethod
    def close(self) -> None:
        """Release the store. Idempotent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
