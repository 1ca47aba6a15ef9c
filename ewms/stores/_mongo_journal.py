"""A journal in a MongoDB: a document per event, and a head that every transaction changes on condition of its epoch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database

from ewms.core.errors import StaleEpoch, StoreError
from ewms.core.event import Attempt
from ewms.core.lifecycle import Life
from ewms.stores import _mongo_batch as rows
from ewms.stores._mongo_address import MongoAddress
from ewms.stores._mongo_batch import ACCEPTED, BURIED, OPEN, Row
from ewms.stores._mongo_schema import ATTEMPTS, EVENTS, JOURNALS, MESSAGES
from ewms.stores.base import Batch, EventRow, Journal, Known, Pending, Terminal

_PAGE = 1000
_BY_RANK = {"rank": 1, "task": 1, "id": 1}


class MongoJournal(Journal):
    """A journal among those of one database.

    Parameters
    ----------
    address
        Where it is.
    database
        A connection to it, which others may use too.
    workflow_id
        Whose journal.
    writer
        Whether to open it as the driver, under a new epoch, or only to read beside a running driver.
    """

    def __init__(self, address: MongoAddress, database: Database[Row], workflow_id: str, *, writer: bool = True) -> None:
        self._address = address
        self._database = database
        self._id = workflow_id
        self._events = database[EVENTS]
        self._all = {"workflow": workflow_id}
        if writer:
            self.epoch = self._take_over(1)
        else:
            self.epoch = 0
            if not self._head("epoch"):
                raise StoreError(f"there is no journal of {workflow_id} in {address.name}")

    def _take_over(self, above: int) -> int:
        with self._address.explained():
            before = self._database[JOURNALS].find_one_and_update({"_id": self._id}, {"$inc": {"epoch": above}}, upsert=True)
        return above + (int(before["epoch"]) if before else 0)

    def advance(self, epoch: int) -> None:
        """See `Journal.advance`."""
        if epoch > self.epoch:
            self.epoch = self._take_over(epoch - self.epoch)

    def commit(self, batch: Batch) -> list[Known]:
        """See `Journal.commit`."""
        with self._address.explained(), self._database.client.start_session() as session:
            return session.with_transaction(lambda session: self._write(batch, session))

    def _write(self, batch: Batch, session: ClientSession) -> list[Known]:
        first_attempt = self._claim(batch, session)
        known, fresh = self._told_apart(batch.events, session)
        if fresh:
            self._events.insert_many([rows.event(self._id, row) for row in fresh], session=session)
        if endings := [*rows.endings(self._id, batch)]:
            ended = self._events.bulk_write(endings, session=session)
            if ended.matched_count != len(endings):
                raise StoreError(f"{self._id}: an event was to end that is unknown or has ended; nothing is written")
        if updates := [*rows.updates(self._id, batch)]:
            self._events.bulk_write(updates, session=session)
        if batch.attempts:
            self._database[ATTEMPTS].insert_many(rows.attempts(self._id, batch, first_attempt), session=session)
        if messages := [*rows.messages(self._id, batch)]:
            self._database[MESSAGES].bulk_write(messages, session=session)
        return known

    def _claim(self, batch: Batch, session: ClientSession) -> int:
        """Change the head, which no other transaction can do meanwhile; the number of the first new attempt."""
        change: Row = {"$inc": {"commits": 1, "attempts": len(batch.attempts)}, "$max": rows.last(batch)}
        if batch.values:
            change["$set"] = {_path(name): rows.encode(value) for name, value in batch.values.items()}
        claimed = {"_id": self._id, "epoch": self.epoch}
        head = self._database[JOURNALS].find_one_and_update(claimed, change, projection={"attempts": 1}, session=session)
        if head is None:
            raise StaleEpoch
        return int(head.get("attempts", 0)) + 1

    def _told_apart(self, events: Sequence[EventRow], session: ClientSession) -> tuple[list[Known], list[EventRow]]:
        """Which events are there already, and which are new: an insertion that fails would end the transaction."""
        by_task: defaultdict[int, list[str]] = defaultdict(list)
        for event in events:
            by_task[event.task].append(event.id)
        seen: dict[tuple[int, str], EventRow] = {}
        for task, ids in by_task.items():
            for found in self._events.find({**self._all, "task": task, "id": {"$in": ids}}, session=session):
                seen[task, found["id"]] = rows.event_row(found)
        known, fresh = [], []
        for event in events:
            old = seen.setdefault((event.task, event.id), event)
            if old is event:
                fresh.append(event)
            else:
                known.append(Known(event, old))
        return known, fresh

    def value(self, name: str, default: Any = None) -> Any:
        """See `Journal.value`."""
        return self._values(_path(name)).get(name, default)

    def values(self) -> dict[str, Any]:
        """See `Journal.values`."""
        return {**self._values("values"), "epoch": int(self._head("epoch").get("epoch", 0))}

    def _values(self, path: str) -> dict[str, Any]:
        found = self._head(path).get("values", {})
        return {unquote(name): msgspec.msgpack.decode(value) for name, value in found.items()}

    def _head(self, *paths: str) -> Row:
        with self._address.explained():
            return self._database[JOURNALS].find_one({"_id": self._id}, dict.fromkeys(paths, 1)) or {}

    def counts(self) -> tuple[int, int, int]:
        """See `Journal.counts`."""
        with self._address.explained():
            planned, accepted, buried = (
                self._events.count_documents({**self._all, **state})
                for state in ({}, {"state": ACCEPTED}, {"state": BURIED})
            )
        return planned, accepted, buried

    def counts_by_task(self, tasks: int) -> tuple[list[int], list[int]]:
        """See `Journal.counts_by_task`."""
        planned, done = [0] * tasks, [0] * tasks
        ended = {"$sum": {"$cond": [{"$eq": ["$state", OPEN]}, 0, 1]}}
        group = {"_id": "$task", "planned": {"$sum": 1}, "done": ended}
        with self._address.explained():
            for found in self._events.aggregate([{"$match": self._all}, {"$group": group}]):
                planned[found["_id"]], done[found["_id"]] = found["planned"], found["done"]
        return planned, done

    def positions(self) -> tuple[int, int]:
        """See `Journal.positions`."""
        head = self._head("seq", "order")
        return int(head.get("seq", 0)), int(head.get("order", 0))

    def pending(self, after: int, limit: int) -> list[Pending]:
        """See `Journal.pending`."""
        wanted = {**self._all, "state": OPEN, "seq": {"$gt": after}}
        with self._address.explained():
            return [rows.pending(found) for found in self._events.find(wanted).sort("seq", 1).limit(limit)]

    def find_pending(self, task: int, event_id: str) -> Pending | None:
        """See `Journal.find_pending`."""
        found = self._one({"task": task, "id": event_id, "state": OPEN})
        return None if found is None else rows.pending(found)

    def find(self, task: int, event_id: str) -> Terminal | None:
        """See `Journal.find`."""
        found = self._one({"task": task, "id": event_id})  # by the unique index alone; its state is looked at here
        return None if found is None or found["state"] == OPEN else rows.terminal(found)

    def terminals(self, tasks: Iterable[int] | None = None, *, by_rank: bool = False, after: int = 0) -> Iterator[Terminal]:
        """See `Journal.terminals`."""
        # What ends while this is read has a greater order, and is not shown.
        wanted: Row = {"order": {"$gt": after, "$lte": self.positions()[1]}}
        if tasks is not None:
            wanted["task"] = {"$in": list(tasks)}
        return map(rows.terminal, self._found(self._events, wanted, _BY_RANK if by_rank else {"order": 1}))

    def letters(self) -> Iterator[Terminal]:
        """See `Journal.letters`."""
        return map(rows.terminal, self._found(self._events, {"state": BURIED}, _BY_RANK))

    def life(self, seq: int) -> Life | None:
        """See `Journal.life`."""
        found = self._one({"_id": rows.key(self._id, seq)})
        return None if found is None else rows.life(found)

    def history(self, seq: int) -> list[Attempt]:
        """See `Journal.history`."""
        return [rows.attempt(found) for found in self._found(self._database[ATTEMPTS], {"seq": seq}, {"number": 1})]

    def attempts(self) -> Iterator[tuple[int, str, Attempt]]:
        """See `Journal.attempts`."""
        for found in self._found(self._database[ATTEMPTS], {}, {"number": 1}):
            event = self._one({"_id": rows.key(self._id, found["seq"])})
            if event is not None:
                yield event["task"], event["id"], rows.attempt(found)

    def sent_messages(self) -> Iterator[tuple[str, bytes]]:
        """See `Journal.sent_messages`."""
        return ((found["name"], found["contents"]) for found in self._found(self._database[MESSAGES], {}, {"_id": 1}))

    def close(self) -> None:
        """See `Journal.close`; the connection is the store's."""

    def _one(self, wanted: Row) -> Row | None:
        with self._address.explained():
            return self._events.find_one({**self._all, **wanted})

    def _found(self, collection: Collection[Row], wanted: Row, order: Row) -> Iterator[Row]:
        with self._address.explained():
            cursor = collection.find({**self._all, **wanted}, batch_size=_PAGE).sort(order)
            page = [*islice(cursor, _PAGE)]
        while page:
            yield from page
            with self._address.explained():
                page = [*islice(cursor, _PAGE)]


def _path(name: str) -> str:
    """Where a named value is in the head: dots would lead into objects."""
    return f"values.{quote(name, safe='').replace('.', '%2E')}"
