"""A small world around a real ledger and a real journal: a broker that delivers at least once, and pilots that may vanish.

Nothing here decides about events; it only makes happen what brokers, pilots and crashes can do, and checks the promises.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ewms.blobs import BlobStore
from ewms.core import codecs, wire
from ewms.core.lifecycle import Phase
from ewms.core.wire import Failure, Kind, RawResult, Report, WireOutput, WorkEvent, WorkMessage
from ewms.stores.base import Terminal
from ewms.stores.sqlite import SqliteJournal
from ewms.wms.hosting import NO_OUTPUTS, Host, decode_outputs
from ewms.wms.ledger import Ledger
from ewms.wms.outbox import OutMessage
from ewms.wms.replay import replay
from ewms.wms.routing import Router

from .workflows import RETRY, Workflow

Key = tuple[str, str]
"""Task and event id."""


@dataclass(eq=False)
class Queued:
    """A message that the broker has ready."""

    work: WorkMessage
    redelivered: bool = False


@dataclass(eq=False)
class Holding:
    """A message in the hands of a pilot, whether or not its lease still runs."""

    work: WorkMessage
    pilot: str
    host: str
    left: list[WorkEvent]


class World:
    """One workflow with its driver, broker and pilots."""

    def __init__(self, workflow: Workflow, folder: Path, window: int = 100) -> None:
        self.workflow = workflow
        self.graph = workflow.graph()
        self.folder = folder
        self.window = window
        self.now = 0.0
        self.stream = 1
        self.outgoing: list[OutMessage] = []
        self.queue: list[Queued] = []
        self.leased: list[Holding] = []
        self.zombies: list[Holding] = []
        self.reports: list[Report] = []
        self.taken: list[Report] = []
        self.said: list[Report] = []
        self.terminal: dict[Key, Terminal] = {}
        self.forgiven: dict[Key, int] = {}
        self.open_copies: dict[str, set[Key]] = {}
        self.copy_pilots: set[str] = set()
        self.bundled: set[tuple[Key, int]] = set()
        self._journals: list[SqliteJournal] = []
        self._serial = itertools.count(1)
        self.start_driver(same_broker=False)

    # What the driver does.

    def start_driver(self, *, same_broker: bool) -> None:
        """A new driver opens the journal; with the same broker it counts on the messages that are out."""
        self.journal = SqliteJournal(self.folder / "journal.sqlite")
        self._journals.append(self.journal)
        self.journal._db.execute("PRAGMA synchronous = OFF")
        self.host = Host(self.workflow.application(), self.graph, BlobStore(str(self.folder / "blobs"), 1 << 19))
        self.ledger = Ledger(self.graph, self.host, self.journal, max_bytes=1 << 20, window=self.window)
        self.ledger.outbox.slots = 4
        self.open_copies.clear()
        if self.ledger.adopt_stream(f"stream-{self.stream}", kept=same_broker):
            self.ledger.restore()
        self.ledger.fold()
        self.source = self.host.source(self.ledger.source_count)

    def close(self) -> None:
        """Close the journals of all drivers there ever were."""
        for journal in self._journals:
            journal.close()

    def pull(self, count: int) -> None:
        """The driver takes some events of the source, where it has room."""
        if self.ledger.wants_source:
            events = list(itertools.islice(self.source, count))
            self.ledger.take_source(events, done=len(events) < count)

    def take(self, report: Report) -> None:
        """The driver applies a report; it is acked only after the commit."""
        self.taken.append(report)
        self.open_copies.get(report.message_id, set()).difference_update(_reported(report))
        for arrived in wire.decode_reports(wire.encode([report])):
            self.ledger.take_report(arrived, self.now)

    def commit(self) -> None:
        self.ledger.commit()
        self.taken.clear()
        self.check_counts()

    def send(self) -> None:
        """The driver commits, then forms messages; they are on their way to the broker."""
        self.commit()
        self.ledger.reload(self.now)
        for message in self.ledger.form(self.now):
            self.outgoing.append(message)
            work = wire.decode_work(message.body)
            if not work.copy:  # after a crash, an attempt that was sent in a bundle may be sent once more alone
                attempts = {((work.task, event.id), event.attempt) for event in work.events}
                self.bundled = self.bundled | attempts if len(attempts) > 1 else self.bundled - attempts
            if work.copy:
                self.open_copies[work.message_id] = set(_keys(work.task, work.events))

    def publish(self, message: OutMessage, *, confirmed: bool = True) -> None:
        """A message reaches the broker; without a confirmation it will be published once more."""
        self.queue.append(Queued(wire.decode_work(message.body)))
        if confirmed:
            self.outgoing.remove(message)
            self.ledger.mark_sent(message)

    def end_driver(self) -> Ledger:
        """The driver dies as it is: what was not committed is gone, what was not acked comes again."""
        self.reports += self.taken
        self.taken.clear()
        return self.ledger

    def replay(self) -> None:
        """Between two drivers, all dead letters are brought back to life."""
        with SqliteJournal(self.folder / "journal.sqlite") as journal:
            letters = list(journal.letters())
            assert replay(journal, Router(self.graph), letters) == len(letters)
            for letter in letters:
                key = self._key(letter)
                before = self.terminal.pop(key)
                self.forgiven[key] = len(journal.history(letter.event.seq))
                after = journal.find(letter.event.task, letter.event.id)
                assert (after is not None) == (before.outputs is not None)
                assert after is None or (after.reason is None and after.outputs == before.outputs)

    # What the broker and the pilots do.

    def lease(self, message: Queued) -> None:
        """A pilot gets a message. It works on a new one, and reports one that somebody had before as vanished."""
        self.queue.remove(message)
        number = next(self._serial)
        holding = Holding(message.work, f"pilot-{number}", f"host-{number % 3}", list(message.work.events))
        if message.work.copy:
            self.copy_pilots.add(holding.pilot)
        self.leased.append(holding)
        if message.redelivered:
            self.work(holding, len(holding.left), Kind.VANISHED)

    def heartbeat(self, holding: Holding) -> None:
        self.ledger.holders[holding.work.message_id] = (holding.pilot, holding.host)

    def work(self, holding: Holding, count: int, ending: Kind | None = None) -> None:
        """A pilot reports on the next events it holds: results, or what came instead. After the last it acks."""
        events, holding.left = holding.left[:count], holding.left[count:]
        self._say(holding, events, ending)
        if not holding.left:
            if holding in self.leased:
                self.leased.remove(holding)
            else:
                self.zombies.remove(holding)

    def late_ack(self, holding: Holding) -> None:
        """A pilot that lost its lease has finished, and its ack still counts for the broker."""
        self.work(holding, len(holding.left))
        self.queue = [message for message in self.queue if message.work.message_id != holding.work.message_id]

    def end_lease(self, holding: Holding, *, zombie: bool) -> None:
        """The broker hears nothing from a pilot for a lease. The pilot is gone, or goes on as a zombie."""
        self.leased.remove(holding)
        self.queue.append(Queued(holding.work, redelivered=True))
        if zombie:
            self.zombies.append(holding)

    def purge(self) -> None:
        """The broker's work queue is emptied; whoever holds a message does not know."""
        self.zombies += self.leased
        self.leased, self.queue = [], []

    def lose_broker(self, *, driver_too: bool) -> None:
        """All messages and reports are gone with the broker. The driver sends its events again, or is gone as well."""
        self.purge()
        self.reports = []
        if driver_too:
            self.taken.clear()
            self.stream += 1
            self.start_driver(same_broker=True)
        else:
            self.ledger.resend()
            self.open_copies.clear()

    def _say(self, holding: Holding, events: list[WorkEvent], ending: Kind | None) -> None:
        work = holding.work
        results, failures = [], []
        for event in events:
            if ending is None:
                results.append(self._result(work.task, event))
            else:
                failures.append(Failure(event.id, event.attempt, ending, f"{ending.name} on {holding.pilot}"))
        busy = 1e-3 * len(results)
        head = (wire.PROTOCOL, work.message_id, work.task, work.copy, holding.pilot, holding.host, "", busy)
        report = Report(*head, results, failures)
        self.reports.append(report)
        self.said.append(report)

    def _result(self, task: str, event: WorkEvent) -> RawResult:
        """Every attempt gives the same values in other bytes, so that a swapped outcome is noticed."""
        made = self.workflow.work[task](codecs.decode(event.codec, event.data))
        blanks = b" " * next(self._serial)
        outputs = [WireOutput("json", codecs.encode(value).data + blanks, made.queue) for value in made.values]
        return RawResult(event.id, event.attempt, msgspec.Raw(wire.encode(outputs)), made.many)

    # What must hold.

    def check(self) -> None:
        """The promises that hold at every moment."""
        self.check_terminals()
        if not self.ledger._batch:
            self.check_nothing_lost()

    def check_terminals(self) -> None:
        """Terminal once and for all, with one outcome that a pilot did report, or buried for a reason."""
        terminals = list(self.journal.terminals())
        now = {self._key(terminal): terminal for terminal in terminals}
        assert len(now) == len(terminals) == len({terminal.order for terminal in terminals})
        for key, before in self.terminal.items():
            after = now[key]
            assert after.order == before.order
            assert after.reason == before.reason
            assert after.outputs == before.outputs or before.outputs is None
        for key, terminal in now.items():
            if key not in self.terminal:
                self.check_new(key, terminal)
        self.terminal = now

    def check_new(self, key: Key, terminal: Terminal) -> None:
        if terminal.reason is None:
            assert decode_outputs(terminal.outputs or NO_OUTPUTS) in self._said_of(key), key
            return
        assert not any(key in copies for copies in self.open_copies.values()), "buried while a copy is out"
        history = self.journal.history(terminal.event.seq)
        numbers = [attempt.attempt for attempt in history]
        assert numbers == sorted(set(numbers)), "an attempt ended twice"
        assert not any(attempt.pilot in self.copy_pilots for attempt in history if attempt.kind == "failed")
        recent = history[self.forgiven.get(key, 0) :]
        failed = [attempt for attempt in recent if attempt.kind == "failed"]
        vanished = [a for a in recent if a.kind == "vanished" and (key, a.attempt) not in self.bundled]
        assert len(failed) >= RETRY["max_failures"] or len(vanished) >= RETRY["max_vanishes"], recent

    def check_counts(self) -> None:
        """After a commit the ledger's counts are the journal's, and add up."""
        planned, accepted, buried = self.journal.counts()
        pending = self.journal.pending(0, 1_000_000)
        assert planned == accepted + buried + len(pending)
        ledger = self.ledger
        assert (ledger.counters.accepted, ledger.counters.dead_lettered) == (accepted, buried)
        assert ledger.outstanding == len(pending)
        assert (ledger.planned_by_task, ledger.done_by_task) == self.journal.counts_by_task(len(self.graph.tasks))
        assert ledger.counters.sent <= planned

    def check_nothing_lost(self) -> None:
        """Every unfinished event waits in the journal or the outbox, or something that names it is still under way."""
        ledger, outbox = self.ledger, self.ledger.outbox
        waiting = {item.event.seq for queues in (outbox._ready, outbox._singles) for queue in queues for item in queue}
        waiting |= {item.event.seq for _, _, item in outbox._delayed}
        under_way = set(self._under_way())
        for event, _ in self.journal.pending(0, 1_000_000):
            tracked = ledger._tables[event.task].get(event.id)
            if tracked is None:
                assert ledger._spill_from is not None, event
                assert event.seq > ledger._spill_from, event
            elif tracked.life.phase is Phase.PLANNED:
                assert event.seq in waiting, event
            else:
                assert (self.graph.tasks[event.task].name, event.id) in under_way, event
            if tracked is not None and tracked.life.phase is Phase.HELD:
                assert any(event.id in {id_ for _, id_ in copies} for copies in self.open_copies.values())

    def _under_way(self) -> Iterator[Key]:
        for message in self.outgoing:
            work = wire.decode_work(message.body)
            yield from _keys(work.task, work.events)
        for queued in self.queue:
            yield from _keys(queued.work.task, queued.work.events)
        for holding in self.leased:
            yield from _keys(holding.work.task, holding.left)
        for report in (*self.reports, *self.taken):
            yield from _reported(report)

    def _said_of(self, key: Key) -> list[list[WireOutput]]:
        return [
            decode_outputs(item.outputs)
            for report in self.said
            if report.task == key[0]
            for item in report.results
            if item.id == key[1]
        ]

    def _key(self, terminal: Terminal) -> Key:
        return self.graph.tasks[terminal.event.task].name, terminal.event.id

    # When nothing goes wrong.

    def drive(self) -> None:
        """One step of the driver, from its source to the broker."""
        self.pull(3)
        self.send()
        for message in list(self.outgoing):
            self.publish(message)

    def flow(self, ending: Kind | None = None) -> None:
        """Pilots lease and do everything, and the driver takes their reports."""
        for queued in list(self.queue):
            self.lease(queued)
        for holding in (*self.leased, *self.zombies):
            self.work(holding, len(holding.left), ending)
        reports, self.reports = self.reports, []
        for report in reports:
            self.take(report)

    def finish(self) -> None:
        """Faults have stopped: the workflow completes."""
        for _ in range(300):
            self.flow()
            self.now += 1000.0
            self.drive()
            self.check()
            if self.ledger.complete:
                assert self.ledger.counters.sent == self.journal.counts()[0]
                return
        raise AssertionError(f"the workflow does not end: {self.ledger.outstanding} events are left")

    def outcomes(self) -> list[tuple[Key, bytes]]:
        """The outcomes in event order, as the bytes that the product is made of."""
        found = []
        for terminal in self.journal.terminals(by_rank=True):
            if terminal.reason is None:
                values = [
                    codecs.decode(output.codec, output.data) for output in decode_outputs(terminal.outputs or NO_OUTPUTS)
                ]
                found.append((self._key(terminal), codecs.encode(values).data))
        return found

    def product(self) -> Any:
        """What the application assembles, else all outcomes."""
        assembled = self.host.assemble()
        return self.outcomes() if assembled is None else codecs.encode(assembled).data


def _keys(task: str, events: Iterable[WorkEvent]) -> Iterator[Key]:
    return ((task, event.id) for event in events)


def _reported(report: Report) -> Iterator[Key]:
    yield from ((report.task, result.id) for result in report.results)
    yield from ((report.task, failure.id) for failure in report.failures)
