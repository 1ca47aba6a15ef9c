"""Short ways to write documents of a store and to read them, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ewms.core.query import Query
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Insert, Replace, Store, Stored


def insert(key: str, /, *collection: str, **body: Any) -> Insert:
    return Insert(collection=collection[0] if collection else WORKFLOWS, key=key, body=body)


def replace(stored: Stored, **body: Any) -> Replace:
    return Replace(collection=WORKFLOWS, key=stored.key, version=stored.version, body=body)


async def read(store: Store, key: str) -> Stored:
    found = await store.get(WORKFLOWS, key)
    assert found is not None
    return found


async def all_pages(store: Store, query: Query | None = None, **how: Any) -> list[Stored]:
    items: list[Stored] = []
    after = None
    while True:
        page = await store.find(WORKFLOWS, query, after=after, **how)
        items += page.items
        after = page.after
        if after is None:
            return items
        assert page.items, "a page that is not the last holds something"


def keys(items: Iterable[Stored]) -> list[str]:
    return [item.key for item in items]
