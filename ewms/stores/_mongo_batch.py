"""What a batch of a journal writes to a MongoDB, and what is read of it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from pymongo import DeleteMany, ReplaceOne, UpdateOne

from ewms.core.event import Attempt
from ewms.core.lifecycle import Life
from ewms.stores.base import Batch, EventRow, Pending, Terminal

Row = dict[str, Any]
OPEN, ACCEPTED, BURIED = "open", "accepted", "buried"
encode = msgspec.msgpack.Encoder().encode
_decode_life = msgspec.msgpack.Decoder(Life).decode
_decode_attempt = msgspec.msgpack.Decoder(Attempt).decode
_FIELDS = EventRow.__struct_fields__


def key(workflow: str, name: int | str) -> str:
    """The `_id` of an event, by its seq, or of a message."""
    return f"{workflow}:{name}"


def event(workflow: str, row: EventRow) -> Row:
    """A planned event."""
    # MongoDB sorts texts by their characters, but binary data by its length first.
    fields = {**msgspec.structs.asdict(row), "rank": row.rank.hex()}
    return {"_id": key(workflow, row.seq), "workflow": workflow, "state": OPEN, **fields}


def endings(workflow: str, batch: Batch) -> Iterator[UpdateOne]:
    """What makes events terminal that are not."""
    for one in batch.accepted:
        end: Row = {"state": ACCEPTED, "order": one.order, "outputs": one.outputs, "many": one.many}
        yield UpdateOne({"_id": key(workflow, one.seq), "state": OPEN}, {"$set": end})
    for seq, order, reason in batch.buried:
        end = {"state": BURIED, "order": order, "reason": reason}
        yield UpdateOne({"_id": key(workflow, seq), "state": OPEN}, {"$set": end})


def updates(workflow: str, batch: Batch) -> Iterator[UpdateOne]:
    """What else changes about events."""

    def update(seq: int, change: Row) -> UpdateOne:
        return UpdateOne({"_id": key(workflow, seq)}, change)

    for seq, outputs, many in batch.late:
        yield update(seq, {"$set": {"outputs": outputs, "many": many}})
    for seq, life in batch.lives:
        yield update(seq, {"$set": {"life": encode(life)}})
    for seq in batch.revived:
        yield update(seq, {"$set": {"state": OPEN}, "$unset": dict.fromkeys(("order", "outputs", "many", "reason"), "")})
    for seq, order in batch.redeemed:
        yield update(seq, {"$set": {"state": ACCEPTED, "order": order}, "$unset": {"reason": ""}})


def attempts(workflow: str, batch: Batch, first: int) -> list[Row]:
    """Unsuccessful attempts, numbered from `first`."""
    return [
        {"workflow": workflow, "number": number, "seq": seq, "attempt": encode(attempt)}
        for number, (seq, attempt) in enumerate(batch.attempts, start=first)
    ]


def messages(workflow: str, batch: Batch) -> Iterator[ReplaceOne[Row] | DeleteMany]:
    """What changes about messages."""
    for name, contents in batch.sent:
        document = {"workflow": workflow, "name": name, "contents": contents}
        yield ReplaceOne({"_id": key(workflow, name)}, document, upsert=True)
    if batch.settled:
        yield DeleteMany({"_id": {"$in": [key(workflow, name) for name in batch.settled]}})


def last(batch: Batch) -> Row:
    """The greatest seq and order of a batch; 0 where there is none."""
    orders = [one.order for one in batch.accepted] + [one.order for one in batch.buried]
    orders += [order for _, order in batch.redeemed]
    return {"seq": max((row.seq for row in batch.events), default=0), "order": max(orders, default=0)}


def event_row(row: Row) -> EventRow:
    """An event as it was planned."""
    return EventRow(**{**{name: row[name] for name in _FIELDS}, "rank": bytes.fromhex(row["rank"])})


def pending(row: Row) -> Pending:
    """An unfinished event."""
    return Pending(event_row(row), life(row))


def terminal(row: Row) -> Terminal:
    """A terminal event."""
    return Terminal(event_row(row), row["order"], row.get("outputs"), row.get("many", False), row.get("reason"))


def life(row: Row) -> Life | None:
    """The recorded life of an event."""
    return _decode_life(row["life"]) if "life" in row else None


def attempt(row: Row) -> Attempt:
    """An unsuccessful attempt."""
    return _decode_attempt(row["attempt"])
