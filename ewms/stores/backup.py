"""A store's whole content as lines of JSON, for keeping and for moving from one kind of store to another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from itertools import groupby, islice
from typing import assert_never

import msgspec

from ewms.core.errors import InputError
from ewms.stores._journal_copy import batches
from ewms.stores.base import Batch
from ewms.stores.collections import INDEXES
from ewms.stores.store import Add, Append, Change, Document, Insert, Store

FORMAT = 1
"""Of the lines."""
_AT_ONCE = 100
"""Changes in one write."""
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class Line(msgspec.Struct, frozen=True, tag_field="line", tag=str.lower):
    """One line."""


class Head(Line, frozen=True):
    """The first line."""

    format: int = FORMAT
    """Of the others."""


class Body(Line, frozen=True):
    """A document."""

    collection: str
    """Where it is."""
    key: str
    """Its key."""
    body: Document
    """Its content."""


class Entry(Line, frozen=True):
    """An entry of a log; they come in order."""

    log: str
    """Name of the log."""
    entry: Document
    """What happened."""


class Amounts(Line, frozen=True):
    """The counters of one owner."""

    owner: str
    """Whose."""
    amounts: dict[str, int]
    """By name."""


class Journaled(Line, frozen=True):
    """A part of a journal; they come in order."""

    workflow: str
    """Whose journal."""
    epoch: int
    """The last in use."""
    values: dict[str, bytes]
    """Named values, each as msgpack."""
    batch: Batch
    """Everything else."""


class End(Line, frozen=True):
    """The last line: a file without it was cut off."""

    lines: int
    """How many came before, the first included."""


AnyLine = Head | Body | Entry | Amounts | Journaled | End


async def lines_of(store: Store) -> AsyncIterator[AnyLine]:
    """Everything that a store holds. What changes meanwhile may be told as it was before or as it is after.

    Versions of documents begin again at 1 where the lines are written to another store. Raises `InputError` where it holds
    documents of a plugin that is not known here.
    """
    count = 0
    async for line in _lines(store):
        count += 1
        yield line
    yield End(count)


async def _lines(store: Store) -> AsyncIterator[AnyLine]:
    if unknown := await store.unknown():
        raise InputError(f"the store holds {', '.join(unknown)} of a plugin that is not installed here; install it first")
    yield Head()
    for collection in tuple(INDEXES):
        page = await store.find(collection)
        while True:
            for stored in page.items:
                yield Body(collection, stored.key, stored.body)
            if page.after is None:
                break
            page = await store.find(collection, after=page.after)
    kept = await store.kept()
    for log in kept.logs:
        last = 0
        while entries := await store.log(log, after=last):
            last = entries[-1][0]
            for _, entry in entries:
                yield Entry(log, entry)
    for owner in kept.counters:
        yield Amounts(owner, await store.counters(owner))
    for workflow_id in kept.journals:
        parts = _journal(store, workflow_id)
        while (part := await asyncio.to_thread(next, parts, None)) is not None:
            yield part


def _journal(store: Store, workflow: str) -> Iterator[Journaled]:
    with store.journal(workflow, writer=False) as journal:
        epoch = int(journal.values()["epoch"])
        for batch in batches(journal):
            values = {name: _pack(value) for name, value in batch.values.items()}
            yield Journaled(workflow, epoch, values, replace(batch, values={}))


async def write_lines(store: Store, lines: Iterable[AnyLine]) -> None:
    """Write lines to an empty store. If one of them raises, what came before it has been written.

    Raises
    ------
    InputError
        The store holds something already.
    """
    for collection in INDEXES:
        if await store.count(collection):
            raise InputError(f"the store holds {collection} already; restore into an empty one")
    for workflow, part in groupby(lines, lambda line: line.workflow if isinstance(line, Journaled) else None):
        if workflow is None:
            while changes := [change for line in islice(part, _AT_ONCE) for change in _changes(line)]:
                await store.write(*changes)
        else:
            await asyncio.to_thread(_write_journal, store, workflow, part)


def _changes(line: AnyLine) -> list[Change]:
    match line:
        case Body(collection=collection, key=key, body=body):
            return [Insert(collection=collection, key=key, body=body)]
        case Entry(log=log, entry=entry):
            return [Append(log=log, entry=entry)]
        case Amounts(owner=owner, amounts=amounts):
            return [Add(owner=owner, amounts=amounts)]
        case Head() | End() | Journaled():
            return []
        case _:
            assert_never(line)


def _write_journal(store: Store, workflow: str, lines: Iterable[AnyLine]) -> None:
    with store.journal(workflow) as journal:
        for line in lines:
            if isinstance(line, Journaled):
                journal.advance(line.epoch)
                values = {name: _unpack(value) for name, value in line.values.items()}
                journal.commit(replace(line.batch, values=values))
