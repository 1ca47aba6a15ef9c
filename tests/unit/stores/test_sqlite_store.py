"""What is SQLite's own about the store; the contract is in `tests/contract/test_store.py`."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ewms.core.errors import Conflict, StoreError, StoreFull
from ewms.core.query import Query
from ewms.stores import _sqlite_schema, sqlite_store
from ewms.stores._cursors import Listing, Position
from ewms.stores._sqlite_query import Sql, ordered
from ewms.stores._sqlite_writer import Writer
from ewms.stores.collections import INDEXES, TASKFORCES, WORKFLOWS
from ewms.stores.sqlite import SqliteJournal
from ewms.stores.sqlite_store import SqliteStore
from ewms.stores.store import Add, Append, Change, Forget, Insert
from ewms.stores.urls import store_for


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    async with SqliteStore(path) as opened:
        yield opened


def insert(key: str, *collection: str, **body: Any) -> Insert:
    return Insert(collection=collection[0] if collection else WORKFLOWS, key=key, body=body)


def test_a_path_and_a_url_mean_the_same_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent.parent)
    for url in (path, str(path), f"sqlite://{path}", "data/store.sqlite"):
        store = store_for(url)
        assert isinstance(store, SqliteStore)
        assert store.path == path
        assert store.journals == path.parent / "journals"


async def test_the_file_is_for_its_owner_alone(store: SqliteStore) -> None:
    await store.write(insert("WF-1"))
    for file in store.path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


async def test_every_write_is_synced(store: SqliteStore) -> None:
    found: list[int] = []

    def look(database: sqlite3.Connection) -> None:
        found.append(database.execute("PRAGMA synchronous").fetchone()[0])

    assert store._writer is not None
    await asyncio.wrap_future(store._writer.submit(look))
    assert found == [2], "FULL"


# Plans.


def plans(
    database: sqlite3.Connection, collection: str, query: dict[str, Any], order: list[str], position: Any = None
) -> str:
    listing = Listing.of(collection, Query.parse(query), [(key, True) for key in order])
    sql = Sql(collection)
    where = f"{sql.where(listing.query)} AND {sql.beyond(listing, position)}"
    statement = f'SELECT key, version, body FROM "{collection}" WHERE {where} ORDER BY {ordered(listing)} LIMIT 100'
    return "; ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", sql.parameters))


ALL_INDEXES = [(collection, keys) for collection, indexes in INDEXES.items() for keys in indexes]


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        _sqlite_schema.prepare(opened, "memory")
        yield opened


@pytest.mark.parametrize(("collection", "keys"), ALL_INDEXES)
def test_each_index_serves_its_queries(database: sqlite3.Connection, collection: str, keys: tuple[str, ...]) -> None:
    assert_index_serves(database, collection, keys)


def assert_index_serves(database: sqlite3.Connection, collection: str, keys: tuple[str, ...]) -> None:
    equal = " AND ".join(f"$.{key}=?" for key in keys)
    values = dict.fromkeys(keys, "x")
    index = f"SEARCH {collection} USING INDEX {collection}: {', '.join(keys)}"
    assert plans(database, collection, values, []) == f"{index} ({equal})"
    *first, last = keys
    ranged = plans(database, collection, {**dict.fromkeys(first, "x"), last: {"$gt": 5}}, [last])
    assert ranged == f"{index} ({''.join(f'$.{key}=? AND ' for key in first)}$.{last}>? AND $.{last}<?)"
    one_of = plans(database, collection, {key: {"$in": ["x", "y"]} for key in keys}, [])
    assert one_of.startswith(f"SEARCH {collection} USING INDEX {collection}: "), one_of


@pytest.mark.parametrize(("collection", "keys"), ALL_INDEXES)
def test_pages_go_on_by_a_search(database: sqlite3.Connection, collection: str, keys: tuple[str, ...]) -> None:
    assert_paging_searches(database, collection, keys)


def assert_paging_searches(database: sqlite3.Connection, collection: str, keys: tuple[str, ...]) -> None:
    *first, last = keys
    listed = ",".join(f"$.{key}" for key in keys)
    index = f"{collection} USING INDEX {collection}: {', '.join(keys)}"
    position = Position("", [5] * len(keys), "WF-1")
    assert plans(database, collection, {}, list(keys)) == f"SCAN {index}", "in order, so that LIMIT ends it"
    assert (
        plans(database, collection, {}, list(keys), position) == f"SEARCH {index} (({listed},key)<(?,?{',?' * len(first)}))"
    )
    equal = "".join(f"$.{key}=? AND " for key in first)
    below = plans(database, collection, dict.fromkeys(first, "x"), [last], Position("", [5], "WF-1"))
    assert below == f"SEARCH {index} ({equal}($.{last},key)<(?,?))"


def test_pages_in_order_of_the_key_go_on_by_a_search(database: sqlite3.Connection) -> None:
    plan = plans(database, WORKFLOWS, {"name": "x"}, [], Position("", [], "WF-1"))
    assert plan.startswith(f"SEARCH {WORKFLOWS} USING INDEX sqlite_autoindex_{WORKFLOWS}_1 (key>?)")
    assert "B-TREE" not in plan


# Writing together.


class Gate:
    """A write that holds the writer up until it is opened."""

    def __init__(self, store: SqliteStore) -> None:
        self._reached, self._opened = threading.Event(), threading.Event()
        assert store._writer is not None
        self._done = store._writer.submit(self._wait)

    def _wait(self, _: sqlite3.Connection) -> None:
        self._reached.set()
        assert self._opened.wait(30)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, 30)

    async def open(self) -> None:
        self._opened.set()
        await asyncio.wrap_future(self._done)


async def test_what_waits_is_written_in_one_transaction(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    write = Writer._write

    def spy(writer: Writer, database: sqlite3.Connection, writes: Any) -> None:
        sizes.append(len(writes))
        write(writer, database, writes)

    monkeypatch.setattr(Writer, "_write", spy)
    gate = Gate(store)
    await gate.reached()
    writes = [asyncio.create_task(store.write(insert(f"WF-{number}"))) for number in range(10)]
    twins = [asyncio.create_task(store.write(insert("WF-0"), Add(owner="x", amounts={"n": 1}))) for _ in range(2)]
    await asyncio.sleep(0)  # now all of them wait
    writes[3].cancel()
    with pytest.raises(asyncio.CancelledError):
        await writes[3]
    await gate.open()
    done = await asyncio.gather(*writes, *twins, return_exceptions=True)
    assert [type(one) for one in done] == [type(None)] * 3 + [asyncio.CancelledError] + [type(None)] * 6 + [Conflict] * 2
    assert sizes == [1, 11], "the one that was cancelled in time is not written"
    assert await store.count(WORKFLOWS) == 9
    assert await store.counters("x") == {}


async def test_a_bug_in_one_write_does_not_end_the_writer(store: SqliteStore) -> None:
    gate = Gate(store)
    await gate.reached()
    assert store._writer is not None
    broken = store._writer.submit(lambda _: 1 / 0)
    await gate.open()
    with pytest.raises(ZeroDivisionError):
        await asyncio.wrap_future(broken)
    await store.write(insert("WF-1"))
    assert await store.count(WORKFLOWS) == 1


async def test_closing_writes_what_waits(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    gate = Gate(store)
    write = asyncio.create_task(store.write(insert("WF-1")))
    await asyncio.sleep(0)
    closing_ = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    await gate.open()
    await asyncio.gather(write, closing_)
    async with SqliteStore(path) as again:
        assert await again.count(WORKFLOWS) == 1


async def test_a_full_disk_is_named_and_the_store_goes_on(store: SqliteStore) -> None:
    await store.write(insert("WF-0"))

    async def limited_to(pages: str) -> None:
        assert store._writer is not None
        await asyncio.wrap_future(
            store._writer.submit(lambda database: database.execute(f"PRAGMA max_page_count = {pages}"))
        )

    await limited_to("1")  # as many as there are
    with pytest.raises(StoreFull, match=r"the disk of .*store.sqlite is full; free some space"):
        await store.write(insert("WF-1", text="x" * 500_000), Append(log="WF-1", entry={}))
    assert await store.log("WF-1") == []
    await limited_to("1000000")
    await store.write(insert("WF-1", text="x" * 500_000))
    assert await store.count(WORKFLOWS) == 2


# Files that are not as they should be.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no database at all" * 1000, "is not a sound store: file is not a database"),
        (b"SQLite format 3\0" + b"\xa5" * 8192, "sound"),
    ],
)
def test_what_is_no_database_is_named_in_one_line(path: Path, content: bytes, message: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError, match=message) as error:
        asyncio.run(SqliteStore(path).open())
    assert str(path) in str(error.value)
    assert path.read_bytes() == content


async def test_other_databases_are_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with SqliteJournal(path):
        pass
    with pytest.raises(StoreError, match="is a database, but not a store of ewms"):
        await SqliteStore(path).open()
    path.with_name("other.sqlite").touch()
    with closing(sqlite3.connect(path.with_name("other.sqlite"))) as database:
        database.execute("CREATE TABLE x (y)")
    with pytest.raises(StoreError, match="is a database, but not a store of ewms"):
        await SqliteStore(path.with_name("other.sqlite")).open()


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be used: Not a directory; name a file in a writable folder"):
        await SqliteStore(tmp_path / "file" / "store.sqlite").open()


async def test_a_newer_schema_is_refused(store: SqliteStore) -> None:
    await store.close()
    with closing(sqlite3.connect(store.path)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="has schema 99 of a newer ewms; this one knows 1: install the newer one"):
        await store.open()


async def test_an_older_store_is_brought_forward(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.write(insert("WF-1", n=1), Append(log="WF-1", entry={}))
    await store.close()
    taken: list[str] = []

    def rename(database: sqlite3.Connection) -> None:
        taken.append("rename")
        database.execute(
            "UPDATE workflows SET body = json_set(body, '$.number', json_extract(body, '$.n')), version = version + 1"
        )

    def fail(database: sqlite3.Connection) -> None:
        taken.append("fail")
        database.execute("SELECT nonsense")

    monkeypatch.setattr(_sqlite_schema, "MIGRATIONS", (*_sqlite_schema.MIGRATIONS, rename, fail))
    with pytest.raises(StoreError, match="no such column: nonsense"):
        await store.open()
    monkeypatch.setattr(_sqlite_schema, "MIGRATIONS", _sqlite_schema.MIGRATIONS[:-1])
    for _ in range(2):
        async with store:
            found = await store.get(WORKFLOWS, "WF-1")
            assert found is not None
            assert (found.version, found.body) == (2, {"n": 1, "number": 1})
            assert len(await store.log("WF-1")) == 1
    assert taken == ["rename", "fail", "rename"]


async def test_an_index_that_is_new_is_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(INDEXES, WORKFLOWS, (("timestamp",),))
        async with SqliteStore(path) as store:
            await store.write(insert("WF-1", owner="ada"), insert("WF-2", owner="bob"))
    async with SqliteStore(path) as store:
        query = Query.parse({"owner": "ada"})
        assert [item.key for item in (await store.find(WORKFLOWS, query)).items] == ["WF-1"]
    with closing(sqlite3.connect(path)) as database:
        assert_index_serves(database, WORKFLOWS, ("owner", "timestamp"))


async def test_a_journal_that_a_crash_left_is_removed(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.journal("WF-1"), store.journal("WF-2"):
        pass

    def crash(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_store.SqliteStore, "_remove", crash)
        with pytest.raises(RuntimeError, match="killed"):
            await store.write(Forget(key="WF-1"))
    assert sorted(file.name for file in store.journals.iterdir()) == ["WF-1.sqlite", "WF-2.sqlite"]
    await store.close()
    await store.open()
    assert sorted(file.name for file in store.journals.iterdir()) == ["WF-2.sqlite"]


# Much.


async def submit(store: SqliteStore, number: int) -> None:
    """What one POST of a workflow writes."""
    key = f"WF-{number:08x}-00000000"
    stamp = 1e9 + number
    forces = [insert(f"TF-{key}-{n}", TASKFORCES, workflow_id=key, phase="pre-launch", timestamp=stamp) for n in range(4)]
    changes: list[Change] = [*forces, *(Append(log=force.key, entry={"phase": "x"}) for force in forces)]
    changes.append(insert(key, timestamp=stamp, owner=f"user{number % 20}", state="pending", spec={"text": "x" * 2000}))
    await store.write(*changes, Add(owner=key, amounts={"n": 1}))


@pytest.mark.soak
async def test_a_hundred_thousand_workflows_are_found_by_the_same_plans(store: SqliteStore) -> None:
    numbers = iter(range(100_000))

    async def client() -> None:
        for number in numbers:
            await submit(store, number)

    await asyncio.gather(*(client() for _ in range(20)))
    assert await store.count(WORKFLOWS) == 100_000
    with closing(sqlite3.connect(store.path)) as database:
        for collection, keys in ALL_INDEXES:
            assert_index_serves(database, collection, keys)
            assert_paging_searches(database, collection, keys)
    page = await store.find(WORKFLOWS, Query.parse({"owner": "user7"}), order=[("timestamp", True)], limit=10)
    assert [item.body["timestamp"] for item in page.items] == [1e9 + number for number in range(99_987, 99_787, -20)]
