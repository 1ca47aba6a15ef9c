"""Changes as operations of MongoDB, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from ewms.core.errors import Conflict
from ewms.stores._checks import check_amounts, encoded, indexed_keys, plain
from ewms.stores._mongo_schema import COUNTERS, FORGOTTEN, LOG_ENDS, LOGS, Database
from ewms.stores.store import Add, Append, Change, Delete, Forget, Insert, Replace, refusal


def check(changes: Sequence[Change]) -> None:
    """Raise `InputError` if one of the changes cannot be stored."""
    for change in changes:
        if isinstance(change, Insert | Replace):
            encoded(change.collection, change.body)
        elif isinstance(change, Delete):
            indexed_keys(change.collection)
        elif isinstance(change, Append):
            plain(f"log {change.log}", change.entry)
        elif isinstance(change, Add):
            check_amounts(change.owner, change.amounts)


def is_one_operation(changes: Sequence[Change]) -> bool:
    """Whether the changes are a single operation, which is atomic without a transaction."""
    return len(changes) == 1 and isinstance(changes[0], Insert | Replace | Delete)


async def apply(change: Change, database: Database, session: AsyncClientSession | None) -> None:
    """Make one change; raises `Conflict`."""
    match change:
        case Insert(collection=collection, key=key, body=body):
            try:
                await database[collection].insert_one({"_id": key, "version": 1, "body": body}, session=session)
            except DuplicateKeyError:
                raise Conflict(refusal(change)) from None
        case Replace(collection=collection, key=key, version=version, body=body):
            new: dict[str, Any] = {"version": version + 1, "body": body}
            done = await database[collection].replace_one({"_id": key, "version": version}, new, session=session)
            if not done.matched_count:
                raise Conflict(refusal(change))
        case Delete(collection=collection, key=key):
            await database[collection].delete_one({"_id": key}, session=session)
        case Append(log=log, entry=entry):
            before = await database[LOG_ENDS].find_one_and_update(
                {"_id": log}, {"$inc": {"number": 1}}, upsert=True, session=session
            )
            number = before["number"] + 1 if before else 1
            await database[LOGS].insert_one({"log": log, "number": number, "entry": entry}, session=session)
        case Add(owner=owner, amounts=amounts):
            for name, amount in amounts.items():
                counter = {"owner": owner, "name": name}
                await database[COUNTERS].update_one(counter, {"$inc": {"amount": amount}}, upsert=True, session=session)
        case Forget(key=key):
            await database[LOGS].delete_many({"log": key}, session=session)
            await database[LOG_ENDS].delete_one({"_id": key}, session=session)
            await database[COUNTERS].delete_many({"owner": key}, session=session)
            await database[FORGOTTEN].update_one({"_id": key}, {"$set": {"_id": key}}, upsert=True, session=session)
        case _:
            assert_never(change)
