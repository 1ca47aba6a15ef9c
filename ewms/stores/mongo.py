"""The store that several machines share, in a MongoDB."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

from ewms.core.errors import StoreError
from ewms.core.query import Query, value_at
from ewms.stores._checks import check_workflow_id, indexed_keys
from ewms.stores._cursors import Listing
from ewms.stores._mongo_address import MongoAddress
from ewms.stores._mongo_changes import apply, check, is_one_operation
from ewms.stores._mongo_journal import MongoJournal
from ewms.stores._mongo_query import all_of, filter_of, ordered, plain, ranges
from ewms.stores._mongo_schema import (
    ATTEMPTS,
    COUNTERS,
    EVENTS,
    FORGOTTEN,
    JOURNALS,
    LOG_ENDS,
    LOGS,
    MESSAGES,
    Database,
    prepare,
)
from ewms.stores.collections import BESIDE, INDEXES
from ewms.stores.store import Change, Document, Forget, Kept, Page, Store, Stored

_AT_ONCE = 5000
"""Documents that are removed by one operation, so that each ends in time."""
_encode = msgspec.json.Encoder().encode


class MongoStore(Store):
    """A store in one database of a MongoDB.

    Parameters
    ----------
    url
        `mongodb://user:password@host,host/database?options` or `mongodb+srv://…`, of a replica set.
    """

    def __init__(self, url: str) -> None:
        self._address = MongoAddress(url)
        self._client: AsyncMongoClient[dict[str, Any]] | None = None
        self._journals: MongoClient[dict[str, Any]] | None = None

    async def open(self) -> None:
        """See `Store.open`."""
        with self._address.explained():
            self._client = AsyncMongoClient(self._address.url, **self._address.options)
            self._journals = MongoClient(self._address.url, connect=False, **self._address.options)
        try:
            with self._address.explained():
                await prepare(self._database, self._address.name)
                forgotten = [found["_id"] async for found in self._database[FORGOTTEN].find({})]
            await self._clear(forgotten)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """See `Store.close`."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        journals, self._journals = self._journals, None
        if journals is not None:
            await asyncio.to_thread(journals.close)

    async def write(self, *changes: Change) -> None:
        """See `Store.write`."""
        check(changes)
        database = self._database
        with self._address.explained():
            if is_one_operation(changes):
                await apply(changes[0], database, None)
                return

            async def all_of_them(session: AsyncClientSession) -> None:
                for change in changes:
                    await apply(change, database, session)

            async with database.client.start_session() as session:
                await session.with_transaction(all_of_them)
        await self._clear([change.key for change in changes if isinstance(change, Forget)])

    async def get(self, collection: str, key: str) -> Stored | None:
        """See `Store.get`."""
        indexed_keys(collection)
        with self._address.explained():
            found = await self._database[collection].find_one({"_id": key})
        return None if found is None else _stored(found)

    async def find(
        self,
        collection: str,
        query: Query | None = None,
        *,
        order: Sequence[tuple[str, bool]] = (),
        after: str | None = None,
        limit: int = 100,
        max_bytes: int = 10 << 20,
    ) -> Page:
        """See `Store.find`."""
        listing = Listing.of(collection, query, order)
        wanted = filter_of(collection, query)
        items: list[Stored] = []
        size = 0
        with self._address.explained():
            for range_ in ranges(listing, listing.position(after)):
                found = self._database[collection].find(all_of([wanted, range_]))
                found = found.sort(ordered(listing)).limit(limit + 1 - len(items))
                async with found:
                    async for each in found:
                        item = _stored(each)
                        size += len(_encode(item.body))
                        if items and (len(items) == limit or size > max_bytes):
                            last = items[-1]
                            return Page(items, listing.cursor([value_at(last.body, key) for key in listing.order], last.key))
                        items.append(item)
        return Page(items, None)

    async def count(self, collection: str, query: Query | None = None) -> int:
        """See `Store.count`."""
        wanted = filter_of(collection, query)
        with self._address.explained():
            return await self._database[collection].count_documents(wanted)

    async def log(self, name: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Document]]:
        """See `Store.log`."""
        with self._address.explained():
            found = self._database[LOGS].find({"log": name, "number": {"$gt": after}}).sort("number", 1).limit(limit)
            return [(int(each["number"]), plain(each["entry"])) async for each in found]

    async def counters(self, owner: str) -> dict[str, int]:
        """See `Store.counters`."""
        with self._address.explained():
            return {each["name"]: int(each["amount"]) async for each in self._database[COUNTERS].find({"owner": owner})}

    async def kept(self) -> Kept:
        """See `Store.kept`."""
        with self._address.explained():
            logs = [each["_id"] async for each in self._database[LOG_ENDS].find({}, {"_id": 1})]
            grouped = await self._database[COUNTERS].aggregate([{"$group": {"_id": "$owner"}}])
            owners = [each["_id"] async for each in grouped]
            journals = [each["_id"] async for each in self._database[JOURNALS].find({}, {"_id": 1})]
        return Kept(sorted(logs), sorted(owners), sorted(journals))

    async def unknown(self) -> list[str]:
        """See `Store.unknown`."""
        with self._address.explained():
            names = await self._database.list_collection_names()
        return sorted(
            name for name in names if not name.startswith("system.") and name not in BESIDE and name not in INDEXES
        )

    def journal(self, workflow_id: str, *, writer: bool = True) -> MongoJournal:
        """See `Store.journal`."""
        if self._journals is None:
            raise self._closed()
        database = self._journals[self._address.database]
        return MongoJournal(self._address, database, check_workflow_id(workflow_id), writer=writer)

    @property
    def _database(self) -> Database:
        if self._client is None:
            raise self._closed()
        return self._client[self._address.database]

    async def _clear(self, keys: Sequence[str]) -> None:
        """Remove the journals of what was forgotten; those that a crash leaves are removed at the next opening."""
        for key in keys:
            with self._address.explained():
                await self._database[JOURNALS].delete_one({"_id": key})  # first: it fences off a driver that still writes
            for collection in (EVENTS, ATTEMPTS, MESSAGES):
                while await self._remove_some(self._database[collection], key):
                    pass
            with self._address.explained():
                await self._database[FORGOTTEN].delete_one({"_id": key})

    async def _remove_some(self, collection: AsyncCollection[dict[str, Any]], workflow_id: str) -> bool:
        with self._address.explained():
            found = [each["_id"] async for each in collection.find({"workflow": workflow_id}, {"_id": 1}).limit(_AT_ONCE)]
            if found:
                await collection.delete_many({"_id": {"$in": found}})
        return bool(found)

    def _closed(self) -> StoreError:
        return StoreError(f"the store {self._address.name} is not open; `async with` opens it")


def _stored(found: dict[str, Any]) -> Stored:
    return Stored(found["_id"], int(found["version"]), plain(found["body"]))
