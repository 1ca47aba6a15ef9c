"""What the screens of `ewms top` ask, and of whom: a service or a run directory."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow, as far as a line tells of it."""

    workflow_id: str
    """`WF-…`."""
    name: str
    """For people."""
    owner: str
    """Who submitted it."""
    state: str
    """Where it is."""
    reason: str
    """Why it failed or waits."""
    priority: int
    """From 100 it is urgent."""
    planned: int
    """Events known so far."""
    terminal: int
    """Accepted or given up on."""
    retried: int
    """Attempts that failed and were followed by another."""
    dead: int
    """Events given up on."""
    rate: float | None
    """Events per second; None while that is not known."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Workflows, newest first."""

    rows: list[Row]
    """As many as were asked for."""
    total: int
    """How many there are in all. Exact."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which workflows are wanted."""

    text: str = ""
    """Part of the name or id."""
    states: Sequence[str] = ()
    """Any of these; none means any at all."""
    limit: int = 200
    """Most rows."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Of a table."""

    title: str
    """In its head."""
    rank: int = 0
    """Those of the highest rank go first where there is no room."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What a section shows."""

    columns: Sequence[Column]
    """From the left."""
    rows: Mapping[str, Sequence[str]]
    """Cells by key, in order."""
    note: str = ""
    """One line on all of it: totals, what was left out, why there is nothing."""
    details: Mapping[str, str] = {}
    """More on a row, shown for the one that is chosen."""


class Section(enum.StrEnum):
    """What there is to see of one workflow; the value is its title."""

    TASKS = "Tasks"
    QUEUES = "Queues"
    PILOTS = "Pilots"
    FAILURES = "Failures"
    LETTERS = "Dead letters"
    PHASES = "Phases"


class Action(enum.StrEnum):
    """What can be asked of a workflow; the value is the name of its route."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Something changed."""

    row: Row | None
    """How a workflow is now; None where that is not known: ask anew."""


class Source(Protocol):
    """Answers in the caller's thread, with what it raises being an `EwmsError`; may be asked by several threads at once."""

    where: str
    """The URL of the service, or the folder."""

    def workflows(self, wanted: Wanted) -> Page:
        """Workflows that the caller may see."""

    def workflow(self, workflow_id: str) -> Row:
        """One of them."""

    def section(self, workflow_id: str, section: Section) -> Table:
        """A part of what there is to know of one."""

    def system(self) -> Mapping[str, Table]:
        """What the workflows run on, by title."""

    def act(self, workflow_id: str, action: Action) -> None:
        """Ask something of a workflow."""

    def replay(self, workflow_id: str, event_ids: Sequence[str], task: str | None) -> int:
        """Try dead letters again, all where none is named; how many they are."""

    def news(self) -> Iterator[News]:
        """What changes, as it does, until the connection is lost or `close` was called; may be called again."""

    def close(self) -> None:
        """End `news`, and drop all connections."""
