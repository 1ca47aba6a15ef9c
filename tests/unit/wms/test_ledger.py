"""The acceptor, step by step. `tests/property/test_ledger.py` tries the orders that nobody thinks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from ewms.core.errors import ApplicationError, InputError
from ewms.core.event import DeadLetter, Event, Outcome
from ewms.core.graph import Graph
from ewms.core.wire import Kind
from ewms.stores.base import Batch
from ewms.wms.counters import Counters

from .desk import Desk, Sender, ended, graph_of, numbers, report, result, succeeded

MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk_of(tmp_path: Path) -> MakeDesk:
    def make(graph: Graph | None = None, application: Any = None, **options: Any) -> Desk:
        return Desk(tmp_path, graph or graph_of(), application or Sender(numbers(1)), **options)

    return make


def outcomes(desk: Desk) -> dict[str, bytes | None]:
    return {terminal.event.id: terminal.outputs for terminal in desk.journal.terminals() if terminal.reason is None}


def test_counts_can_be_stored() -> None:
    counters = Counters(sent=3, accepted=2, speculative=1)
    assert Counters.from_dict(counters.as_dict()) == counters


def test_from_source_to_the_end(desk_of: MakeDesk) -> None:
    desk = desk_of(application=Sender(numbers(3)))
    assert desk.ledger.wants_source
    desk.take_source()
    for message in desk.send():
        assert not desk.ledger.complete
        desk.take(succeeded(message, 49))
    assert desk.ledger.complete
    assert desk.ledger.counters == Counters(sent=3, accepted=3)
    assert list(outcomes(desk)) == ["0", "1", "2"]


def test_it_is_not_complete_before_the_commit(desk_of: MakeDesk) -> None:
    desk = desk_of()
    desk.take_source()
    (message,) = desk.send()
    desk.take(succeeded(message), commit=False)
    assert not desk.ledger.complete
    desk.ledger.commit()
    assert desk.ledger.complete


def test_a_workflow_without_events_is_complete(desk_of: MakeDesk) -> None:
    desk = desk_of(application=Sender())
    desk.take_source()
    desk.ledger.commit()
    assert desk.ledger.complete


def test_the_first_result_wins(desk_of: MakeDesk) -> None:
    desk = desk_of()
    desk.take_source()
    (message,) = desk.send()
    desk.take(succeeded(message, "first"))
    first = outcomes(desk)
    desk.take(succeeded(message, "second"))
    assert outcomes(desk) == first
    assert desk.ledger.counters.duplicates_dropped == 1


def test_the_first_result_wins_within_one_commit(desk_of: MakeDesk) -> None:
    desk = desk_of()
    desk.take_source()
    (message,) = desk.send()
    (event,) = message.events
    desk.take(report(message, results=[result(event, "first"), result(event, "second")]))
    assert b"first" in (outcomes(desk)["0"] or b"")
    assert desk.ledger.counters == Counters(sent=1, accepted=1, duplicates_dropped=1)


def test_an_event_fails_until_it_is_buried(desk_of: MakeDesk) -> None:
    desk = desk_of(graph_of({"retry": {"max_failures": 2, "delay": 5.0}}))
    desk.take_source()
    (message,) = desk.send()
    desk.take(ended(message, Kind.FAILED, pilot="PL-1"))
    desk.take(ended(message, Kind.FAILED, pilot="PL-1"))
    assert desk.send() == [], "a retry waits for its delay; a duplicate does not count"
    desk.now = 5.0
    (message,) = desk.send()
    assert message.events[0].attempt == 2
    desk.take(ended(message, Kind.FAILED, pilot="PL-2"))
    (letter,) = desk.journal.letters()
    assert letter.reason == "failed on PL-2"
    history = [(attempt.attempt, attempt.kind, attempt.pilot) for attempt in desk.journal.history(letter.event.seq)]
    assert history == [(1, "failed", "PL-1"), (2, "failed", "PL-2")]
    assert desk.ledger.complete
    assert desk.ledger.counters == Counters(sent=1, dead_lettered=1, retried=1)


def test_a_drained_pilot_s_event_is_never_blamed(desk_of: MakeDesk) -> None:
    desk = desk_of(graph_of({"retry": {"max_failures": 1, "max_vanishes": 1}}))
    desk.take_source()
    for attempt in range(1, 30):
        (message,) = desk.send()
        assert message.events[0].attempt == attempt
        desk.take(ended(message, Kind.RETURNED))
    (message,) = desk.send()
    desk.take(succeeded(message))
    assert desk.ledger.counters == Counters(sent=1, accepted=1, returned=29)


def test_pilots_that_vanish_are_counted_once_each(desk_of: MakeDesk) -> None:
    """The pilot that held the message is the one that vanished, not the one that tells."""
    desk = desk_of(graph_of({"retry": {"max_vanishes": 2}}))
    desk.take_source()
    for holder in ("PL-1", "PL-1", "PL-1"):
        (message,) = desk.send()
        desk.ledger.holders[message.message_id] = (holder, "north")
        desk.take(ended(message, Kind.VANISHED, pilot="PL-teller", host="north"))
    (message,) = desk.send()
    desk.ledger.holders[message.message_id] = ("PL-2", "north")
    desk.take(ended(message, Kind.VANISHED, pilot="PL-teller", host="north"))
    (letter,) = desk.journal.letters()
    assert [attempt.pilot for attempt in desk.journal.history(letter.event.seq)] == ["PL-1", "PL-1", "PL-1", "PL-2"]
    assert desk.ledger.counters == Counters(sent=1, dead_lettered=1, vanished=4)
    assert desk.ledger.holders == {}


def test_one_host_alone_does_not_bury(desk_of: MakeDesk) -> None:
    """Where there are two hosts, vanishing on one only is perhaps the host's fault."""
    desk = desk_of(graph_of({"retry": {"max_vanishes": 2}}))
    desk.take_source()
    for number, host in enumerate(["north", "north", "north", "south"]):
        assert list(desk.journal.letters()) == []
        (message,) = desk.send()
        desk.ledger.holders[message.message_id] = (f"PL-{number}", host)
        desk.take(ended(message, Kind.VANISHED, host="south"))
    assert len(list(desk.journal.letters())) == 1


