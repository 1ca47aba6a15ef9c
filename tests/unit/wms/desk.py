"""A ledger on a desk: real graph, host and journal, with hands that play broker and pilots one step at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ewms.blobs import BlobStore
from ewms.core import codecs, wire
from ewms.core.application import Application
from ewms.core.event import DeadLetter, Event, Outcome
from ewms.core.graph import Graph, build_graph
from ewms.core.spec import parse_spec
from ewms.core.wire import Failure, Kind, RawResult, Report, WireOutput, WorkEvent, WorkMessage
from ewms.stores.sqlite import SqliteJournal
from ewms.wms.hosting import Host
from ewms.wms.ledger import Ledger


def graph_of(*tasks: dict[str, Any]) -> Graph:
    """The graph of these tasks; one that squares numbers unless told otherwise."""
    square = {"name": "square", "python": "work:square", "input": "numbers", "output": "squares"}
    return build_graph(parse_spec({"name": "desk", "tasks": [square | task for task in tasks or ({},)]}, "desk"))


class Sender(Application[Any, Any, Any]):
    """Sends the events it is given."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        super().__init__()
        self.events = events

    def start(self) -> Iterable[Event]:
        return self.events


def numbers(count: int) -> list[Event]:
    return [Event(id=str(number), body=number) for number in range(count)]


class Desk:
    """One workflow, restartable."""

    def __init__(
        self, folder: Path, graph: Graph, application: Application[Any, Any, Any], *, window: int = 1000, slots: int = 1
    ) -> None:
        self.folder = folder
        self.graph = graph
        self.window = window
        self.slots = slots
        self.now = 0.0
        self._opened: list[SqliteJournal] = []
        self.open(application)

    def open(self, application: Application[Any, Any, Any]) -> None:
        """A driver starts on the journal, as it stands."""
        self.journal = SqliteJournal(self.folder / "journal.sqlite")
        self._opened.append(self.journal)
        self.journal._db.execute("PRAGMA synchronous = OFF")
        self.host = Host(application, self.graph, BlobStore(str(self.folder / "blobs"), 1 << 19))
        self.ledger = Ledger(self.graph, self.host, self.journal, max_bytes=1 << 20, window=self.window)
        self.ledger.outbox.slots = self.slots
        self.source = self.host.source(self.ledger.source_count)

    def close(self) -> None:
        """Close every journal that was ever opened; a driver that crashed did not."""
        for journal in self._opened:
            journal.close()

    def take_source(self) -> None:
        """All that the source has goes to the ledger."""
        self.ledger.take_source(list(self.source), done=True)

    def pull(self, count: int) -> None:
        """Some events of the source go to the ledger, if it wants any."""
        if self.ledger.wants_source:
            events = list(itertools.islice(self.source, count))
            self.ledger.take_source(events, done=len(events) < count)

    def pull_and_commit(self, count: int) -> None:
        self.pull(count)
        self.ledger.commit()

    def send(self) -> list[WorkMessage]:
        """One step of the driver; everything it forms is confirmed."""
        self.ledger.commit()
        self.ledger.reload(self.now)
        messages = self.ledger.form(self.now)
        for message in messages:
            self.ledger.mark_sent(message)
        return [wire.decode_work(message.body) for message in messages]

    def take(self, report: Report, *, commit: bool = True) -> None:
        for arrived in wire.decode_reports(wire.encode([report])):
            self.ledger.take_report(arrived, self.now)
        if commit:
            self.ledger.commit()


def report(
    message: WorkMessage,
    *,
    results: Sequence[RawResult] = (),
    failures: Sequence[Failure] = (),
    pilot: str = "PL-1",
    host: str = "north",
    busy: float = 0.001,
) -> Report:
    """What a pilot says about a message."""
    head = (wire.PROTOCOL, message.message_id, message.task, message.copy, pilot, host, "", busy)
    return Report(*head, list(results), list(failures))


def result(event: WorkEvent, *values: Any, many: bool = False) -> RawResult:
    outputs = [WireOutput(*codecs.encode(value)) for value in values]
    return RawResult(event.id, event.attempt, msgspec.Raw(wire.encode(outputs)), many)


def succeeded(message: WorkMessage, *values: Any, pilot: str = "PL-1") -> Report:
    """All events of a message give these values."""
    return report(message, results=[result(event, *values) for event in message.events], pilot=pilot)


def ended(message: WorkMessage, kind: Kind, *, pilot: str = "PL-1", host: str = "north") -> Report:
    """All events of a message end without a result."""
    failures = [Failure(event.id, event.attempt, kind, f"{kind.name.lower()} on {pilot}") for event in message.events]
    return report(message, failures=failures, pilot=pilot, host=host)


def outcomes(desk: Desk) -> dict[str, bytes | None]:
    """Encoded outputs of what was accepted, by id, in the order of acceptance."""
    return {terminal.event.id: terminal.outputs for terminal in desk.journal.terminals() if terminal.reason is None}


class Answering(Sender):
    """Answers every outcome and letter with the same events, and remembers what it was told."""

    def __init__(self, *answers: Event) -> None:
        super().__init__(numbers(2))
        self.answers = answers
        self.told: list[str] = []

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        self.told.append(f"{outcome.id}={outcome.values}")
        return self.answers

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        self.told.append(f"{letter.id}: {letter.reason} after {len(letter.history)}")
        return self.answers


MakeDesk = Callable[..., Desk]
