"""What a store holds goes through lines of JSON into a store of any kind, and is the same there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.core.errors import InputError, StoreError
from ewms.core.event import Attempt
from ewms.core.lifecycle import Life
from ewms.stores.backup import AnyLine, End, Entry, lines_of, write_lines
from ewms.stores.backup_file import read_file, write_file
from ewms.stores.base import Accepted, Batch, Buried, EventRow, Journal
from ewms.stores.collections import TASKFORCES, WORKFLOWS
from ewms.stores.sqlite_store import SqliteStore
from ewms.stores.store import Add, Append, Insert, Store


def event(seq: int) -> EventRow:
    return EventRow(
        seq, seq % 2, f"e{seq}", bytes([255, seq % 256]), "numpy", bytes(range(256)), b"\x80" if seq % 3 else None
    )


def commit_all_there_is(journal: Journal) -> None:
    def failed(number: int) -> Attempt:
        return Attempt(attempt=number, kind="failed", reason="ä\n", pilot="PL-1", host="h", detail={"exit_code": number})

    journal.commit(Batch(events=[event(seq) for seq in range(1, 241)], values={"raw": b"\xff", "a.b": {"x": [1, None]}}))
    journal.commit(Batch(accepted=[Accepted(seq, seq, b"\xfe", bool(seq % 2)) for seq in range(1, 206)]))
    journal.commit(Batch(buried=[Buried(seq, seq, "bad") for seq in range(206, 215)], late=[(210, b"late", True)]))
    journal.commit(Batch(lives=[(seq, Life(attempt=2, vanished={"PL": "h"})) for seq in (3, 210, 230)]))
    journal.commit(Batch(attempts=[(seq, failed(number)) for number in (1, 2) for seq in (210, 230)]))
    journal.commit(Batch(sent=[(f"7.{number:x}", bytes([number])) for number in range(205)]))


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store with something of everything."""
    async with SqliteStore(tmp_path / "full" / "store.sqlite") as opened:
        bodies = {f"WF-{number:03}": {"timestamp": number + 0.5, "files": {"a.b/$c": "ä"}} for number in range(110)}
        await opened.write(*(Insert(collection=WORKFLOWS, key=key, body=body) for key, body in bodies.items()))
        await opened.write(Insert(collection=TASKFORCES, key="TF-1", body={}))
        await opened.write(*(Append(log="WF-1", entry={"n": number}) for number in range(30)), Append(log="TF-1", entry={}))
        await opened.write(Add(owner="WF-1", amounts={"a": -5, "b.c": 7}))
        for _ in range(7):
            opened.journal("WF-1").close()
        with opened.journal("WF-1") as journal, opened.journal("WF-2"):
            commit_all_there_is(journal)
        yield opened


async def lines(store: Store) -> list[AnyLine]:
    return [line async for line in lines_of(store)]


async def test_a_store_of_any_kind_takes_everything_over(full: SqliteStore, store: Store) -> None:
    told = await lines(full)
    assert told[-1] == End(len(told) - 1)
    await write_lines(store, told)
    assert await lines(store) == told
    with store.journal("WF-1") as journal, full.journal("WF-1") as before:
        assert journal.epoch == before.epoch == 9, "message ids, which are made of it, do not come again"
        assert list(journal.terminals(by_rank=True)) == list(before.terminals(by_rank=True))
        assert journal.pending(0, 1000) == before.pending(0, 1000)
        assert [journal.life(seq) for seq in range(1, 241)] == [before.life(seq) for seq in range(1, 241)]
        assert list(journal.attempts()) == list(before.attempts())
        assert sorted(journal.sent_messages()) == sorted(before.sent_messages())
        assert (journal.counts(), journal.positions(), journal.values()) == (
            before.counts(),
            before.positions(),
            before.values(),
        )


async def test_long_logs_are_whole(full: SqliteStore) -> None:
    await full.write(*(Append(log="WF-7", entry={"n": number}) for number in range(1005)))
    told = [line.entry["n"] for line in await lines(full) if isinstance(line, Entry) and line.log == "WF-7"]
    assert told == [*range(1005)]


async def test_what_is_not_empty_takes_nothing(full: SqliteStore, store: Store) -> None:
    await store.write(Insert(collection=TASKFORCES, key="TF-9", body={}))
    with pytest.raises(InputError, match="the store holds taskforces already; restore into an empty one"):
        await write_lines(store, await lines(full))
    assert await store.count(WORKFLOWS) == 0


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
async def test_a_file_holds_the_lines(full: SqliteStore, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    told = await lines(full)
    assert await write_file(full, path) == len(told)
    assert list(read_file(path)) == told
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="is there already; name a new file"):
        await write_file(full, path)
    assert sorted(os.listdir(tmp_path)) == sorted(["full", name])
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        await write_file(full, tmp_path / "nowhere" / name)


def test_a_file_that_is_not_whole_is_refused(full: SqliteStore, tmp_path: Path) -> None:
    plain, packed = tmp_path / "all.jsonl", tmp_path / "all.jsonl.gz"
    for path in (plain, packed):
        asyncio.run(write_file(full, path))
    whole = plain.read_bytes()
    rows = whole.splitlines(keepends=True)
    half = packed.read_bytes()[:-1000]
    for path, content, message in (
        (plain, b"".join(rows[:-1]), f"is cut off behind line {len(rows) - 1}; use another backup"),
        (plain, b"".join([*rows[:5], *rows[6:]]), f"is cut off behind line {len(rows) - 1}"),
        (plain, whole[:-700], "is not a sound backup, at line "),
        (plain, whole[:1000] + b"\xff" + whole[1001:], "is not a sound backup, at line "),
        (plain, b"", "is cut off behind line 0"),
        (plain, b'{"line":"head","format":2}\n', "is not a backup of a store in format 1"),
        (plain, b"".join(rows[1:]), "is not a backup of a store in format 1"),
        (plain, b'{"line":"other"}\n', "is not a sound backup, at line 1"),
        (packed, half, "is not a sound backup, at line "),
        (packed, whole, "cannot be read|is not a sound backup"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message) as error:
            list(read_file(path))
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        list(read_file(tmp_path / "none.jsonl"))


async def test_a_copy_is_a_store_while_the_other_is_written(full: SqliteStore, tmp_path: Path) -> None:
    await full.write(Append(log="WF-1", entry={"last": True}))
    with full.journal("WF-1") as journal:
        journal.commit(Batch(values={"x": 1}))
        writing = asyncio.gather(*(full.write(Insert(collection=WORKFLOWS, key=f"WF-x{n}", body={})) for n in range(50)))
        await full.copy_to(tmp_path / "copy" / "store.sqlite")
        await writing
        journal.commit(Batch(values={"x": 2}))
    async with SqliteStore(tmp_path / "copy" / "store.sqlite") as copied:
        assert 111 <= await copied.count(WORKFLOWS) + await copied.count(TASKFORCES) <= 161
        assert len(await copied.log("WF-1", limit=2000)) == 31
        with copied.journal("WF-1", writer=False) as journal:
            assert journal.value("x") == 1
            assert journal.counts() == (240, 205, 9)
    for file in (tmp_path / "copy").rglob("*.sqlite"):
        assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match=r"there is a store at .* already; name a new folder"):
        await full.copy_to(tmp_path / "copy" / "store.sqlite")
    with pytest.raises(InputError, match="there is no store at"):
        await SqliteStore(tmp_path / "none.sqlite").copy_to(tmp_path / "other" / "store.sqlite")
