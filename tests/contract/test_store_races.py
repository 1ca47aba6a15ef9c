"""Several who write at once, and one who is killed: the store contract, over every store of `conftest.py`."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import Any

from ewms.core.errors import Conflict
from ewms.stores.collections import TASKFORCES
from ewms.stores.store import Add, Append, Store, Stored
from tests.support.documents import all_pages, insert, keys, read, replace


async def increment(store: Store, times: int) -> None:
    """Count in a document by compare-and-set, and in all other ways that a store has."""
    done = 0
    while done < times:
        old = await read(store, "WF-1")
        try:
            await store.write(
                replace(old, n=old.body["n"] + 1),
                Append(log="WF-1", entry={"n": old.body["n"] + 1}),
                Add(owner="WF-1", amounts={"n": 1}),
            )
            done += 1
        except Conflict:
            await asyncio.sleep(0)


async def assert_counted(store: Store, total: int) -> None:
    assert await read(store, "WF-1") == Stored("WF-1", total + 1, {"n": total})
    assert await store.log("WF-1") == [(number, {"n": number}) for number in range(1, total + 1)]
    assert await store.counters("WF-1") == {"n": total}


async def test_tasks_that_race_lose_nothing(store: Store) -> None:
    await store.write(insert("WF-1", n=0))
    await asyncio.gather(*(increment(store, 4) for _ in range(5)))
    await assert_counted(store, 20)


async def test_of_many_that_insert_the_same_one_wins(store: Store) -> None:
    done = await asyncio.gather(*(store.write(insert("WF-1", n=n)) for n in range(6)), return_exceptions=True)
    assert sorted(str(type(one).__name__) for one in done) == ["Conflict"] * 5 + ["NoneType"]
    assert (await read(store, "WF-1")).body == {"n": done.index(None)}


async def test_counters_and_logs_are_exact_under_concurrency(store: Store) -> None:
    changes = (Add(owner="WF-1", amounts={"n": 2}), Append(log="WF-1", entry={}))
    await asyncio.gather(*(store.write(*changes) for _ in range(10)))
    assert await store.counters("WF-1") == {"n": 20}
    assert [number for number, _ in await store.log("WF-1")] == list(range(1, 11))


RACER = """
import asyncio, sys
from tests.contract.test_store_races import increment
from ewms.stores.urls import store_for

async def main():
    async with store_for(sys.argv[1]) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        await increment(store, 12)

asyncio.run(main())
"""


def child(program: str, url: str) -> subprocess.Popen[str]:
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", program, url], text=True, **pipes)


async def test_processes_that_race_lose_nothing(store: Store, store_url: str) -> None:
    await store.write(insert("WF-1", n=0))
    with child(RACER, store_url) as one, child(RACER, store_url) as other:
        for racer in (one, other):
            assert racer.stdout is not None
            assert await asyncio.to_thread(racer.stdout.readline) == "ready\n"
        for racer in (one, other):
            await asyncio.to_thread(racer.communicate, "go\n", 60)
        assert (one.returncode, other.returncode) == (0, 0)
    await assert_counted(store, 24)


WRITER = """
import asyncio, itertools, sys
from ewms.stores.store import Add, Append, Insert
from ewms.stores.urls import store_for

async def write(store, n):
    await store.write(
        Insert(collection="workflows", key=f"WF-{n:04}", body={"text": "x" * 3000}),
        Insert(collection="taskforces", key=f"WF-{n:04}", body={}),
        Append(log="WF", entry={"key": f"WF-{n:04}"}),
        Add(owner="WF", amounts={"n": 1}),
    )
    print(f"WF-{n:04}", flush=True)

async def main():
    numbers = itertools.count()
    async with store_for(sys.argv[1]) as store:
        while True:
            await asyncio.gather(*(write(store, next(numbers)) for _ in range(3)))

asyncio.run(main())
"""


async def test_a_killed_writer_leaves_whole_writes(store: Store, store_url: str) -> None:
    with child(WRITER, store_url) as writer:
        assert writer.stdout is not None
        said = [await asyncio.to_thread(writer.stdout.readline) for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
        said += await asyncio.to_thread(writer.stdout.readlines)
    there = set(keys(await all_pages(store)))
    assert {line.strip() for line in said if line.endswith("\n")} <= there, "what was confirmed is there"
    assert set(keys((await store.find(TASKFORCES, limit=10_000)).items)) == there
    entries = await store.log("WF", limit=10_000)
    assert {entry["key"] for _, entry in entries} == there
    assert [number for number, _ in entries] == list(range(1, len(there) + 1))
    assert await store.counters("WF") == {"n": len(there)}
