"""The store of one machine: documents in one SQLite file, journals in files beside it."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from ewms.core.errors import InputError, StoreError
from ewms.core.query import Query
from ewms.stores._checks import check_workflow_id, indexed_keys, is_workflow_id
from ewms.stores._cursors import Listing
from ewms.stores._sqlite_changes import work_of
from ewms.stores._sqlite_database import connect, copy, explained
from ewms.stores._sqlite_query import Sql, ordered
from ewms.stores._sqlite_writer import Writer
from ewms.stores.collections import BESIDE, INDEXES
from ewms.stores.sqlite import SqliteJournal
from ewms.stores.store import Change, Document, Forget, Kept, Page, Store, Stored

_READERS = 4
_decode = msgspec.json.Decoder(dict).decode
ResultT = TypeVar("ResultT")


class SqliteStore(Store):
    """A store in one file.

    Parameters
    ----------
    path
        The file, or `sqlite:///path/of/it`; made when it does not exist. Journals are in the folder `journals` beside it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(str(path).removeprefix("sqlite://")).absolute()
        self.journals = self.path.parent / "journals"
        self._writer: Writer | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._connections: list[sqlite3.Connection] = []
        self._own = threading.local()

    async def open(self) -> None:
        """See `Store.open`."""
        with explained(self.path):
            self.journals.mkdir(parents=True, exist_ok=True, mode=0o700)
        writer = Writer(self.path)
        await asyncio.to_thread(writer.start)
        self._writer = writer
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix=f"reader of {self.path.name}")
        try:
            forgotten = await self._read(lambda database: database.execute("SELECT key FROM forgotten").fetchall())
            await self._clear([key for (key,) in forgotten])
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """See `Store.close`."""
        writer, self._writer = self._writer, None
        readers, self._readers = self._readers, None
        if writer is not None:
            await asyncio.to_thread(writer.close)
        if readers is not None:
            await asyncio.to_thread(readers.shutdown)
        while self._connections:
            self._connections.pop().close()
        self._own = threading.local()

    async def write(self, *changes: Change) -> None:
        """See `Store.write`."""
        if self._writer is None:
            raise self._closed()
        await asyncio.wrap_future(self._writer.submit(work_of(changes)))
        await self._clear([change.key for change in changes if isinstance(change, Forget)])

    async def get(self, collection: str, key: str) -> Stored | None:
        """See `Store.get`."""
        indexed_keys(collection)
        query = f'SELECT version, body FROM "{collection}" WHERE key = ?'
        row = await self._read(lambda database: database.execute(query, (key,)).fetchone())
        return None if row is None else Stored(key, row[0], _decode(row[1]))

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
        sql = Sql(collection)
        where = f"{sql.where(query)} AND {sql.beyond(listing, listing.position(after))}"
        columns = ", ".join(["key", "version", "body", *(f'"$.{key}"' for key in listing.order)])
        statement = f'SELECT {columns} FROM "{collection}" WHERE {where} ORDER BY {ordered(listing)} LIMIT ?'

        def read(database: sqlite3.Connection) -> Page:
            items: list[Stored] = []
            size, last = 0, ""
            for key, version, body, *values in database.execute(statement, (*sql.parameters, limit + 1)):
                size += len(body)
                if items and (len(items) == limit or size > max_bytes):
                    return Page(items, last)
                items.append(Stored(key, version, _decode(body)))
                last = listing.cursor([None if value == -math.inf else value for value in values], key)
            return Page(items, None)

        return await self._read(read)

    async def count(self, collection: str, query: Query | None = None) -> int:
        """See `Store.count`."""
        sql = Sql(collection)
        statement = f'SELECT count(*) FROM "{collection}" WHERE {sql.where(query)}'
        row = await self._read(lambda database: database.execute(statement, sql.parameters).fetchone())
        return int(row[0])

    async def log(self, name: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Document]]:
        """See `Store.log`."""
        query = "SELECT number, entry FROM logs WHERE log = ? AND number > ? ORDER BY number LIMIT ?"
        rows = await self._read(lambda database: database.execute(query, (name, after, limit)).fetchall())
        return [(number, _decode(entry)) for number, entry in rows]

    async def counters(self, owner: str) -> dict[str, int]:
        """See `Store.counters`."""
        query = "SELECT name, amount FROM counters WHERE owner = ?"
        return dict(await self._read(lambda database: database.execute(query, (owner,)).fetchall()))

    async def kept(self) -> Kept:
        """See `Store.kept`."""

        def read(database: sqlite3.Connection) -> Kept:
            logs = [row[0] for row in database.execute("SELECT DISTINCT log FROM logs ORDER BY log")]
            owners = [row[0] for row in database.execute("SELECT DISTINCT owner FROM counters ORDER BY owner")]
            return Kept(logs, owners, sorted(file.stem for file in self.journals.glob("*.sqlite")))

        return await self._read(read)

    async def unknown(self) -> list[str]:
        """See `Store.unknown`."""
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        rows = await self._read(lambda database: database.execute(query).fetchall())
        return [name for (name,) in rows if name not in BESIDE and name not in INDEXES]

    async def copy_to(self, path: Path) -> None:
        """Make a new store as a copy of this one, which may be in use.

        Journals are copied after the documents, so that no document tells of work that its journal has not.

        Raises
        ------
        InputError
            There is no store here, or one there already.
        StoreError
            The copy cannot be written.
        """
        await asyncio.to_thread(self._copy, SqliteStore(path))

    def _copy(self, target: SqliteStore) -> None:
        if not self.path.is_file():
            raise InputError(f"there is no store at {self.path}; check the folder")
        if target.path.exists() or target.journals.exists():
            raise InputError(f"there is a store at {target.path} already; name a new folder")
        with explained(target.path):
            target.journals.mkdir(parents=True, mode=0o700)
            copy(self.path, target.path)
            for journal in sorted(self.journals.glob("*.sqlite")):
                copy(journal, target.journals / journal.name)

    def journal(self, workflow_id: str, *, writer: bool = True) -> SqliteJournal:
        """See `Store.journal`."""
        return SqliteJournal(self._journal(workflow_id), writer=writer)

    def _journal(self, workflow_id: str) -> Path:
        return self.journals / f"{check_workflow_id(workflow_id)}.sqlite"

    async def _read(self, read: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        if self._readers is None:
            raise self._closed()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._explained, read)

    def _explained(self, read: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        with explained(self.path):
            database: sqlite3.Connection | None = getattr(self._own, "database", None)
            if database is None:
                database = self._own.database = connect(self.path)
                database.execute("PRAGMA query_only = ON")
                self._connections.append(database)
            return read(database)

    async def _clear(self, keys: Sequence[str]) -> None:
        """Remove the journals of what was forgotten; those that a crash leaves are removed at the next opening."""
        for key in keys:
            if is_workflow_id(key):
                await asyncio.to_thread(self._remove, self._journal(key))
        if keys and self._writer is not None:
            marks = [(key,) for key in keys]
            done = self._writer.submit(lambda database: database.executemany("DELETE FROM forgotten WHERE key = ?", marks))
            await asyncio.wrap_future(done)

    def _remove(self, journal: Path) -> None:
        with explained(journal):
            for suffix in ("", "-wal", "-shm"):
                journal.with_name(journal.name + suffix).unlink(missing_ok=True)

    def _closed(self) -> StoreError:
        return StoreError(f"the store {self.path} is not open; `async with` opens it")
