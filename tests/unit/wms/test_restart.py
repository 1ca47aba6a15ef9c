"""The acceptor after a restart, and what comes late."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ewms.core.errors import ApplicationError
from ewms.core.event import Event, Outcome
from ewms.core.wire import Failure, Kind
from ewms.wms.counters import Counters

from .desk import Answering, MakeDesk, Sender, ended, graph_of, numbers, outcomes, report, result, succeeded


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
    failure = Failure(first.events[0].id, 1, Kind.FAILED, "bad")
    desk.take(report(first, failures=[failure]))
    desk.open(Sender(numbers(4)))
    assert desk.ledger.adopt_stream("stream-1")
    desk.ledger.restore()
    (retry,) = desk.send()
    assert [(event.id, event.attempt) for event in retry.events] == [("0", 2)], "the attempt that is out is over"
    desk.take(report(first, results=[result(first.events[1])]))
    desk.take(succeeded(second))
    assert sorted(outcomes(desk)) == ["1", "2", "3"]
    assert set(desk.ledger.outbox.flights) == {retry.message_id}


@pytest.mark.parametrize("restarted", [False, True])
def test_messages_that_a_broker_lost_are_not_counted_on_after_a_restart(desk_of: MakeDesk, restarted: bool) -> None:
    """Whether the driver that sent them found the loss out, or one that had not even loaded their events."""
    desk = desk_of(application=Sender(numbers(3)))
    desk.ledger.adopt_stream("stream-1")
    desk.take_source()
    assert len(desk.send()) == 3
    desk.ledger.commit()
    if restarted:
        desk.open(Sender(numbers(3)))
        assert desk.ledger.adopt_stream("stream-1")
        desk.ledger.restore()
    desk.ledger.resend()
    desk.open(Sender(numbers(3)))
    assert desk.ledger.adopt_stream("stream-1")
    desk.ledger.restore()
    assert [message.events[0].id for message in desk.send()] == ["0", "1", "2"]


def test_what_is_left_of_a_bundle_is_not_blamed_for_its_loss(desk_of: MakeDesk) -> None:
    """The new driver knows only the last event of the message; the pilot may have vanished over another."""
    desk = desk_of(graph_of({"bundle": 2, "retry": {"max_vanishes": 1}}), Sender(numbers(2)))
    desk.ledger.adopt_stream("stream-1")
    desk.take_source()
    (bundle,) = desk.send()
    desk.take(report(bundle, results=[result(bundle.events[0])]))
    desk.open(Sender(numbers(2)))
    desk.ledger.adopt_stream("stream-1")
    desk.ledger.restore()
    assert desk.send() == []
    desk.take(ended(bundle, Kind.VANISHED))
    assert list(desk.journal.letters()) == []
    assert [[event.id for event in message.events] for message in desk.send()] == [["1"]]


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