def test_a_bundle_s_loss_blames_nobody_in_it(desk_of: MakeDesk) -> None:
    desk = desk_of(graph_of({"bundle": 3, "retry": {"max_vanishes": 1}}), Sender(numbers(3)))
    desk.take_source()
    (bundle,) = desk.send()
    assert len(bundle.events) == 3
    desk.take(ended(bundle, Kind.VANISHED))
    assert list(desk.journal.letters()) == []
    singles = desk.send()
    assert [len(message.events) for message in singles] == [1, 1, 1]
    desk.take(ended(singles[1], Kind.VANISHED))
    assert [letter.event.id for letter in desk.journal.letters()] == ["1"]


def test_a_duplicate_report_does_not_settle_a_message(desk_of: MakeDesk) -> None:
    """Otherwise the third event would be sent to nobody again when the broker loses the message."""
    desk = desk_of(graph_of({"bundle": 3}), Sender(numbers(3)))
    desk.take_source()
    (bundle,) = desk.send()
    part = report(bundle, results=[result(event) for event in bundle.events[:2]])
    desk.take(part)
    desk.take(part)
    assert [name for name, _ in desk.journal.sent_messages()] == [bundle.message_id]
    desk.ledger.resend()
    (again,) = desk.send()
    assert [event.id for event in again.events] == ["2"]


def test_a_report_on_an_unknown_task_is_dropped(desk_of: MakeDesk, caplog: pytest.LogCaptureFixture) -> None:
    desk = desk_of()
    desk.take_source()
    (message,) = desk.send()
    message = type(message)(message.protocol, message.message_id, "cube", False, message.events)
    desk.take(succeeded(message))
    assert desk.ledger.outstanding == 1
    assert "unknown_task_reported" in caplog.text


def test_a_spoiling_pilot_is_found(desk_of: MakeDesk) -> None:
    desk = desk_of(application=Sender(numbers(3)))
    desk.take_source()
    for message in desk.send():
        desk.take(ended(message, Kind.FAILED, pilot="PL-bad"))
    for message in desk.send():
        desk.take(succeeded(message, pilot="PL-good"))
    assert desk.ledger.health.condemned() == ["PL-bad"]


