from __future__ import annotations

from typing import Any

import pytest

from ewms.core.wire import Kind
from ewms.wms.counters import Counters
from ewms.wms.replay import replay
from ewms.wms.routing import Router

from .desk import Desk, MakeDesk, Sender, ended, graph_of, numbers, succeeded

GRAPH = graph_of({"retry": {"max_failures": 1}, "output": "parts"}, {"name": "store", "input": "parts", "output": []})


@pytest.fixture
def desk(desk_of: MakeDesk) -> Desk:
    """Two events, both dead letters; a late result of the first came in."""
    desk: Desk = desk_of(GRAPH, Sender(numbers(2)))
    desk.take_source()
    messages = desk.send()
    for message in messages:
        desk.take(ended(message, Kind.FAILED))
    desk.take(succeeded(messages[0], "a", "b"))
    assert desk.ledger.complete
    return desk


def replayed(desk: Desk, *ids: str) -> int:
    letters = [letter for letter in desk.journal.letters() if letter.event.id in ids]
    count = replay(desk.journal, Router(desk.graph), letters)
    desk.open(Sender(numbers(2)))
    return count


def sent(desk: Desk) -> list[tuple[str, str, int]]:
    return [(message.task, event.id, event.attempt) for message in desk.send() for event in message.events]


def test_a_late_result_is_accepted_unrun_and_its_children_are_planned(desk: Desk) -> None:
    assert replayed(desk, "0") == 1
    assert desk.journal.counts() == (4, 1, 1)
    assert desk.ledger.counters == Counters(sent=2, accepted=1, dead_lettered=1)
    assert sent(desk) == [("store", "0/square/0", 1), ("store", "0/square/1", 1)]


def test_a_letter_without_one_gets_a_new_attempt_with_all_tries(desk: Desk) -> None:
    assert replayed(desk, "1") == 1
    assert sent(desk) == [("square", "1", 2)]
    assert desk.ledger.counters == Counters(sent=2, dead_lettered=1)
    assert [attempt.attempt for attempt in desk.journal.history(2)] == [1]


def test_a_replayed_workflow_completes(desk: Desk) -> None:
    assert replayed(desk, "0", "1") == 2
    assert not desk.ledger.complete
    while messages := desk.send():
        for message in messages:
            desk.take(succeeded(message, *("xy" if message.task == "square" else ())))
    assert desk.ledger.complete
    assert desk.journal.counts() == (6, 6, 0)
    assert desk.ledger.counters == Counters(sent=6, accepted=6)


def test_a_letter_may_be_buried_again(desk: Desk) -> None:
    replayed(desk, "1")
    (message,) = desk.send()
    desk.take(ended(message, Kind.FAILED))
    letters: list[Any] = [letter for letter in desk.journal.letters() if letter.event.id == "1"]
    assert len(letters) == 1
    assert [attempt.attempt for attempt in desk.journal.history(2)] == [1, 2]
    assert replayed(desk, "1") == 1
    assert sent(desk) == [("square", "1", 3)]


def test_nothing_to_replay_writes_nothing(desk: Desk) -> None:
    before = desk.journal.value("counters"), desk.journal.value("state")
    assert replayed(desk) == 0
    assert (desk.journal.value("counters"), desk.journal.value("state")) == before
