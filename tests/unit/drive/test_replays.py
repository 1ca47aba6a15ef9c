"""Requests for replay are carried out once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ewms.core.graph import build_graph
from ewms.core.service.workflow import ReplayRequest
from ewms.core.spec import parse_spec
from ewms.drive.replays import carry_out
from ewms.stores.base import Batch, Buried, EventRow
from ewms.stores.sqlite import SqliteJournal
from ewms.wms.routing import Router, source_rank

TASK = {"name": "work", "python": "work:work", "input": "numbers"}
ROUTER = Router(build_graph(parse_spec({"name": "one", "tasks": [TASK]}, "test")))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """Holds three dead letters."""
    with SqliteJournal(tmp_path / "journal.sqlite") as journal:
        bury(journal, *range(1, 4), plan=True)
        yield journal


def bury(journal: SqliteJournal, *numbers: int, plan: bool = False) -> None:
    events = [EventRow(number, 0, str(number), source_rank(number), "json", b"1", None) for number in numbers]
    buried = [Buried(number, number, "broken") for number in numbers]
    journal.commit(Batch(events=events if plan else [], buried=buried, values={"counters": {"dead_lettered": 3}}))


def letters(journal: SqliteJournal) -> list[str]:
    return [letter.event.id for letter in journal.letters()]


def test_all_letters_or_those_that_are_named(journal: SqliteJournal) -> None:
    carry_out(journal, ROUTER, ["work"], [ReplayRequest(request_id="a", event_ids=("2",))])
    assert letters(journal) == ["1", "3"]
    carry_out(journal, ROUTER, ["work"], [ReplayRequest(request_id="b", task="work")])
    assert letters(journal) == []
    assert journal.value("counters")["dead_lettered"] == 0


def test_a_request_that_is_met_again_does_nothing(journal: SqliteJournal) -> None:
    request = ReplayRequest(request_id="a")
    carry_out(journal, ROUTER, ["work"], [request])
    bury(journal, 1, 2, 3)  # tried in vain, and the host died before it could remove the request
    carry_out(journal, ROUTER, ["work"], [request])
    assert letters(journal) == ["1", "2", "3"]


@pytest.mark.parametrize("request_", [{"task": "other"}, {"event_ids": ("9",)}], ids=str)
def test_what_is_not_there_is_passed_over(
    journal: SqliteJournal, caplog: pytest.LogCaptureFixture, request_: dict[str, object]
) -> None:
    wrong = ReplayRequest.model_validate({"request_id": "a", **request_})
    carry_out(journal, ROUTER, ["work"], [wrong, ReplayRequest(request_id="b", event_ids=("1",))])
    assert letters(journal) == ["2", "3"]
    assert [record.message for record in caplog.records] == ["replay_refused"]
