"""What the MongoDB store makes of failures of its server, which is SecantusDB here: most of them by its fail points."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymongo
import pytest

from ewms.core.errors import InputError, StoreError
from ewms.core.query import Query
from ewms.stores import _mongo_address, _mongo_schema
from ewms.stores._cursors import Listing, Position
from ewms.stores._mongo_query import filter_of, ordered, ranges
from ewms.stores.base import Accepted, Batch, EventRow
from ewms.stores.collections import INDEXES, TASKFORCES, WORKFLOWS
from ewms.stores.mongo import MongoStore
from ewms.stores.store import Add, Append, Insert, Replace
from tests.support.rabbitmq import free_ports
from tests.support.secantus import PASSWORD, USER, SecantusServer, database_url

NOT_PRIMARY, WRITE_CONFLICT, FULL = 10107, 112, 14031
Point = Any


@pytest.fixture
async def store(mongo_url: str) -> AsyncIterator[MongoStore]:
    # A MongoDB tells at once that its primary has changed; the stand-in is asked, every 10 s by default.
    async with MongoStore(f"{mongo_url}{'&' if '?' in mongo_url else '?'}heartbeatFrequencyMS=500") as opened:
        yield opened


@pytest.fixture
def fail(mongo: str) -> Iterator[Point]:
    """Arms the fail point: so many of some commands fail."""
    with pymongo.MongoClient[dict[str, Any]](mongo) as client:

        def arm(times: int, *commands: str, **how: Any) -> None:
            data = {"failCommands": [*commands], **how}
            client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": times}, "data": data})

        yield arm
        client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """PyMongo leaves a socket open whose connection is given up while it is being made."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mongo_address, "PATIENCE", 1.0)


def insert(key: str, **body: Any) -> Insert:
    return Insert(collection=WORKFLOWS, key=key, body=body)


def several(key: str) -> tuple[Insert, Append, Add]:
    return insert(key), Append(log="WF", entry={"key": key}), Add(owner="WF", amounts={"n": 1})


async def assert_written_once(store: MongoStore, *keys: str) -> None:
    assert [item.key for item in (await store.find(WORKFLOWS)).items] == [*keys]
    assert [entry["key"] for _, entry in await store.log("WF")] == [*keys]
    assert await store.counters("WF") == ({"n": len(keys)} if keys else {})


async def test_a_change_of_the_primary_is_not_noticed(store: MongoStore, fail: Point) -> None:
    fail(1, "insert", errorCode=NOT_PRIMARY, errorLabels=["RetryableWriteError"])
    await store.write(insert("WF-1"))
    fail(1, "update", closeConnection=True)
    await store.write(Replace(collection=WORKFLOWS, key="WF-1", version=1, body={"n": 2}))
    fail(1, "find", closeConnection=True)
    found = await store.get(WORKFLOWS, "WF-1")
    assert found is not None
    assert (found.version, found.body) == (2, {"n": 2})
    fail(1, "find", errorCode=NOT_PRIMARY)
    assert [item.key for item in (await store.find(WORKFLOWS)).items] == ["WF-1"]


@pytest.mark.parametrize(
    ("times", "command", "how"),
    [
        (2, "insert", {"errorCode": WRITE_CONFLICT, "errorLabels": ["TransientTransactionError"]}),
        (1, "update", {"errorCode": NOT_PRIMARY, "errorLabels": ["TransientTransactionError"]}),
        (1, "findAndModify", {"closeConnection": True}),
        (1, "commitTransaction", {"closeConnection": True}),
        (1, "commitTransaction", {"errorCode": NOT_PRIMARY, "errorLabels": ["RetryableWriteError"]}),
        (1, "commitTransaction", {"errorCode": WRITE_CONFLICT, "errorLabels": ["TransientTransactionError"]}),
    ],
)
async def test_a_transaction_that_breaks_is_made_once(
    store: MongoStore, fail: Point, times: int, command: str, how: dict[str, Any]
) -> None:
    await store.write(*several("WF-1"))
    fail(times, command, **how)
    await store.write(*several("WF-2"))
    await assert_written_once(store, "WF-1", "WF-2")


@pytest.mark.usefixtures("impatient")
async def test_a_transaction_that_goes_on_failing_is_given_up_and_changes_nothing(store: MongoStore, fail: Point) -> None:
    await store.write(*several("WF-1"))
    fail(100_000, "insert", errorCode=WRITE_CONFLICT, errorLabels=["TransientTransactionError"])
    with pytest.raises(StoreError) as error:
        await asyncio.wait_for(store.write(*several("WF-2")), 10)
    assert_one_line(error.value)
    fail(0, "insert", errorCode=WRITE_CONFLICT)
    await assert_written_once(store, "WF-1")


