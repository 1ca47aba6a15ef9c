"""Events, outcomes and dead letters as application code sees them."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of work. Immutable."""

    id: str
    """Unique in its queue; 1 to 200 characters of `[A-Za-z0-9._:/-]`."""
    body: Any = None
    """What the consumer gets: JSON-like, bytes, a numpy array, a pydantic model."""
    queue: str = ""
    """The queue it goes to; empty means the input queue of the first task."""
    headers: dict[str, str] = {}
    """Short strings that travel with the event."""
    attempt: int = 1
    """Which attempt it is, as a consumer sees it."""


class Output(msgspec.Struct, frozen=True):
    """A value that a consumer sends to one named queue instead of to all of its task's outputs."""

    value: Any
    """The body of the event that it becomes."""
    queue: str = ""
    """One of the task's output queues."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The accepted result of one event. It holds nothing that differs between two runs."""

    id: str
    """The event's id."""
    task: str
    """The task that worked on it."""
    values: tuple[Any, ...] = ()
    """What the consumer returned (none or one value) or yielded (any number)."""
    many: bool = False
    """Whether the consumer yielded."""

    @property
    def value(self) -> Any:
        """The only value, or None where there is none; `ValueError` where there are several."""
        if len(self.values) > 1:
            raise ValueError(f"event {self.id} has {len(self.values)} output values; use .values")
        return self.values[0] if self.values else None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One unsuccessful attempt at an event, as kept in its history."""

    attempt: int
    """Number of the attempt, from 1."""
    kind: str
    """`failed`, `vanished` or `returned`."""
    reason: str
    """One line that tells why."""
    pilot: str = ""
    """Which pilot reported it."""
    host: str = ""
    """Where that pilot ran."""
    detail: dict[str, Any] = {}
    """Traceback, tails of stdout and stderr, exit code: whatever the executor knew."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was given up on, with its whole history."""

    id: str
    """The event's id."""
    task: str
    """The task that could not be done."""
    reason: str
    """One line: why it was given up."""
    history: tuple[Attempt, ...] = ()
    """Every unsuccessful attempt, oldest first."""
    body: Any = None
    """The event's body."""
