"""The collections of a MongoDB store with their indexes, and how stores of former versions become stores of this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from ewms.core.errors import StoreError
from ewms.stores.collections import INDEXES

Database = AsyncDatabase[dict[str, Any]]

LOGS = "logs"
"""One document per entry."""
LOG_ENDS = "log_ends"
"""The number of the last entry of each log."""
COUNTERS = "counters"
"""One document per owner and name."""
FORGOTTEN = "forgotten"
"""Keys whose journals are still to be removed."""
JOURNALS = "journals"
"""One document per journal: its epoch and named values."""
EVENTS = "journal_events"
"""One document per event, with how it ended."""
ATTEMPTS = "journal_attempts"
"""Unsuccessful attempts."""
MESSAGES = "journal_messages"
"""Confirmed messages that still need reports."""
_SCHEMA = "schema"
_EXISTS = 48

_BESIDE: dict[str, tuple[tuple[tuple[str, ...], bool], ...]] = {
    LOGS: ((("log", "number"), True),),
    LOG_ENDS: (),
    COUNTERS: ((("owner", "name"), True),),
    FORGOTTEN: (),
    JOURNALS: (),
    EVENTS: (
        (("workflow", "task", "id"), True),
        (("workflow", "state", "seq"), False),
        (("workflow", "order"), False),
        (("workflow", "rank", "task", "id"), False),
    ),
    ATTEMPTS: ((("workflow", "number"), True), (("workflow", "seq", "number"), False)),
    MESSAGES: ((("workflow",), False),),
}
"""Keys that are indexed together, and whether they are unique, by collection."""

MIGRATIONS: tuple[Callable[[Database], Awaitable[None]], ...] = ()
"""The step from each version to the next, from 1; indexes need none."""


async def prepare(database: Database, name: str) -> None:
    """Bring a store to this version, and make what is missing.

    Each step may be repeated: two processes may take it at the same time, or one may be killed in it.

    Raises
    ------
    StoreError
        A newer version has written it.
    """
    found = await database[_SCHEMA].find_one({"_id": _SCHEMA})
    current = len(MIGRATIONS) + 1
    version = current if found is None else int(found["version"])
    if version > current:
        raise StoreError(f"{name} has schema {version} of a newer ewms; this one knows {current}: install the newer one")
    for number, step in enumerate(MIGRATIONS[version - 1 :], start=version + 1):
        await step(database)
        await database[_SCHEMA].update_one({"_id": _SCHEMA}, {"$max": {"version": number}})
    await _complete(database)
    await database[_SCHEMA].update_one({"_id": _SCHEMA}, {"$setOnInsert": {"version": current}}, upsert=True)


async def _complete(database: Database) -> None:
    wanted = {name: [((*(f"body.{key}" for key in keys), "_id"), False) for keys in all_] for name, all_ in INDEXES.items()}
    wanted |= {name: list(indexes) for name, indexes in _BESIDE.items()}
    present = set(await database.list_collection_names())
    for name, indexes in wanted.items():
        if name not in present:
            await _create(database, name)
        if indexes:
            models = [IndexModel([(key, 1) for key in keys], unique=unique) for keys, unique in indexes]
            await database[name].create_indexes(models)


async def _create(database: Database, name: str) -> None:
    """Make a collection now: not every server makes one inside a transaction."""
    try:
        await database.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != _EXISTS:  # another process has made it meanwhile
            raise