def assert_one_line(error: StoreError) -> None:
    text = str(error)
    assert "mongodb://127.0.0.1:" in text
    assert "\n" not in text
    assert len(text) < 350


async def test_a_full_disk_is_named(store: MongoStore, fail: Point) -> None:
    fail(1, "insert", errorCode=FULL)
    with pytest.raises(StoreError, match=r"the disk of mongodb://.* is full; free some space"):
        await store.write(insert("WF-1"))


async def test_any_other_refusal_is_told_in_one_line(store: MongoStore, fail: Point) -> None:
    fail(1, "aggregate", errorCode=8000)
    with pytest.raises(StoreError, match=r"cannot be used: .*\(code 8000\)") as error:
        await store.count(WORKFLOWS)
    assert_one_line(error.value)


async def test_a_document_that_only_mongo_finds_too_large(store: MongoStore) -> None:
    with pytest.raises(InputError, match="a document is too large for mongodb://"):
        await store.write(insert("WF-1", many=[0] * 2_000_000))


# Journals.


def event(seq: int) -> EventRow:
    return EventRow(seq, 0, f"e{seq}", b"", "json", b"{}", None)


@pytest.mark.parametrize(
    ("command", "how"),
    [
        ("commitTransaction", {"closeConnection": True}),
        ("update", {"errorCode": NOT_PRIMARY, "errorLabels": ["TransientTransactionError"]}),
        ("insert", {"closeConnection": True}),
    ],
)
async def test_a_commit_that_breaks_is_made_once(store: MongoStore, fail: Point, command: str, how: dict[str, Any]) -> None:
    with store.journal("WF-1") as journal:
        journal.commit(Batch(events=[event(1)]))
        fail(1, command, **how)
        assert journal.commit(Batch(events=[event(2)], accepted=[Accepted(1, 1, b"x", False)], values={"n": 2})) == []
        assert journal.counts() == (2, 1, 0)
        assert journal.value("n") == 2


async def test_a_driver_that_opens_a_journal_while_the_server_fails_over_has_an_epoch_of_its_own(
    store: MongoStore, fail: Point
) -> None:
    epochs = []
    for how in ({"closeConnection": True}, {"errorCode": NOT_PRIMARY, "errorLabels": ["RetryableWriteError"]}):
        fail(1, "findAndModify", **how)
        with store.journal("WF-1") as journal:
            epochs.append(journal.epoch)
    assert epochs == [1, 2]


async def test_a_journal_half_removed_is_removed_when_the_store_is_opened(store: MongoStore, fail: Point) -> None:
    with store.journal("WF-1") as journal:
        journal.commit(Batch(events=[event(1)], sent=[("1.a", b"x")]))
    database = store._database
    await database[_mongo_schema.FORGOTTEN].insert_one({"_id": "WF-1"})
    await store.close()
    await store.open()
    database = store._database
    for collection in (_mongo_schema.JOURNALS, _mongo_schema.EVENTS, _mongo_schema.MESSAGES, _mongo_schema.FORGOTTEN):
        assert await database[collection].count_documents({}) == 0


# Servers that are not there, do not answer, or refuse.


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_is_not_there() -> None:
    (port,) = free_ports(1)
    url = f"mongodb://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/x"
    with pytest.raises(StoreError) as error:
        await MongoStore(url).open()
    said = f"no MongoDB answers at mongodb://127.0.0.1:{port}/x; check the address and that the server runs"
    assert str(error.value) == said


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_hangs_is_not_waited_for_for_ever(store: MongoStore, fail: Point) -> None:
    fail(1, "find", blockConnection=True, blockTimeMS=4000)
    with pytest.raises(StoreError, match=r"mongodb://127\.0\.0\.1:"):
        await asyncio.wait_for(store.get(WORKFLOWS, "WF-1"), 3)


@pytest.fixture
def own_server(mongo: str, tmp_path: Path) -> Iterator[SecantusServer]:
    """A server that a test may kill; not a MongoDB that was given."""
    server = SecantusServer(tmp_path / "own")
    try:
        yield server
    finally:
        server.stop()


