from __future__ import annotations

from typing import Any

import pytest

from ewms.core import wire
from ewms.core.lifecycle import Life, Phase
from ewms.core.wire import WorkMessage
from ewms.stores.base import EventRow
from ewms.wms.outbox import Outbox, OutMessage, pack, unpack
from ewms.wms.tracked import Tracked

from .desk import graph_of


def outbox(*tasks: dict[str, Any], slots: int = 1, epoch: int = 1, max_bytes: int = 1000) -> Outbox:
    box = Outbox(graph_of(*tasks).tasks, epoch, max_bytes)
    box.slots = slots
    return box


def tracked(number: int, *, task: int = 0, data: bytes = b"", single: bool = False) -> Tracked:
    return Tracked(EventRow(number, task, str(number), b"", "json", data, None), Life(single=single))


def fill(box: Outbox, count: int, **event: Any) -> list[Tracked]:
    events = [tracked(number, **event) for number in range(1, count + 1)]
    for item in events:
        box.add(item)
    return events


def decoded(messages: list[OutMessage]) -> list[WorkMessage]:
    return [wire.decode_work(message.body) for message in messages]


def ids(messages: list[OutMessage]) -> list[list[str]]:
    return [[event.id for event in message.events] for message in decoded(messages)]


def test_what_is_packed_is_unpacked() -> None:
    items = [tracked(number) for number in (1, 2**40, 3)]
    items[1].life.attempt = 7
    assert unpack(pack(items)) == [(1, 1), (2**40, 7), (3, 1)]
    assert unpack(pack([])) == []


def test_a_message_holds_what_a_pilot_needs() -> None:
    box = outbox({"bundle": 2})
    item = Tracked(EventRow(1, 0, "a", b"", "@numpy", b"ref", wire.encode({"color": "red"})), Life(attempt=3))
    box.add(item)
    (message,) = box.form(0.0)
    assert decoded([message]) == [
        WorkMessage(wire.PROTOCOL, "1.1", "square", False, [wire.WorkEvent("a", "@numpy", b"ref", 3, {"color": "red"})])
    ]
    assert item.life.phase is Phase.SENT
    assert unpack(message.contents) == [(1, 3)]


def test_message_ids_are_never_used_twice_even_by_another_driver() -> None:
    minted = []
    for epoch in (1, 2, 17):
        box = outbox({"bundle": 1}, epoch=epoch, slots=100)
        fill(box, 40)
        minted += [message.message_id for message in box.form(0.0)]
    assert len(set(minted)) == 120


def test_events_travel_singly_until_the_run_time_is_known() -> None:
    box = outbox()
    fill(box, 3)
    assert ids(box.form(0.0)) == [["1"], ["2"], ["3"]]


def test_bundles_hold_a_tenth_of_a_second_of_work() -> None:
    box = outbox()
    box.run_times[0].observe(0.25, 10)
    fill(box, 60)
    assert [len(bundle) for bundle in ids(box.form(0.0))] == [4] * 15


def test_little_work_is_shared_by_two_messages_for_each_slot() -> None:
    box = outbox(slots=5)
    box.run_times[0].observe(0.0, 1)
    fill(box, 30)
    assert [len(bundle) for bundle in ids(box.form(0.0))] == [3] * 10


def test_while_slots_are_busy_messages_wait_until_they_are_full() -> None:
    box = outbox({"bundle": 3})
    fill(box, 8)
    first, _ = box.form(0.0)
    assert box.form(0.0) == []
    box.add(tracked(9))
    assert ids(box.form(0.0)) == [["7", "8", "9"]]
    box.add(tracked(10))
    box.settle(first.message_id, ["1", "2", "3"])
    assert box.form(0.0) == []
    box.settle("1.2", ["4", "5", "6"])
    assert ids(box.form(0.0)) == [["10"]]


