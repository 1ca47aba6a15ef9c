"""The acceptor, step by step. `tests/property/test_ledger.py` tries the orders that nobody thinks of."""

from __future__ import annotations

from typing import Any

import pytest

from ewms.core.wire import Kind
from ewms.wms.counters import Counters

from .desk import Desk, MakeDesk, Sender, ended, graph_of, numbers, outcomes, report, result, succeeded


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


def test_what_waited_in_a_line_is_not_blamed_for_its_pilot(desk_of: MakeDesk) -> None:
    desk = desk_of(graph_of({"bundle": 1, "retry": {"max_vanishes": 1}}), Sender(numbers(100)))
    desk.ledger.outbox.run_times[0].observe(0.0001, 1)
    desk.take_source()
    first = desk.send()[0]
    assert first.ahead > 0
    desk.take(ended(first, Kind.VANISHED))
    assert desk.ledger.counters.dead_lettered == 0
    (again,) = desk.send()
    assert (again.events[0].id, again.events[0].attempt, again.ahead) == ("0", 2, 0)
    desk.take(ended(again, Kind.VANISHED, pilot="PL-2"))
    assert desk.ledger.counters.dead_lettered == 1


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