async def test_who_is_refused_is_told_so_without_the_password(own_server: SecantusServer) -> None:
    own_server.start()
    with pymongo.MongoClient[dict[str, Any]](own_server.url) as client:
        roles = [{"role": "readWrite", "db": "mine"}]
        client.admin.command({"createUser": USER, "pwd": PASSWORD, "roles": roles})
    own_server.stop()
    own_server.options = ("--auth",)
    own_server.start()

    def url(password: str, database: str) -> str:
        server = f"mongodb://{USER}:{quote(password, safe='')}@127.0.0.1:{own_server.port}/?authSource=admin"
        return database_url(server, database)

    async with MongoStore(url(PASSWORD, "mine")) as store:
        await store.write(*several("WF-1"))
    for wrong, said in (
        (url("wr@ng", "mine"), "refuses the user or password; check them and the roles of the user"),
        (url(PASSWORD, "other"), "refuses the operation; check them and the roles of the user"),
    ):
        with pytest.raises(StoreError, match=said) as error:
            await MongoStore(wrong).open()
        assert_one_line(error.value)
        for secret in ("wr@ng", PASSWORD, quote(PASSWORD, safe="")):
            assert secret not in str(error.value)


async def test_a_server_that_is_killed_and_started_again_has_whole_writes(own_server: SecantusServer) -> None:
    own_server.start()
    confirmed: list[str] = []
    async with MongoStore(database_url(own_server.url, "x")) as store:
        enough = asyncio.Event()

        async def write() -> None:
            for number in range(10_000):
                with contextlib.suppress(StoreError):
                    await store.write(*several(f"WF-{number:04}"))
                    confirmed.append(f"WF-{number:04}")
                if len(confirmed) == 20:
                    enough.set()
                if len(confirmed) == 30:
                    return

        writing = asyncio.create_task(write())
        await asyncio.wait_for(enough.wait(), 60)
        await asyncio.to_thread(own_server.kill)
        await asyncio.to_thread(own_server.start)
        await asyncio.wait_for(writing, 60)
        there = [item.key for item in (await store.find(WORKFLOWS)).items]
        assert set(confirmed) <= set(there)
        await assert_written_once(store, *there)


# Schema and plans.


async def test_a_newer_schema_is_refused(store: MongoStore) -> None:
    await store._database["schema"].update_one({"_id": "schema"}, {"$set": {"version": 99}})
    await store.close()
    with pytest.raises(StoreError, match="has schema 99 of a newer ewms; this one knows 1: install the newer one"):
        await store.open()


async def test_an_older_store_is_brought_forward(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.write(insert("WF-1", n=1))
    await store.close()
    taken: list[int] = []

    async def rename(database: _mongo_schema.Database) -> None:
        taken.append(2)
        await database[WORKFLOWS].update_many({"body.n": {"$exists": True}}, {"$rename": {"body.n": "body.number"}})

    async def nothing(database: _mongo_schema.Database) -> None:
        taken.append(3)

    monkeypatch.setattr(_mongo_schema, "MIGRATIONS", (rename, nothing))
    for _ in range(2):
        async with store:
            found = await store.get(WORKFLOWS, "WF-1")
            assert found is not None
            assert found.body == {"number": 1}
    assert taken == [2, 3]


async def plan(store: MongoStore, collection: str, filter_: dict[str, Any], order: list[str]) -> str:
    """The name of the index that is taken, and whether what it gives is sorted after it."""
    found = store._database[collection].find(filter_).sort(ordered(Listing(collection, None, tuple(order), True)))
    stage = (await found.limit(100).explain())["queryPlanner"]["winningPlan"]
    stages = []
    while stage is not None:
        stages.append(f"{stage['stage']} {','.join(stage.get('keyPattern', {}))}".strip())
        stage = stage.get("inputStage")
    return " < ".join(stages)


@pytest.mark.parametrize("collection", [WORKFLOWS, TASKFORCES])
async def test_each_index_serves_its_queries_and_pages(store: MongoStore, collection: str) -> None:
    for keys in INDEXES[collection]:
        index = f"IXSCAN {','.join(f'body.{key}' for key in keys)},_id"
        assert (await plan(store, collection, {}, [*keys])).endswith(f"LIMIT < FETCH < {index}")
        equal = filter_of(collection, Query.parse(dict.fromkeys(keys, "x")))
        assert f"IXSCAN body.{keys[0]}," in await plan(store, collection, equal, [])
        listing = Listing(collection, None, keys, True)
        for range_ in ranges(listing, Position("", [5] * len(keys), "WF-1")):
            assert f"IXSCAN body.{keys[0]}," in await plan(store, collection, range_, [*keys]), range_
