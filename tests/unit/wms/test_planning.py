"""Which events the ledger takes on: none twice, and no more than memory is meant to hold."""

from __future__ import annotations

import pytest

from ewms.core.errors import InputError
from ewms.core.event import Event
from ewms.stores.base import Batch
from ewms.wms.counters import Counters

from .desk import Answering, MakeDesk, Sender, graph_of, numbers, outcomes, succeeded


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
        desk.pull_and_commit(1)


def test_a_repeated_id_is_met_again_on_resume_until_it_is_mended(desk_of: MakeDesk) -> None:
    repeating = [*numbers(2), Event(id="0", body=0), Event(id="3", body=3)]
    desk = desk_of(application=Sender(repeating))
    desk.pull(2)
    for message in desk.send():
        desk.take(succeeded(message))
    with pytest.raises(InputError, match="duplicate id"):
        desk.pull_and_commit(5)
    desk.open(Sender(repeating))
    desk.ledger.reload(0.0)
    with pytest.raises(InputError, match="duplicate id"):
        desk.pull_and_commit(5)
    desk.open(Sender([*numbers(2), Event(id="2", body=2), Event(id="3", body=3)]))
    desk.ledger.reload(0.0)
    desk.pull_and_commit(5)
    for message in desk.send():
        desk.take(succeeded(message))
    assert sorted(outcomes(desk)) == ["0", "1", "2", "3"]
    assert desk.ledger.complete


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
    desk.ledger._memory.max_bytes = 10 * 400_000
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
