"""The journal contract, over the journals of every store of `conftest.py`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ewms.core.errors import InputError, StaleEpoch, StoreError, StoreFull
from ewms.core.event import Attempt
from ewms.core.lifecycle import Life, Phase
from ewms.stores.base import Accepted, Batch, Buried, EventRow, Journal, Known, Pending, Terminal
from ewms.stores.sqlite import SqliteJournal
from ewms.stores.store import Store

Open = Callable[..., Journal]


@pytest.fixture
def open_journal(store: Store) -> Iterator[Open]:
    """Opens the same journal, again and again."""
    opened: list[Journal] = []

    def open_(*, writer: bool = True) -> Journal:
        opened.append(store.journal("WF-1", writer=writer))
        return opened[-1]

    yield open_
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal: Open) -> Journal:
    return open_journal()


def row(seq: int, *, task: int = 0, id_: str | None = None, rank: bytes | None = None, data: bytes = b"{}") -> EventRow:
    return EventRow(seq, task, id_ or f"e{seq}", rank or bytes([seq % 256]), "json", data, None)


def accepted(seq: int, order: int, outputs: bytes = b"\x90") -> Accepted:
    return Accepted(seq, order, outputs, False)


def failed(number: int) -> Attempt:
    return Attempt(attempt=number, kind="failed", reason=f"reason {number}", pilot="PL-1", host="h", detail={"exit_code": 3})


def seqs(found: Any) -> list[int]:
    return [item.event.seq for item in found]


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert journal.epoch == 1
    assert journal.counts() == (0, 0, 0)
    assert journal.counts_by_task(2) == ([0, 0], [0, 0])
    assert journal.positions() == (0, 0)
    assert journal.pending(0, 10) == []
    assert [*journal.terminals(), *journal.letters(), *journal.attempts(), *journal.sent_messages()] == []
    assert journal.value("counters", "none") == "none"
    assert journal.find(0, "e1") is None
    assert journal.find_pending(0, "e1") is None
    assert journal.life(1) is None
    assert journal.history(1) == []


def test_what_is_committed_is_there_after_reopening(open_journal: Open) -> None:
    event = EventRow(7, 1, "a/b:c", b"\x00\x01", "@numpy", b"\xff\x00", b"\x81\xa1k\xa1v")
    life = Life(phase=Phase.HELD, attempt=4, failures=2, vanished={"PL-1": "h"}, single=True, copy_out=True, copied=4)
    values = {"counters": {"sent": 3}, "source_done": True, "source_count": 10**12}
    first = open_journal()
    first.commit(Batch(events=[event], lives=[(7, life)], attempts=[(7, failed(3))], sent=[("1.a", b"x")], values=values))
    first.close()
    again = open_journal()
    assert again.pending(0, 10) == [Pending(event, life)]
    assert again.find_pending(1, "a/b:c") == Pending(event, life)
    assert again.life(7) == life
    assert again.history(7) == [failed(3)]
    assert list(again.sent_messages()) == [("1.a", b"x")]
    assert {name: again.value(name) for name in values} == values
    assert again.positions() == (7, 0)


def test_known_events_are_told_and_not_written(journal: Journal) -> None:
    journal.commit(Batch(events=[row(1), row(2)]))
    again, fresh, twin = row(3, id_="e1", data=b"other"), row(4), row(5, id_="e4")
    other_task = row(6, task=1, id_="e1")
    assert journal.commit(Batch(events=[again, fresh, twin, other_task])) == [Known(again, row(1)), Known(twin, fresh)]
    assert seqs(journal.pending(0, 10)) == [1, 2, 4, 6]
    assert journal.counts() == (4, 0, 0)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 900), max_size=100))
@example([number % 700 + 1 for number in range(1300)])
def test_known_events_are_exact_in_batches_of_any_size(open_journal: Open, numbers: list[int]) -> None:
    journal = open_journal()
    start = journal.positions()[0]
    before = {item.event.id: item.event for item in journal.pending(0, 10**6)}
    batch = [row(start + position, id_=f"n{number}") for position, number in enumerate(numbers, start=1)]
    expected = []
    for event in batch:
        old = before.setdefault(event.id, event)
        if old is not event:
            expected.append(Known(event, old))
    assert journal.commit(Batch(events=batch)) == expected
    assert journal.counts()[0] == len(before)
    journal.close()


def test_unfinished_events_are_paged_in_order(journal: Journal) -> None:
    journal.commit(
        Batch(events=[row(seq) for seq in (5, 3, 1, 2, 4)], accepted=[accepted(2, 1)], buried=[Buried(4, 2, "bad")])
    )
    assert seqs(journal.pending(0, 2)) == [1, 3]
    assert seqs(journal.pending(3, 2)) == [5]
    assert seqs(journal.pending(5, 2)) == []
    assert journal.find_pending(0, "e2") is None
    assert journal.find_pending(0, "e4") is None
    assert journal.find_pending(1, "e1") is None


def test_terminals_come_by_commitment_and_by_rank(journal: Journal) -> None:
    ranks = {1: b"\x02", 2: b"\x01\x01", 3: b"\x01", 4: b"\x01"}
    journal.commit(Batch(events=[row(seq, task=seq % 2, rank=rank) for seq, rank in ranks.items()]))
    journal.commit(Batch(accepted=[accepted(4, 1), Accepted(2, 2, b"\x91\xc0", True)], buried=[Buried(1, 3, "bad")]))
    journal.commit(Batch(accepted=[accepted(3, 4)]))
    assert seqs(journal.terminals()) == [4, 2, 1, 3]
    assert seqs(journal.terminals(by_rank=True)) == [4, 3, 2, 1], "equal ranks are in order of task and id"
    assert seqs(journal.terminals([0])) == [4, 2]
    assert seqs(journal.terminals([0, 1], by_rank=True)) == [4, 3, 2, 1]
    assert seqs(journal.terminals([])) == []
    assert seqs(journal.letters()) == [1]
    assert journal.find(0, "e2") == Terminal(row(2, rank=ranks[2]), 2, b"\x91\xc0", True, None)
    assert journal.find(1, "e1") == Terminal(row(1, task=1, rank=ranks[1]), 3, None, False, "bad")
    assert journal.counts() == (4, 3, 1)
    assert journal.counts_by_task(2) == ([2, 2], [2, 2])
    assert journal.positions() == (4, 4)


def test_history_is_kept_oldest_first(journal: Journal) -> None:
    journal.commit(Batch(events=[row(1), row(2, task=1)], attempts=[(1, failed(1)), (2, failed(1))]))
    journal.commit(Batch(attempts=[(1, failed(2))]))
    assert journal.history(1) == [failed(1), failed(2)]
    assert list(journal.attempts()) == [(0, "e1", failed(1)), (1, "e2", failed(1)), (0, "e1", failed(2))]


def test_a_life_is_replaced(journal: Journal) -> None:
    journal.commit(Batch(events=[row(1)], lives=[(1, Life(attempt=2))]))
    journal.commit(Batch(lives=[(1, Life(attempt=3)), (1, Life(attempt=4))]))
    assert journal.pending(0, 10) == [Pending(row(1), Life(attempt=4))]


def test_an_outcome_is_written_once(journal: Journal) -> None:
    journal.commit(Batch(events=[row(1)], accepted=[accepted(1, 1, b"first")]))
    with pytest.raises(StoreError):
        journal.commit(Batch(accepted=[accepted(1, 2, b"second")], values={"x": 1}))
    (terminal,) = journal.terminals()
    assert (terminal.order, terminal.outputs) == (1, b"first")
    assert journal.value("x") is None


def test_a_late_result_is_kept_with_the_letter_and_redeems_it(journal: Journal) -> None:
    journal.commit(Batch(events=[row(1)], buried=[Buried(1, 1, "bad")]))
    journal.commit(Batch(late=[(1, b"\x90", True)]))
    (letter,) = journal.letters()
    assert (letter.reason, letter.outputs, letter.many) == ("bad", b"\x90", True)
    assert journal.counts() == (1, 0, 1)
    journal.commit(Batch(redeemed=[(1, 2)]))
    assert list(journal.letters()) == []
    assert list(journal.terminals()) == [Terminal(row(1), 2, b"\x90", True, None)]
    assert journal.counts() == (1, 1, 0)


def test_a_revived_letter_is_unfinished_again_and_keeps_its_history(journal: Journal) -> None:
    journal.commit(Batch(events=[row(1)], attempts=[(1, failed(1))], buried=[Buried(1, 1, "bad")]))
    journal.commit(Batch(revived=[1], lives=[(1, Life(attempt=2))]))
    assert journal.pending(0, 10) == [Pending(row(1), Life(attempt=2))]
    assert list(journal.terminals()) == []
    assert journal.history(1) == [failed(1)]
    assert journal.counts() == (1, 0, 0)


def test_messages_are_out_until_they_are_settled(journal: Journal) -> None:
    journal.commit(Batch(sent=[("1.a", b"1"), ("1.b", b"2")]))
    journal.commit(Batch(sent=[("1.c", b"3")], settled=["1.a", "1.c", "unknown"]))
    assert list(journal.sent_messages()) == [("1.b", b"2")]


def test_an_empty_batch_is_false_and_any_other_true() -> None:
    assert not Batch()
    for name in Batch.__dataclass_fields__:
        content: dict[str, Any] = {name: {"x": 1} if name == "values" else [1]}
        assert Batch(**content), name


def test_a_former_driver_cannot_write(open_journal: Open) -> None:
    former = open_journal()
    former.commit(Batch(events=[row(1)]))
    newer = open_journal()
    assert (former.epoch, newer.epoch) == (1, 2)
    with pytest.raises(StaleEpoch, match="newer driver"):
        former.commit(Batch(events=[row(2)], accepted=[accepted(1, 1)], values={"x": 1}))
    assert newer.counts() == (1, 0, 0)
    assert newer.value("x") is None
    assert newer.commit(Batch(events=[row(2)])) == []


def test_a_reader_takes_nothing_over_and_cannot_write(open_journal: Open) -> None:
    writer = open_journal()
    reader = open_journal(writer=False)
    assert reader.epoch == 0
    writer.commit(Batch(events=[row(1)]))
    assert reader.counts() == (1, 0, 0)
    with pytest.raises(StaleEpoch):
        reader.commit(Batch(values={"x": 1}))
    writer.commit(Batch(accepted=[accepted(1, 1)]))
    assert reader.counts() == (1, 1, 0)


def test_a_reader_in_the_middle_disturbs_no_writer_and_is_not_disturbed(open_journal: Open) -> None:
    writer, reader = open_journal(), open_journal(writer=False)
    events = range(1, 1501)
    writer.commit(Batch(events=[row(seq) for seq in events], accepted=[accepted(seq, seq) for seq in events]))
    listing = reader.terminals()
    found = [next(listing).event.seq]
    writer.commit(Batch(events=[row(1501)], accepted=[accepted(1501, 1501)]))
    found += seqs(listing)
    assert found == list(events)
    assert seqs(reader.terminals())[-1] == 1501


def test_named_values_are_kept_whatever_their_names(journal: Journal) -> None:
    values = {"counters": {"a.b": 1}, "a.b": None, "$x": [1.5], "50 %": "x", "é/1": True}
    journal.commit(Batch(values=values))
    journal.commit(Batch(values={"counters": {"a.b": 2}}))
    assert journal.values() == {**values, "counters": {"a.b": 2}, "epoch": 1}
    assert {name: journal.value(name) for name in values} == {**values, "counters": {"a.b": 2}}


def test_a_journal_that_was_copied_goes_on_under_a_later_epoch(open_journal: Open) -> None:
    journal = open_journal()
    journal.advance(41)
    journal.commit(Batch(events=[row(1)]))
    journal.advance(7)
    assert journal.epoch == 41
    assert journal.values() == {"epoch": 41}
    assert open_journal().epoch == 42


def test_journals_of_several_workflows_do_not_mix(store: Store) -> None:
    with store.journal("WF-1") as one, store.journal("WF-11") as other:
        one.commit(Batch(events=[row(1)], accepted=[accepted(1, 1)], attempts=[(1, failed(1))], sent=[("1.a", b"x")]))
        assert other.counts() == (0, 0, 0)
        assert [*other.terminals(), *other.attempts(), *other.sent_messages()] == []
        other.commit(Batch(events=[row(1)]))
        assert other.counts_by_task(1) == ([1], [0])
        assert (one.counts(), one.positions(), other.positions()) == ((1, 1, 0), (1, 1), (1, 0))


def test_what_is_no_id_opens_no_journal(store: Store) -> None:
    for name in ("", "WF-", "WF-../../etc/x", "WF-1/2", "WF-1\n", "wf-1", "WF-1.sqlite", "/WF-1", "WF-" + "1" * 200):
        with pytest.raises(InputError, match="is not the id of a workflow"):
            store.journal(name)


def test_there_is_nothing_to_read_where_nobody_wrote(store: Store) -> None:
    with pytest.raises(StoreError, match="there is no journal"):
        store.journal("WF-2", writer=False)


def test_closing_twice_does_no_harm(open_journal: Open) -> None:
    with open_journal() as journal:
        journal.close()
    assert open_journal().epoch == 2


# What only a file on a disk can suffer.


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_a_full_disk_is_named_and_nothing_is_written(path: Path) -> None:
    with SqliteJournal(path) as journal:
        journal.commit(Batch(events=[row(1)]))
        pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
        journal._db.execute(f"PRAGMA max_page_count = {pages}")
        big = Batch(
            events=[row(seq, data=b"x" * 50_000) for seq in range(2, 12)], accepted=[accepted(1, 1)], values={"x": 1}
        )
        with pytest.raises(StoreFull, match=r"disk of .*journal.sqlite is full; free some space and run `ewms resume`"):
            journal.commit(big)
        assert journal.counts() == (1, 0, 0)
        assert journal.value("x") is None
        journal._db.execute("PRAGMA max_page_count = 1000000")
        journal.commit(big)
        assert journal.counts() == (11, 1, 0)


def fill(path: Path) -> None:
    with SqliteJournal(path) as journal:
        events = range(1, 2001)
        journal.commit(Batch(events=[row(seq) for seq in events], accepted=[accepted(seq, seq) for seq in events]))


def read_all(path: Path) -> None:
    with SqliteJournal(path, writer=False) as journal:
        journal.counts()
        journal.pending(0, 10_000)
        list(journal.terminals(by_rank=True))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: b"no journal at all" * 1000, id="something else"),
        pytest.param(lambda data: data[:4096] + b"\xa5" * (len(data) - 4096), id="overwritten"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut"),
        pytest.param(lambda data: data[:20000] + bytes(8192) + data[28192:], id="a hole"),
    ],
)
def test_a_spoilt_file_is_named_in_one_line(path: Path, spoil: Callable[[bytes], bytes]) -> None:
    fill(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(StoreError, match=r"journal\.sqlite") as error:
        read_all(path)
    assert "\n" not in str(error.value)


def test_a_journal_of_another_format_is_refused(path: Path) -> None:
    fill(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    for writer in (True, False):
        with pytest.raises(StoreError, match="journal format 99; this ewms reads format 1"):
            SqliteJournal(path, writer=writer)


def test_an_empty_file_is_no_journal_to_read(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match="journal format 0"):
        SqliteJournal(path, writer=False)


def test_there_is_no_journal(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no journal at"):
        SqliteJournal(path, writer=False)
    with pytest.raises(StoreError, match="cannot be used: unable to open"):
        SqliteJournal(path.parent / "nowhere" / "journal.sqlite")