def test_a_bundle_keeps_within_the_message_size() -> None:
    box = outbox({"bundle": 100}, slots=9, max_bytes=1000)
    fill(box, 10, data=b"x" * 250)
    assert ids(box.form(0.0)) == [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"], ["10"]]


def test_an_event_above_the_message_size_travels_alone() -> None:
    box = outbox({"bundle": 100}, slots=9, max_bytes=1000)
    for item in (tracked(1), tracked(2, data=b"x" * 5000), tracked(3)):
        box.add(item)
    assert ids(box.form(0.0)) == [["1"], ["2"], ["3"]]


def test_blamed_events_travel_alone_and_first() -> None:
    box = outbox({"bundle": 100}, slots=9)
    fill(box, 2)
    box.add(tracked(8, single=True))
    box.add(tracked(9, single=True))
    assert ids(box.form(0.0)) == [["8"], ["9"], ["1", "2"]]


def test_downstream_events_go_first() -> None:
    box = outbox({}, {"name": "store", "input": "squares", "output": []})
    box.add(tracked(1, task=0))
    box.add(tracked(2, task=1))
    assert [message.task for message in decoded(box.form(0.0))] == ["store", "square"]


def test_short_messages_may_wait_in_line_and_are_sent_many_at_once() -> None:
    box = outbox({"bundle": 1}, slots=2)
    box.run_times[0].observe(0.0001, 1)
    fill(box, 1000)
    first = decoded(box.form(0.0))
    assert len(first) == 584
    assert {message.ahead for message in first} == {32}
    assert not any(flight.alone for flight in box.flights.values())
    for number in range(127):
        box.settle(first[number].message_id, [str(number + 1)])
        assert box.form(0.0) == []
    box.settle(first[127].message_id, ["128"])
    assert len(box.form(0.0)) == 128


def test_events_that_are_suspected_never_wait_in_line() -> None:
    box = outbox({"bundle": 1}, slots=2)
    box.run_times[0].observe(0.0001, 1)
    fill(box, 1000)
    box.form(0.0)
    box.add(tracked(2000, single=True))
    (message,) = decoded(box.form(0.0))
    assert (message.events[0].id, message.ahead) == ("2000", 0)
    assert box.flights[message.message_id].alone


@pytest.mark.parametrize(("seconds", "events"), [(0.011, 1000), (0.0001, 3)])
def test_long_messages_and_the_last_ones_do_not_wait_in_line(seconds: float, events: int) -> None:
    box = outbox({"bundle": 1}, slots=2)
    box.run_times[0].observe(seconds, 1)
    fill(box, events)
    assert {message.ahead for message in decoded(box.form(0.0))} == {0}


def test_bundles_wait_one_behind_another() -> None:
    box = outbox(slots=2, max_bytes=1 << 20)
    box.run_times[0].observe(0.0, 1)
    fill(box, 100)
    assert [(len(message.events), message.ahead) for message in decoded(box.form(0.0))] == [(25, 1)] * 4


def test_no_more_is_out_than_pilots_have_use_for() -> None:
    box = outbox({"bundle": 1}, slots=10)
    fill(box, 500)
    first = box.form(0.0)
    assert len(first) == 104
    assert box.form(0.0) == []
    assert box.settle(first[0].message_id, ["1"])
    assert ids(box.form(0.0)) == [["105"]]


def test_a_retry_waits_for_its_delay() -> None:
    box = outbox()
    assert box.idle
    late, early = tracked(1), tracked(2)
    box.add(late, due=20.0)
    box.add(early, due=10.0)
    assert not box.idle
    assert box.next_due == 10.0
    assert box.form(9.9) == []
    assert ids(box.form(10.0)) == [["2"]]
    assert box.next_due == 20.0
    assert ids(box.form(30.0)) == [["1"]]
    assert box.idle
    assert box.next_due is None


def test_what_was_accepted_while_it_waited_is_not_sent() -> None:
    box = outbox({"bundle": 2})
    items = fill(box, 3)
    items[1].life.phase = Phase.ACCEPTED
    assert ids(box.form(0.0)) == [["1", "3"]]
    items = fill(box, 1)
    items[0].life.phase = Phase.ACCEPTED
    assert box.form(0.0) == []


def test_a_message_is_settled_when_each_of_its_events_was_reported() -> None:
    box = outbox({"bundle": 3})
    fill(box, 3)
    (message,) = box.form(0.0)
    assert not box.settle(message.message_id, ["1", "2"])
    assert not box.settle(message.message_id, ["1", "2"]), "a duplicate tells nothing about the third"
    assert not box.settle("unknown", ["3"])
    assert box.settle(message.message_id, ["3"])
    assert box.flights == {}


def straggling(box: Outbox, count: int, mean: float = 0.001) -> list[Tracked]:
    """Events that were sent at time 0 although events like theirs take no time."""
    box.run_times[0].observe(mean, 1)
    items = fill(box, count)
    box.form(0.0)
    assert box.copies(0.0) == []
    return items


def test_stragglers_are_copied_for_slots_that_would_idle() -> None:
    box = outbox({"bundle": 1}, slots=3)
    items = straggling(box, 2)
    assert box.copies(0.9) == []
    (copy,) = decoded(box.copies(1.1))
    assert copy.copy
    assert [event.id for event in copy.events] == ["1"]
    assert items[0].life.copy_out
    assert box.copies(1.1) == [], "the third slot is taken now"


def test_the_wait_for_a_slot_is_not_held_against_a_message() -> None:
    box = outbox({"bundle": 1}, slots=2)
    box.run_times[0].observe(0.001, 1)
    fill(box, 2)
    first, _ = box.form(0.0)
    assert box.copies(100.0) == [], "no slot would idle"
    box.settle(first.message_id, ["1"])
    assert box.copies(100.0) == []
    assert ids(box.copies(101.1)) == [["2"]]


def test_a_straggler_is_one_by_its_own_kind_s_measure() -> None:
    box = outbox({"bundle": 1}, slots=9)
    straggling(box, 1, mean=100.0)
    assert box.copies(300.0) == []
    assert len(box.copies(302.0)) == 1


def test_nothing_is_copied_without_need() -> None:
    busy = outbox({"bundle": 1}, slots=2)
    straggling(busy, 2)
    assert busy.copies(1e6) == [], "no slot would idle"
    unmeasured = outbox({"bundle": 1}, slots=9)
    fill(unmeasured, 1)
    unmeasured.form(0.0)
    assert unmeasured.copies(1e6) == [], "nobody knows how long it should take"
    forbidden = outbox({"bundle": 1, "speculate": False}, slots=9)
    straggling(forbidden, 1)
    assert forbidden.copies(1e6) == []


def test_an_attempt_is_copied_once_and_a_copy_never() -> None:
    box = outbox({"bundle": 1}, slots=9)
    (item,) = straggling(box, 1)
    (copy,) = box.copies(10.0)
    assert box.copies(1e6) == []
    box.settle(copy.message_id, ["1"])
    item.life.copy_out = False
    assert box.copies(1e6) == []


def test_only_what_is_missing_of_a_bundle_is_copied() -> None:
    box = outbox({"bundle": 3}, slots=9)
    fill(box, 3)
    (message,) = box.form(0.0)
    box.run_times[0].observe(0.001, 1)
    box.settle(message.message_id, ["1", "3"])
    assert box.copies(0.0) == []
    assert ids(box.copies(10.0)) == [["2"]]


def test_what_a_broker_lost_is_sent_again_under_new_ids() -> None:
    box = outbox({"bundle": 2}, slots=9)
    items = straggling(box, 3)
    copies = box.copies(10.0)
    lost = set(box.flights)
    items[2].life.phase = Phase.ACCEPTED
    assert set(box.resend()) == lost
    assert copies[0].message_id in lost
    assert not any(item.life.copy_out for item in items)
    again = box.form(0.0)
    assert ids(again) == [["1", "2"]]
    assert [event.attempt for event in decoded(again)[0].events] == [1, 1], "the same attempt"
    assert not lost & {message.message_id for message in again}


def test_an_event_held_for_a_lost_copy_gets_one_more_attempt() -> None:
    box = outbox({"bundle": 1}, slots=9)
    (item,) = straggling(box, 1)
    (copy,) = box.copies(10.0)
    item.life.phase = Phase.HELD
    box.settle("1.1", ["1"])
    assert box.resend() == [copy.message_id]
    (again,) = decoded(box.form(0.0))
    assert (again.copy, again.events[0].attempt) == (False, 2)


@pytest.mark.parametrize("count", [1, 3])
def test_what_a_former_driver_sent_is_out(count: int) -> None:
    box = outbox({"bundle": 5})
    items = [tracked(number) for number in range(1, count + 1)]
    for item in items:
        box.restore("old.1", item, 5.0)
    assert all(item.life.phase is Phase.SENT for item in items)
    assert box.form(0.0) == []
    assert box.settle("old.1", [item.event.id for item in items])
