"""The one acceptor: applies reports to events and plans what follows, in memory first, then in one commit.

Synchronous and free of clocks and I/O but for the journal, so that tests can drive it through every interleaving.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ewms.core import wire
from ewms.core.errors import InputError
from ewms.core.event import Attempt
from ewms.core.graph import Graph
from ewms.core.lifecycle import Life, Phase, Verdict, on_lost, on_result, on_unsuccessful
from ewms.core.wire import Kind
from ewms.stores.base import Accepted, Batch, Buried, EventRow, Journal, Known, Pending
from ewms.wms.costs import Costs
from ewms.wms.counters import Counters
from ewms.wms.health import PilotHealth
from ewms.wms.hosting import NO_OUTPUTS, Host, decode_outputs
from ewms.wms.known import check_known
from ewms.wms.memory import Memory
from ewms.wms.outbox import Outbox, OutMessage, unpack
from ewms.wms.routing import NewEvent, Router, count_source_ranks
from ewms.wms.tracked import Tracked

_log = logging.getLogger("ewms.driver")
_FOLD_COMMIT = 5000
_PLANNED = Phase.PLANNED
OnAccept = Callable[[int, EventRow, bytes], None]


class Ledger:
    """What stands between the broker and the journal.

    Parameters
    ----------
    graph
        The workflow's tasks and queues.
    host
        The hosted application.
    journal
        Open for writing.
    max_bytes
        Most bytes of bodies in one message, and a 1/8 of what unfinished events may hold in memory.
    window
        Events in memory; what is planned beyond stays in the journal until there is room.
    """

    def __init__(self, graph: Graph, host: Host, journal: Journal, *, max_bytes: int, window: int) -> None:
        self.graph = graph
        self.host = host
        self.journal = journal
        self.outbox = Outbox(graph.tasks, journal.epoch, max_bytes)
        self.router = Router(graph)
        self.health = PilotHealth()
        self.holders: dict[str, tuple[str, str]] = {}
        """Message id to the pilot that was last known to hold it, and its host."""
        self.hosts: set[str] = set()
        self.on_accept: OnAccept | None = None
        """Told of every result with its order, before it is committed."""
        planned, accepted, buried = journal.counts()
        self.counters = Counters.from_dict(journal.value("counters", {}))
        self.costs = Costs((task.name for task in graph.tasks), journal.value("costs", {}))
        # What is unfinished will be sent again, and is counted then.
        self.counters.sent = accepted + buried
        self._counted: dict[str, int] = {}
        self.source_count: int = journal.value("source_count", 0)
        self._source_read = self.source_count
        self.source_done: bool = journal.value("source_done", False)
        self.outstanding = planned - accepted - buried
        self.planned_by_task, self.done_by_task = journal.counts_by_task(len(graph.tasks))
        self._seq, self._order = journal.positions()
        self._committed_seq = self._seq
        self._memory = Memory(len(graph.tasks), window, 8 * max_bytes)
        self._tables = self._memory.tables
        self._out: dict[tuple[int, int], str] = {}
        self._spill_from: int | None = 0 if self.outstanding else None
        self._batch = Batch()

    @property
    def wants_source(self) -> bool:
        """Whether more events of the source can be taken in."""
        return not self.source_done and self._spill_from is None and self._memory.room > 0

    @property
    def complete(self) -> bool:
        """Every event that will ever be is terminal, and committed as such."""
        return self.source_done and self.outstanding == 0 and not self._batch

    def take_source(self, events: Sequence[NewEvent], *, done: bool) -> None:
        """Plan events of the source, in its order, and others that came from outside."""
        self._plan(events, from_source=True)
        self.source_count += count_source_ranks(events)
        self.source_done = self.source_done or done
        self._batch.values |= {"source_count": self.source_count, "source_done": self.source_done}

    def take_report(self, report: wire.Report, now: float) -> None:
        """Apply one report: some or all events of a message."""
        task = self.router.task_index(report.task)
        if task is None:
            _log.warning("unknown_task_reported", extra={"task": report.task})
            return
        self.hosts.add(report.host)
        self.costs.add(report)
        ids = [result.id for result in report.results]
        accepted = self._take_results(task, report, self._locate(task, ids, now)) if ids else 0
        if report.failures:
            failed = [failure.id for failure in report.failures]
            for failure, tracked in zip(report.failures, self._locate(task, failed, now), strict=True):
                if tracked is not None:
                    self._unsuccessful(tracked, failure, report, now)
            ids += failed
        if report.results:
            self.outbox.run_times[task].observe(report.busy, len(report.results))
            self.health.succeeded(report.pilot, accepted)
        if self.outbox.settle(report.message_id, ids):
            self.holders.pop(report.message_id, None)
            self._batch.settled.append(report.message_id)

    def mark_sent(self, message: OutMessage) -> None:
        """The broker confirmed a message."""
        flight = self.outbox.flights.get(message.message_id)
        if flight is not None and not flight.copy:
            self._batch.sent.append((message.message_id, message.contents))

    def commit(self) -> None:
        """Make everything taken since the last commit durable, in one transaction.

        Raises `StaleEpoch`, `StoreFull`, or `InputError` for an event id that was used with another body.
        """
        counters = self.counters.as_dict()
        if not self._batch and counters == self._counted:
            return
        batch, self._batch = self._batch, Batch()
        batch.values |= {"counters": counters, "costs": self.costs.as_dict()}
        self._counted = counters
        try:
            for known in self.journal.commit(batch):
                self._forget(known)
        except InputError:
            # Whoever resumes must meet the offending event again, not start behind it.
            self.journal.commit(Batch(values={"source_count": self._source_read, "source_done": False}))
            raise
        self._source_read = self.source_count
        self._committed_seq = self._seq

    def remember(self, name: str, value: Any) -> None:
        """Have a named value written with the next commit."""
        self._batch.values[name] = value

    def adopt_stream(self, identity: str, *, kept: bool = True) -> bool:
        """Record which stream of the broker carries the work; whether what a former driver sent may still be out.

        It may where the stream is the one that was recorded before and its messages were `kept`.
        """
        same = kept and self.journal.value("stream") == identity
        if not same:
            self._batch.values["stream"] = identity
            self._batch.settled += [message_id for message_id, _ in self.journal.sent_messages()]
            self.commit()
        return same

    def restore(self) -> None:
        """Messages that a former driver sent are still with the broker or pilots: their events need not be sent again."""
        self._out = {item: message_id for message_id, contents in self.journal.sent_messages() for item in unpack(contents)}

    def resend(self) -> None:
        """The broker turned out to hold nothing of what is out: send it again."""
        self._batch.settled += {*self.outbox.resend(), *self._out.values()}
        self._out.clear()
        self.commit()

    def reload(self, now: float) -> None:
        """Take planned events that were left in the journal into memory, as far as there is room."""
        while self._spill_from is not None and (room := self._memory.room) > 0:
            limit = min(1000, room)
            pending = self.journal.pending(self._spill_from, limit)
            for item in pending:
                self._spill_from = item.event.seq
                self._load(item, now)
            if len(pending) < limit:
                self._spill_from = None

    def fold(self) -> None:
        """Give the application everything that is terminal already, in the order of commitment."""
        if not self.host.listens:
            return
        for number, terminal in enumerate(self.journal.terminals(), start=1):
            if number % _FOLD_COMMIT == 0:
                self.commit()
            if terminal.reason is None:
                outputs = decode_outputs(terminal.outputs or NO_OUTPUTS)
                events = self.host.advance(terminal.event, outputs, many=terminal.many)
            else:
                events = self.host.buried(terminal.event, terminal.reason, self.journal.history(terminal.event.seq))
            self._plan(events)
        # A plugin that was corrected may answer with events it did not know before; all others are known and dropped.
        self.commit()

    def form(self, now: float) -> list[OutMessage]:
        """Messages to publish after a commit; speculative copies when all else is out."""
        messages = self.outbox.form(now)
        for message in messages:
            new = [tracked for tracked in self.outbox.flights[message.message_id].events if not tracked.counted]
            for tracked in new:
                tracked.counted = True
            self.counters.sent += len(new)
        if self.source_done and self._spill_from is None and self.outbox.idle:
            copies = self.outbox.copies(now)
            self.counters.speculative += sum(len(self.outbox.flights[copy.message_id].events) for copy in copies)
            messages += copies
        return messages

    def _plan(self, events: Iterable[NewEvent], *, from_source: bool = False) -> None:
        before = self._seq
        rows, by_task = self._batch.events, self.planned_by_task
        for new in events:
            table = self._tables[new.task]
            if new.id in table:
                check_known(new, table[new.id].event, self.graph)
                continue
            self._seq += 1
            row = new.numbered(self._seq)
            rows.append(row)
            by_task[new.task] += 1
            if self._spill_from is None and (from_source or self._memory.room > 0):
                self._track(Tracked(row))
            elif self._spill_from is None:
                self._spill_from = row.seq - 1
        self.outstanding += self._seq - before

    def _track(self, tracked: Tracked) -> None:
        self._memory.add(tracked)
        if tracked.life.phase is _PLANNED:
            self.outbox.add(tracked)

    def _locate(self, task: int, event_ids: Iterable[str], now: float) -> list[Tracked | None]:
        """For each reported event, what is unfinished of it; None for one that is terminal."""
        find, committed = self._tables[task].get, self._committed_seq
        located = []
        for event_id in event_ids:
            tracked = find(event_id)
            if tracked is None or tracked.event.seq > committed:
                tracked = self._look_up(task, event_id, now)
            located.append(tracked)
        return located

    def _look_up(self, task: int, event_id: str, now: float) -> Tracked | None:
        """An event that is not in memory, or has been there only since the last commit."""
        tracked = self._tables[task].get(event_id)
        if tracked is None and self._spill_from is None:
            return None
        # Either it was left in the journal so far, which must know what was accepted a moment ago; or it was planned since
        # the last commit, so that nobody can have worked on it: if the journal has an event of that id, this one goes.
        self.commit()
        if (item := self.journal.find_pending(task, event_id)) is not None:
            self._load(item, now)
        return self._tables[task].get(event_id)

    def _load(self, item: Pending, now: float) -> None:
        if item.event.id in self._tables[item.event.task]:
            return
        life = item.life or Life()
        on_lost(life)
        tracked = Tracked(item.event, life)
        message_id = self._out.pop((item.event.seq, life.attempt), None)
        if message_id is not None:
            self.outbox.restore(message_id, tracked, now)
            tracked.counted = True
            self.counters.sent += 1
        self._track(tracked)

    def _untrack(self, task: int, gone: Sequence[Tracked]) -> None:
        self._memory.remove(task, gone)
        self.outstanding -= len(gone)
        self.done_by_task[task] += len(gone)

    def _take_results(self, task: int, report: wire.Report, located: Sequence[Tracked | None]) -> int:
        """How many of a report's results are accepted; the events that they are about are `located`."""
        late: list[wire.RawResult] = []
        won: list[tuple[Tracked, wire.RawResult]] = []
        for tracked, result in zip(located, report.results, strict=True):
            if tracked is None:
                late.append(result)
            elif on_result(tracked.life) is Verdict.ACCEPT:
                won.append((tracked, result))
            else:
                self.counters.duplicates_dropped += 1
        self._untrack(task, [tracked for tracked, _ in won])
        self.counters.accepted += len(won)
        for tracked, result in won:
            event = tracked.event
            self._order += 1
            self._batch.accepted.append(Accepted(event.seq, self._order, encoded := bytes(result.outputs), result.many))
            if not tracked.counted:  # a former driver sent it
                self.counters.sent += 1
            if tracked.life.failures:
                self.health.accepted(event.seq, report.pilot)
            if self.on_accept is not None:
                self.on_accept(self._order, event, encoded)
        if self.host.listens or not self.router.ends[task]:
            for tracked, result in won:
                self._follow(tracked.event, result)
        for result in late:
            self._late_result(task, result)
        return len(won)

    def _follow(self, event: EventRow, result: wire.RawResult) -> None:
        """Plan what follows from an accepted result."""
        outputs = decode_outputs(result.outputs)
        if not self.router.ends[event.task]:
            self._plan(self.router.children(event, outputs))
        if self.host.listens:
            self._plan(self.host.advance(event, outputs, many=result.many))

    def _unsuccessful(self, tracked: Tracked, failure: wire.Failure, report: wire.Report, now: float) -> None:
        life, event = tracked.life, tracked.event
        pilot, host, reason = report.pilot, report.host, failure.reason
        if failure.kind is Kind.VANISHED:
            # The reporter got the message second; only a heartbeat can tell who had it first.
            pilot, host = self.holders.get(report.message_id, (f"unknown-{report.message_id}", report.host))
            self.hosts.add(host)
        flight = self.outbox.flights.get(report.message_id)
        if report.copy and (flight is None or event.id not in flight.left):
            return  # said before, or of a former driver's copy: the one that is out now is another
        verdict = on_unsuccessful(
            life,
            failure.kind,
            failure.attempt,
            self.graph.tasks[event.task].retry,
            alone=life.single or (flight is not None and flight.alone),
            copy=report.copy,
            holder=pilot,
            host=host,
            hosts=len(self.hosts),
        )
        _log.debug(verdict.value, extra={"event_id": event.id, "attempt": failure.attempt, "reason": reason})
        if verdict in {Verdict.STALE, Verdict.COPY_ENDED}:
            return
        if not report.copy:
            kind, detail = failure.kind.name.lower(), dict(failure.detail)
            attempt = Attempt(attempt=failure.attempt, kind=kind, reason=reason, pilot=pilot, host=host, detail=detail)
            self._batch.attempts.append((event.seq, attempt))
            self._batch.lives.append((event.seq, life))
            self._count(failure.kind, event.seq, pilot)
        if verdict is Verdict.RETRY:
            self._retry(tracked, failure.kind, now)
        elif verdict is Verdict.BURY:
            self._bury(tracked, reason)

    def _count(self, kind: Kind, seq: int, pilot: str) -> None:
        self.counters.vanished += kind is Kind.VANISHED
        self.counters.returned += kind is Kind.RETURNED
        if kind is Kind.FAILED:
            self.health.failed(seq, pilot)

    def _retry(self, tracked: Tracked, kind: Kind, now: float) -> None:
        delay = 0.0
        if kind is Kind.FAILED:
            self.counters.retried += 1
            delay = self.graph.tasks[tracked.event.task].retry.delay_after(tracked.life.failures)
        self.outbox.add(tracked, now + delay if delay else None)

    def _bury(self, tracked: Tracked, reason: str) -> None:
        event = tracked.event
        self._untrack(event.task, [tracked])
        self._order += 1
        self._batch.buried.append(Buried(event.seq, self._order, reason))
        self.counters.dead_lettered += 1
        self.health.buried(event.seq)
        _log.info(Verdict.BURY.value, extra={"event_id": event.id, "reason": reason})
        if self.host.listens:
            history = self.journal.history(event.seq) + [a for seq, a in self._batch.attempts if seq == event.seq]
            self._plan(self.host.buried(event, reason, history))

    def _late_result(self, task: int, result: wire.RawResult) -> None:
        if self._batch.buried or self._batch.late:
            self.commit()
        terminal = self.journal.find(task, result.id)
        if terminal is None or terminal.reason is None or terminal.outputs is not None:
            self.counters.duplicates_dropped += 1
            return
        _log.info(Verdict.KEEP.value, extra={"event_id": result.id})
        self._batch.late.append((terminal.event.seq, bytes(result.outputs), result.many))

    def _forget(self, known: Known) -> None:
        """Undo the planning of an event that the journal has already."""
        new, old = known
        check_known(new, old, self.graph)
        tracked = self._tables[new.task].get(new.id)
        if tracked is not None and tracked.event.seq == new.seq:
            tracked.life.phase = Phase.ACCEPTED
            self._untrack(new.task, [tracked])
            self.done_by_task[new.task] -= 1
        else:
            self.outstanding -= 1
        self.planned_by_task[new.task] -= 1
