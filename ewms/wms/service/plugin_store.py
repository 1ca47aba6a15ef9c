"""The part of the store that belongs to one plugin: its own collections, logs and counters, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from ewms.core.errors import InputError
from ewms.core.query import Query
from ewms.stores.store import Add, Append, Change, Delete, Document, Forget, Insert, Page, Replace, Store, Stored


def collection_name(prefix: str, collection: str) -> str:
    """What the store calls a plugin's collection."""
    return f"{prefix}_{collection}"


class PluginStore:
    """Documents of one plugin. Everything raises what `ewms.stores.store.Store` raises.

    Parameters
    ----------
    store
        Of the service.
    prefix
        Of the plugin.
    collections
        Its own, as it calls them.
    """

    def __init__(self, store: Store, prefix: str, collections: Sequence[str]) -> None:
        self._store = store
        self._prefix = prefix
        self._names = {collection: collection_name(prefix, collection) for collection in collections}

    async def get(self, collection: str, key: str) -> Stored | None:
        """One document; None if there is none."""
        return await self._store.get(self._name(collection), key)

    async def find(
        self,
        collection: str,
        query: Query | None = None,
        *,
        order: Sequence[tuple[str, bool]] = (),
        after: str | None = None,
        limit: int = 100,
    ) -> Page:
        """Documents that satisfy a query, in pages; see `ewms.stores.store.Store.find`."""
        return await self._store.find(self._name(collection), query, order=order, after=after, limit=limit)

    async def count(self, collection: str, query: Query | None = None) -> int:
        """How many documents satisfy a query. Exact."""
        return await self._store.count(self._name(collection), query)

    async def write(self, *changes: Change) -> None:
        """Make all changes, in the plugin's own names, in one durable transaction, or none of them.

        Raises `Conflict` naming the first change whose condition does not hold.
        """
        await self._store.write(*(self._own(change) for change in changes))

    async def log(self, name: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Document]]:
        """Entries of a log of the plugin, from 1, above `after`, oldest first."""
        return await self._store.log(self._key(name), after=after, limit=limit)

    async def counters(self, owner: str) -> dict[str, int]:
        """Counters of the plugin. Exact."""
        return await self._store.counters(self._key(owner))

    def _own(self, change: Change) -> Change:
        match change:
            case Insert() | Replace() | Delete():
                return replace(change, collection=self._name(change.collection))
            case Append():
                return replace(change, log=self._key(change.log))
            case Add():
                return replace(change, owner=self._key(change.owner))
            case Forget():
                return replace(change, key=self._key(change.key))
            case _:
                assert_never(change)

    def _name(self, collection: str) -> str:
        try:
            return self._names[collection]
        except KeyError:
            known = ", ".join(sorted(self._names)) or "none"
            raise InputError(f"plugin {self._prefix} has no collection {collection!r:.60}; it declares {known}") from None

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}"
