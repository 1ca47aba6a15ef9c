"""The store contract, over every store of `conftest.py`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ewms.core.errors import Conflict, InputError, StoreError, UsageError
from ewms.stores.base import Batch, EventRow
from ewms.stores.collections import INDEXES, TASKFORCES, WORKFLOWS
from ewms.stores.store import Add, Append, Delete, Document, Forget, Insert, Replace, Store, Stored
from ewms.stores.urls import store_for
from tests.support.documents import insert, keys, read, replace


async def test_a_new_store_is_empty(store: Store) -> None:
    for collection in INDEXES:
        assert await store.find(collection) == ([], None)
        assert await store.count(collection) == 0
    assert await store.get(WORKFLOWS, "WF-1") is None
    assert await store.log("WF-1") == []
    assert await store.counters("WF-1") == {}


BODIES: list[Document] = [
    {},
    {
        "timestamp": 1.5,
        "n": 1 << 40,
        "m": -(1 << 63),
        "t": "ä\n\"'\\",
        "yes": True,
        "nothing": None,
        "list": [1, [2, {"x": []}]],
    },
    {"files": {"code/a.py": "0", "$odd": 1, "a b": {"...": 1}}},
]


@pytest.mark.parametrize("body", BODIES)
async def test_a_document_comes_back_as_it_was_written(store: Store, body: Document) -> None:
    await store.write(Insert(collection=WORKFLOWS, key="ä/1", body=body))
    found = await read(store, "ä/1")
    assert found == Stored("ä/1", 1, body)
    assert repr(found.body) == repr(body), "the same types too"
    await store.write(Replace(collection=WORKFLOWS, key="ä/1", version=1, body={"new": body}))
    assert await read(store, "ä/1") == Stored("ä/1", 2, {"new": body})


UNFIT: list[tuple[Any, str]] = [
    ({"x": {1, 2}}, "which is not a JSON value"),
    ({"x": b""}, "which is not a JSON value"),
    ({"x": float("inf")}, "no number of 64 bits"),
    ({"x": [1 << 63]}, "no number of 64 bits"),
    ({"x": {5: 1}}, "cannot be a key"),
    ({"x\0": 1}, "cannot be a key"),
    ({"x": "\ud800"}, "not Unicode"),
    ({"x": "x" * (13 << 20)}, "at most 12 MiB"),
    ({"owner": ["ada"]}, "workflows.owner is indexed"),
    ({"driver": {"host": True}}, "workflows.driver.host is indexed"),
    ({"driver": [{"host": "x"}]}, "workflows.driver.host is indexed"),
    ([], "must be an object"),
]


async def test_what_no_store_can_keep_is_refused_in_one_line(store: Store) -> None:
    for body, message in UNFIT:
        with pytest.raises(InputError, match=message) as error:
            await store.write(insert("kept"), Insert(collection=WORKFLOWS, key="WF-1", body=body))
        assert len(str(error.value)) < 300
    with pytest.raises(InputError, match=r"log WF-1\.x holds"):
        await store.write(insert("kept"), Append(log="WF-1", entry={"x": b""}))
    with pytest.raises(InputError, match=r"counter 'n' of WF-1 cannot be changed by 1\.5"):
        await store.write(insert("kept"), Add(owner="WF-1", amounts={"n": 1.5}))  # type: ignore[dict-item]
    assert await store.count(WORKFLOWS) == 0


async def test_keys_that_no_store_can_take(store: Store) -> None:
    for attempt in (insert("\ud800"), Replace(collection=WORKFLOWS, key="WF-1", version=1 << 70, body={})):
        for changes in ((attempt,), (insert("kept"), attempt)):
            with pytest.raises(InputError, match="a key must be Unicode, and a version a number of 64 bits"):
                await store.write(*changes)
    with pytest.raises(InputError, match="a key must be Unicode"):
        await store.get(WORKFLOWS, "\ud800")
    assert await store.count(WORKFLOWS) == 0


async def test_deeply_nested_documents_are_refused(store: Store) -> None:
    body: Any = {}
    for _ in range(60):
        body = {"x": body}
    with pytest.raises(InputError, match="deeper than 50 levels"):
        await store.write(insert("WF-1", x=body))


async def test_a_collection_that_is_none(store: Store) -> None:
    attempts = (
        store.find("nothing"),
        store.count("nothing"),
        store.get("nothing", "x"),
        store.write(insert("x", "nothing")),
    )
    for error in await asyncio.gather(*attempts, return_exceptions=True):
        assert isinstance(error, InputError)
        assert str(error) == "there is no collection 'nothing'; see ewms.stores.collections"


async def test_a_write_whose_condition_does_not_hold_changes_nothing(store: Store) -> None:
    await store.write(insert("WF-1", n=1))
    old = await read(store, "WF-1")
    await store.write(replace(old, n=2))
    others = (insert("WF-2"), Append(log="WF-1", entry={}), Add(owner="WF-1", amounts={"x": 1}))
    for refused, message in (
        (replace(old, n=3), "workflows WF-1 is not as it was at version 1; read it again"),
        (insert("WF-1", n=3), "workflows WF-1 exists already"),
        (Replace(collection=WORKFLOWS, key="WF-9", version=1, body={}), "workflows WF-9 is not as it was"),
    ):
        for changes in ((refused,), (*others, refused), (refused, *others)):
            with pytest.raises(Conflict, match=message):
                await store.write(*changes)
    assert await read(store, "WF-1") == Stored("WF-1", 2, {"n": 2})
    assert await store.get(WORKFLOWS, "WF-2") is None
    assert await store.log("WF-1") == []
    assert await store.counters("WF-1") == {}


async def test_all_changes_of_a_write_are_made(store: Store) -> None:
    await store.write(insert("WF-1"), insert("WF-2"), insert("TF-1", TASKFORCES))
    await store.write(
        replace(await read(store, "WF-1"), n=1),
        Delete(collection=WORKFLOWS, key="WF-2"),
        Delete(collection=WORKFLOWS, key="unknown"),
        insert("WF-3"),
        Append(log="WF-1", entry={"n": 1}),
        Append(log="WF-1", entry={"n": 2}),
        Add(owner="WF-1", amounts={"a.b": 2, "$c": -1}),
        Add(owner="WF-1", amounts={"a.b": 3}),
    )
    assert keys((await store.find(WORKFLOWS)).items) == ["WF-1", "WF-3"]
    assert await store.log("WF-1") == [(1, {"n": 1}), (2, {"n": 2})]
    assert await store.counters("WF-1") == {"a.b": 5, "$c": -1}
    await store.write()


async def test_logs_only_grow_and_are_read_in_parts(store: Store) -> None:
    for number in range(1, 8):
        await store.write(Append(log="WF-1", entry={"n": number}), Append(log="WF-2", entry={}))
    assert [number for number, _ in await store.log("WF-1")] == [1, 2, 3, 4, 5, 6, 7]
    assert await store.log("WF-1", after=2, limit=2) == [(3, {"n": 3}), (4, {"n": 4})]
    assert await store.log("WF-1", after=7) == []


async def test_what_is_forgotten_is_gone_and_begins_again(store: Store) -> None:
    await store.write(insert("WF-1"), Append(log="WF-1", entry={"n": 1}), Add(owner="WF-1", amounts={"x": 1}))
    await store.write(Append(log="WF-2", entry={"n": 2}), Add(owner="WF-2", amounts={"x": 2}))
    with store.journal("WF-1") as former, store.journal("WF-2") as other:
        for journal in (former, other):
            journal.commit(Batch(events=[EventRow(1, 0, "e1", b"", "json", b"{}", None)], values={"x": 1}))
    await store.write(Forget(key="WF-1"), Forget(key="TF-1"))
    assert await store.log("WF-1") == []
    assert await store.counters("WF-1") == {}
    assert await store.get(WORKFLOWS, "WF-1") is not None
    with pytest.raises(StoreError, match="there is no journal"):
        store.journal("WF-1", writer=False)
    with store.journal("WF-1") as journal, store.journal("WF-2", writer=False) as other:
        assert (journal.epoch, journal.counts(), journal.values()) == (1, (0, 0, 0), {"epoch": 1})
        assert other.counts() == (1, 0, 0)
    await store.write(Append(log="WF-1", entry={"n": 3}))
    assert await store.log("WF-1") == [(1, {"n": 3})]
    assert await store.counters("WF-2") == {"x": 2}


async def test_a_store_is_there_again_when_it_is_opened_again(store: Store, store_url: str) -> None:
    await store.write(insert("WF-1", n=1), Append(log="WF-1", entry={"n": 1}), Add(owner="WF-1", amounts={"n": 1}))
    await store.close()
    await store.close()
    async with store_for(store_url) as again, store_for(store_url) as beside:
        await beside.write(insert("WF-2"))
        assert keys((await again.find(WORKFLOWS)).items) == ["WF-1", "WF-2"]
        assert await again.log("WF-1") == [(1, {"n": 1})]
        assert await again.counters("WF-1") == {"n": 1}


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    for attempt in (
        store.write(insert("WF-1")),
        store.get(WORKFLOWS, "WF-1"),
        store.find(WORKFLOWS),
        store.count(WORKFLOWS),
    ):
        with pytest.raises(StoreError, match="is not open; `async with` opens it"):
            await attempt


def test_a_url_of_no_store_is_refused() -> None:
    for url, message in (
        ("redis://me:secret@host/1", "no store has the scheme redis://; use a path or one of mongodb://, "),
        ("me:secret@host://x", "no store is meant by this URL; use a path or "),
        ("mongodb://me:sec@ret:x@host/x", "the mongodb:// URL of the store is malformed; percent-encode user and password"),
        ("mongodb://me:secret@host:x/", "is malformed"),
        ("mongodb://me:secret@host/?secret=1", "is malformed"),
    ):
        with pytest.raises(UsageError, match=message) as error:
            store_for(url)
        assert "sec" not in str(error.value)