# Speculative copies.


def speculating(desk_of: MakeDesk, **retry: Any) -> Desk:
    """A desk with one straggler whose copy is about to be made."""
    desk = desk_of(graph_of({"retry": retry}), Sender(numbers(2)), slots=4)
    desk.take_source()
    _, message = desk.send()
    desk.take(succeeded(message))
    desk.now = 100.0
    return desk


def test_a_copy_that_fails_first_changes_nothing(desk_of: MakeDesk) -> None:
    desk = speculating(desk_of, max_failures=1)
    (copy,) = desk.send()
    assert copy.copy
    desk.take(ended(copy, Kind.FAILED, pilot="PL-copy"))
    assert desk.ledger.outstanding == 1
    assert desk.journal.history(1) == []
    assert desk.send() == [], "copies are never retried"


def test_nothing_is_buried_while_its_copy_is_out(desk_of: MakeDesk) -> None:
    desk = speculating(desk_of, max_failures=1)
    original = next(name for name in desk.ledger.outbox.flights)
    (copy,) = desk.send()
    failed = type(copy)(copy.protocol, original, copy.task, False, copy.events)
    desk.take(ended(failed, Kind.FAILED))
    assert list(desk.journal.letters()) == []
    desk.take(succeeded(copy))
    assert desk.ledger.complete
    assert desk.ledger.counters == Counters(sent=2, accepted=2, speculative=1)


def test_a_former_copy_s_end_does_not_end_the_copy_that_is_out(desk_of: MakeDesk) -> None:
    desk = speculating(desk_of, max_failures=1)
    (former,) = desk.send()
    desk.ledger.resend()
    (original,) = desk.send()
    desk.now += 100.0
    (copy,) = desk.send()
    desk.take(ended(former, Kind.FAILED))
    desk.take(ended(original, Kind.FAILED))
    assert list(desk.journal.letters()) == []
    desk.take(ended(copy, Kind.FAILED))
    assert [letter.event.id for letter in desk.journal.letters()] == ["0"]


# Late results and restarts.


def test_a_late_result_is_kept_with_the_letter(desk_of: MakeDesk) -> None:
    desk = desk_of(graph_of({"retry": {"max_failures": 1}}))
    desk.take_source()
    (message,) = desk.send()
    desk.take(ended(message, Kind.FAILED), commit=False)
    desk.take(succeeded(message, "late"))
    desk.take(succeeded(message, "later"))
    (letter,) = desk.journal.letters()
    assert b"late" in (letter.outputs or b"")
    assert b"later" not in (letter.outputs or b"")
    assert desk.ledger.counters == Counters(sent=1, dead_lettered=1, duplicates_dropped=1)


def test_unfinished_events_are_sent_again_after_a_restart(desk_of: MakeDesk) -> None:
    desk = desk_of(application=Sender(numbers(3)))
    desk.take_source()
    messages = desk.send()
    desk.take(succeeded(messages[0]))
    desk.open(Sender(numbers(3)))
    assert desk.ledger.source_done
    assert desk.ledger.counters.sent == 1
    again = desk.send()
    assert [message.events[0].id for message in again] == ["1", "2"]
    assert not {message.message_id for message in again} & {message.message_id for message in messages}
    desk.take(succeeded(messages[1]))
    desk.take(succeeded(again[0]))
    desk.take(succeeded(again[1]))
    assert desk.ledger.complete
    assert desk.ledger.counters == Counters(sent=3, accepted=3, duplicates_dropped=1)


def test_a_report_that_comes_before_anything_is_sent_again_is_accepted(desk_of: MakeDesk) -> None:
    desk = desk_of()
    desk.take_source()
    (message,) = desk.send()
    desk.ledger.commit()
    desk.open(Sender(numbers(1)))
    desk.take(succeeded(message))
    assert desk.ledger.complete
    assert desk.ledger.counters == Counters(sent=1, accepted=1)
    assert desk.send() == []


def test_attempts_are_counted_across_restarts(desk_of: MakeDesk) -> None:
    desk = desk_of(graph_of({"retry": {"max_failures": 2}}))
    desk.take_source()
    (message,) = desk.send()
    desk.take(ended(message, Kind.FAILED))
    desk.open(Sender(numbers(1)))
    (again,) = desk.send()
    desk.take(ended(message, Kind.FAILED))
    assert again.events[0].attempt == 2
    assert list(desk.journal.letters()) == []
    desk.take(ended(again, Kind.FAILED))
    assert len(list(desk.journal.letters())) == 1


def test_messages_that_are_still_out_are_not_sent_again(desk_of: MakeDesk) -> None:
    desk = desk_of(graph_of({"bundle": 2}), Sender(numbers(4)))
    assert not desk.ledger.adopt_stream("stream-1"), "nothing was recorded before"
    desk.take_source()
    first, second = desk.send()
    desk.take(ended(first, Kind.FAILED))
    desk.ledger.commit()
    desk.open(Sender(numbers(4)))
    assert desk.ledger.adopt_stream("stream-1")
    desk.ledger.restore()
    assert [[event.id for event in message.events] for message in desk.send()] == [["0"], ["1"]], "attempts that are over"
    desk.take(succeeded(second))
    assert sorted(outcomes(desk)) == ["2", "3"]
    assert second.message_id not in desk.ledger.outbox.flights


@pytest.mark.parametrize(("stream", "kept"), [("stream-2", True), ("stream-1", False)])
def test_messages_that_are_gone_are_sent_again(desk_of: MakeDesk, stream: str, kept: bool) -> None:
    desk = desk_of()
    desk.ledger.adopt_stream("stream-1")
    desk.take_source()
    desk.send()
    desk.ledger.commit()
    desk.open(Sender(numbers(1)))
    assert not desk.ledger.adopt_stream(stream, kept=kept)
    assert list(desk.journal.sent_messages()) == []
    desk.ledger.restore()
    assert len(desk.send()) == 1


# Events that are planned twice.


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (0, r"duplicate id: the source sends event '0' to queue 'numbers' twice"),
        (7, r"duplicate id: event '0' of queue 'numbers' was planned with body b'0' and is now b'7'"),
    ],
)
def test_a_source_that_repeats_an_id_is_told(desk_of: MakeDesk, committed: bool, body: int, words: str) -> None:
    desk = desk_of(application=Sender([*numbers(2), Event(id="0", body=body)]))
    desk.pull(2)
    if committed:
        for message in desk.send():
            desk.take(succeeded(message))
    with pytest.raises(InputError, match=words):
        desk.pull(1)
        desk.ledger.commit()


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


def test_an_answer_that_is_known_is_dropped(desk_of: MakeDesk) -> None:
    desk = desk_of(application=Answering(Event(id="0", body=0), Event(id="more", body=1)))
    desk.take_source()
    sent = []
    while messages := desk.send():
        for message in messages:
            sent.append(message.events[0].id)
            desk.take(succeeded(message, 1))
    assert sent == ["0", "1", "more"]
    assert desk.ledger.complete
    assert desk.ledger.counters == Counters(sent=3, accepted=3)
    assert desk.ledger.planned_by_task == desk.ledger.done_by_task == [3]


def test_a_duplicate_report_beside_a_known_answer(desk_of: MakeDesk) -> None:
    """Event 0 is done; it is answered anew and reported anew in one commit."""
    desk = desk_of(application=Answering(Event(id="0", body=0)))
    desk.take_source()
    first, second = desk.send()
    desk.take(succeeded(first, "first"))
    desk.take(succeeded(second), commit=False)
    desk.take(succeeded(first, "second"))
    assert desk.journal.counts() == (2, 2, 0)
    assert b"first" in (outcomes(desk)["0"] or b"")
    assert desk.ledger.counters == Counters(sent=2, accepted=2, duplicates_dropped=1)
    assert desk.ledger.complete


def test_an_answer_with_another_body_is_told(desk_of: MakeDesk) -> None:
    desk = desk_of(application=Answering(Event(id="1", body="other")))
    desk.take_source()
    message, _ = desk.send()
    with pytest.raises(InputError, match=r"event '1' of queue 'numbers' was planned with body b'1' and is now b'\"other\"'"):
        desk.take(succeeded(message))


def test_an_application_that_raises_leaves_the_journal_as_it_was(desk_of: MakeDesk) -> None:
    class Wrong(Sender):
        def advance(self, outcome: Outcome) -> Iterable[Event]:
            raise KeyError(outcome.id)

    desk = desk_of(application=Wrong(numbers(1)))
    desk.take_source()
    (message,) = desk.send()
    with pytest.raises(ApplicationError, match=r"Wrong.advance raised KeyError: '0'"):
        desk.take(succeeded(message))
    desk.open(Sender(numbers(1)))
    (again,) = desk.send()
    desk.take(succeeded(again))
    assert desk.ledger.complete


def test_an_application_is_rebuilt_by_folding_the_journal(desk_of: MakeDesk) -> None:
    graph = graph_of({"retry": {"max_failures": 1}})
    application = Answering(Event(id="more", body=1))
    desk = desk_of(graph, application)
    desk.take_source()
    zero, one = desk.send()
    desk.take(ended(one, Kind.FAILED))
    desk.take(succeeded(zero, 7))
    before = desk.journal.counts()
    again = Answering(Event(id="more", body=1))
    desk.open(again)
    desk.ledger.fold()
    assert again.told == application.told == ["1: failed on PL-1 after 1", "0=(7,)"]
    assert desk.journal.counts() == before == (3, 1, 1)
    assert (desk.ledger.outstanding, desk.ledger.planned_by_task, desk.ledger.done_by_task) == (1, [3], [2])
    (more,) = desk.send()
    desk.take(succeeded(more))
    assert desk.ledger.complete


def test_a_corrected_application_may_answer_more(desk_of: MakeDesk) -> None:
    desk = desk_of(application=Answering())
    desk.take_source()
    for message in desk.send():
        desk.take(succeeded(message))
    assert desk.ledger.complete
    desk.open(Answering(Event(id="forgotten", body=1)))
    desk.ledger.fold()
    assert not desk.ledger.complete
    assert [message.events[0].id for message in desk.send()] == ["forgotten"]


# Memory.


@pytest.mark.parametrize("restart", [False, True])
def test_a_tiny_window_bounds_memory_and_loses_nothing(desk_of: MakeDesk, restart: bool) -> None:
    window, events, fan_out = 10, 1000, 3
    graph = graph_of({"bundle": 4, "output": "parts"}, {"name": "store", "input": "parts", "output": [], "bundle": 4})
    desk = desk_of(graph, Sender(numbers(events)), window=window, slots=2)
    largest = 0
    for step in range(10**5):
        desk.pull(5)
        largest = max(largest, sum(map(len, desk.ledger._tables)))
        for message in desk.send():
            values = range(fan_out) if message.task == "square" else ()
            desk.take(succeeded(message, *values))
        if desk.ledger.complete:
            break
        if restart and step % 50 == 49:
            desk.journal.close()
            desk.open(Sender(numbers(events)))
    assert desk.ledger.complete
    assert desk.journal.counts() == (events * (1 + fan_out),) * 2 + (0,)
    assert desk.ledger.counters.sent == events * (1 + fan_out)
    assert largest <= window + 5, "the window and one chunk of the source"


def test_large_bodies_fill_the_window_early(desk_of: MakeDesk) -> None:
    desk = desk_of(application=Sender(Event(id=str(number), body="x" * 400_000) for number in range(100)))
    desk.ledger._max_held = 10 * 400_000
    for _ in range(100):
        desk.pull(1)
    assert not desk.ledger.wants_source
    assert desk.ledger.source_count == 10


def test_nothing_is_written_when_nothing_happened(desk_of: MakeDesk) -> None:
    desk = desk_of()
    desk.take_source()
    desk.ledger.commit()
    newer = type(desk.journal)(desk.journal.path)
    desk.ledger.commit()  # would raise StaleEpoch
    assert newer.commit(Batch(values={"x": 1})) == []
