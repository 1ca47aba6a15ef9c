"""The journal in one SQLite file: WAL, every commit synced to disk, one writer."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from ewms.core.errors import StaleEpoch, StoreError, StoreFull
from ewms.core.event import Attempt
from ewms.core.lifecycle import Life
from ewms.stores.base import Batch, EventRow, Journal, Known, Pending, Terminal

SCHEMA_VERSION = 1
_EVENT = "e.seq, e.task, e.id, e.rank, e.codec, e.data, e.headers"
_TERMINAL = f'{_EVENT}, t."order", t.outputs, t.many, t.reason'
_COLUMNS = "seq, task, id, rank, codec, data"
_PENDING = (
    f"SELECT {_EVENT}, l.life FROM events e LEFT JOIN lives l USING (seq) "
    "WHERE NOT EXISTS (SELECT 1 FROM terminals t WHERE t.seq = e.seq)"
)
_PAGE = 1000
_ROWS_AT_ONCE = (128, 16, 1)
_encode = msgspec.msgpack.Encoder().encode
_decode_life = msgspec.msgpack.Decoder(Life).decode
_decode_attempt = msgspec.msgpack.Decoder(Attempt).decode


class SqliteJournal(Journal):
    """A journal in one file.

    Parameters
    ----------
    path
        The file; made when it does not exist.
    writer
        Whether to open it as the driver, under a new epoch, or only to read beside a running driver.
    """

    def __init__(self, path: Path, *, writer: bool = True) -> None:
        self.path = path
        if not writer and not path.exists():
            raise StoreError(f"there is no journal at {path}; is this the folder of a workflow?")
        with self._explained():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA busy_timeout = 10000")
            self._db.execute("PRAGMA cache_size = -65536")
            self._db.execute("PRAGMA wal_autocheckpoint = 4000")
            self._prepare(writer)
            self.epoch = self._take_over() if writer else 0

    def _prepare(self, writer: bool) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            return
        if version != 0 or not writer:
            raise StoreError(f"{self.path} has journal format {version}; this ewms reads format {SCHEMA_VERSION}")
        schema = resources.files("ewms.stores").joinpath("schema.sql").read_text()
        self._db.executescript(f"BEGIN IMMEDIATE; {schema}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT")

    def _take_over(self) -> int:
        with self._transaction():
            epoch = int(self.value("epoch", 0)) + 1
            self._set("epoch", epoch)
        return epoch

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise StoreFull(f"the disk of {self.path} is full; free some space and run `ewms resume`") from error
            raise StoreError(
                f"the journal {self.path} cannot be used: {error}; mend the disk and run `ewms resume`"
            ) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path} is not a sound journal: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def commit(self, batch: Batch) -> list[Known]:
        """See `Journal.commit`."""
        execute, many = self._db.execute, self._db.executemany
        with self._explained(), self._transaction():
            if self.value("epoch") != self.epoch:
                raise StaleEpoch
            known = self._insert_events(batch.events)
            terminals = [(row.seq, row.order, bytearray(row.outputs), int(row.many)) for row in batch.accepted]
            self._insert('INSERT INTO terminals (seq, "order", outputs, many) VALUES', terminals)
            if batch.buried:
                many('INSERT INTO terminals (seq, "order", reason) VALUES (?, ?, ?)', batch.buried)
            for seq, outputs, several in batch.late:
                execute("UPDATE terminals SET outputs = ?, many = ? WHERE seq = ?", (outputs, several, seq))
            if batch.lives:
                many("INSERT OR REPLACE INTO lives VALUES (?, ?)", [(seq, _encode(life)) for seq, life in batch.lives])
            if batch.revived:
                many("DELETE FROM terminals WHERE seq = ?", [(seq,) for seq in batch.revived])
            for seq, order in batch.redeemed:
                execute('UPDATE terminals SET reason = NULL, "order" = ? WHERE seq = ?', (order, seq))
            if batch.attempts:
                rows = [(seq, _encode(attempt)) for seq, attempt in batch.attempts]
                many("INSERT INTO attempts (seq, attempt) VALUES (?, ?)", rows)
            if batch.sent:
                many("INSERT OR REPLACE INTO messages VALUES (?, ?)", batch.sent)
            if batch.settled:
                many("DELETE FROM messages WHERE id = ?", [(name,) for name in batch.settled])
            for name, value in batch.values.items():
                self._set(name, value)
        return known

    def _insert_events(self, rows: list[EventRow]) -> list[Known]:
        if not rows:
            return []
        before = self._db.total_changes
        if any(row.headers is not None for row in rows):
            columns = f"{_COLUMNS}, headers"
            values = [(*_values(row), None if row.headers is None else bytearray(row.headers)) for row in rows]
        else:
            columns, values = _COLUMNS, [_values(row) for row in rows]
        self._insert(f"INSERT INTO events ({columns}) VALUES", values, "ON CONFLICT (task, id) DO NOTHING")
        if self._db.total_changes - before == len(rows):
            return []
        known = []
        for row in rows:
            old = EventRow(
                *self._db.execute(f"SELECT {_EVENT} FROM events e WHERE task = ? AND id = ?", (row.task, row.id)).fetchone()
            )
            if old.seq != row.seq:
                known.append(Known(row, old))
        return known

    def _insert(self, head: str, rows: Sequence[tuple[Any, ...]], tail: str = "") -> None:
        """Insert many rows by few statements, with bytes as `bytearray` and truth values as integers.

        `executemany` gives up the interpreter lock once a row, and waits up to 5 ms to get it back from a busy thread. For
        values other than exactly int, float, str and bytearray, `sqlite3` looks for an adapter: half a microsecond each.
        """
        start = 0
        for size in _ROWS_AT_ONCE:
            while len(rows) - start >= size:
                chunk = rows[start : start + size]
                values = ", ".join([f"({', '.join('?' * len(chunk[0]))})"] * size)
                self._db.execute(f"{head} {values} {tail}", list(itertools.chain.from_iterable(chunk)))
                start += size

    def _set(self, name: str, value: Any) -> None:
        self._db.execute('INSERT OR REPLACE INTO "values" VALUES (?, ?)', (name, _encode(value)))

    def _query(self, query: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        with self._explained():
            return self._db.execute(query, parameters).fetchall()

    def _first(self, query: str, parameters: tuple[Any, ...] = ()) -> Any:
        with self._explained():
            return self._db.execute(query, parameters).fetchone()

    def _paged(self, query: str) -> Iterator[Any]:
        with self._explained():
            cursor = self._db.execute(query)
            rows = cursor.fetchmany(_PAGE)
        while rows:
            yield from rows
            with self._explained():
                rows = cursor.fetchmany(_PAGE)

    def value(self, name: str, default: Any = None) -> Any:
        """See `Journal.value`."""
        row = self._first('SELECT value FROM "values" WHERE name = ?', (name,))
        return default if row is None else msgspec.msgpack.decode(row[0])

    def values(self) -> dict[str, Any]:
        """See `Journal.values`."""
        rows = self._query('SELECT name, value FROM "values"')
        return {name: msgspec.msgpack.decode(value) for name, value in rows}

    def advance(self, epoch: int) -> None:
        """See `Journal.advance`."""
        if epoch > self.epoch:
            self.commit(Batch(values={"epoch": epoch}))
            self.epoch = epoch

    def counts(self) -> tuple[int, int, int]:
        """See `Journal.counts`."""
        planned, terminal, buried = self._first(
            "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM terminals), "
            "(SELECT count(*) FROM terminals WHERE reason IS NOT NULL)"
        )
        return planned, terminal - buried, buried

    def counts_by_task(self, tasks: int) -> tuple[list[int], list[int]]:
        """See `Journal.counts_by_task`."""
        planned, done = [0] * tasks, [0] * tasks
        rows = self._query(
            "SELECT e.task, count(*), count(t.seq) FROM events e LEFT JOIN terminals t USING (seq) GROUP BY e.task"
        )
        for task, events, terminal in rows:
            planned[task], done[task] = events, terminal
        return planned, done

    def positions(self) -> tuple[int, int]:
        """See `Journal.positions`."""
        seq, order = self._first(
            'SELECT (SELECT coalesce(max(seq), 0) FROM events), (SELECT coalesce(max("order"), 0) FROM terminals)'
        )
        return seq, order

    def pending(self, after: int, limit: int) -> list[Pending]:
        """See `Journal.pending`."""
        rows = self._query(f"{_PENDING} AND e.seq > ? ORDER BY e.seq LIMIT ?", (after, limit))
        return [_pending(row) for row in rows]

    def find_pending(self, task: int, event_id: str) -> Pending | None:
        """See `Journal.find_pending`."""
        row = self._first(f"{_PENDING} AND e.task = ? AND e.id = ?", (task, event_id))
        return None if row is None else _pending(row)

    def find(self, task: int, event_id: str) -> Terminal | None:
        """See `Journal.find`."""
        row = self._first(
            f"SELECT {_TERMINAL} FROM events e JOIN terminals t USING (seq) WHERE e.task = ? AND e.id = ?", (task, event_id)
        )
        return _terminal(row) if row else None

    def terminals(self, tasks: Iterable[int] | None = None, *, by_rank: bool = False, after: int = 0) -> Iterator[Terminal]:
        """See `Journal.terminals`."""
        where = f't."order" > {int(after)}'
        if tasks is not None:
            where += f" AND e.task IN ({', '.join(str(int(task)) for task in tasks)})"
        order = "e.rank, e.task, e.id" if by_rank else 't."order"'
        query = f"SELECT {_TERMINAL} FROM terminals t JOIN events e USING (seq) WHERE {where} ORDER BY {order}"
        return map(_terminal, self._paged(query))

    def letters(self) -> Iterator[Terminal]:
        """See `Journal.letters`."""
        query = f"SELECT {_TERMINAL} FROM terminals t JOIN events e USING (seq) WHERE t.reason IS NOT NULL "
        return map(_terminal, self._paged(query + "ORDER BY e.rank, e.task, e.id"))

    def life(self, seq: int) -> Life | None:
        """See `Journal.life`."""
        row = self._first("SELECT life FROM lives WHERE seq = ?", (seq,))
        return None if row is None else _decode_life(row[0])

    def history(self, seq: int) -> list[Attempt]:
        """See `Journal.history`."""
        rows = self._query("SELECT attempt FROM attempts WHERE seq = ? ORDER BY number", (seq,))
        return [_decode_attempt(row[0]) for row in rows]

    def attempts(self) -> Iterator[tuple[int, str, Attempt]]:
        """See `Journal.attempts`."""
        query = "SELECT e.task, e.id, a.attempt FROM attempts a JOIN events e USING (seq) ORDER BY a.number"
        for task, event_id, attempt in self._paged(query):
            yield task, event_id, _decode_attempt(attempt)

    def sent_messages(self) -> Iterator[tuple[str, bytes]]:
        """See `Journal.sent_messages`."""
        yield from self._paged("SELECT id, contents FROM messages")

    def close(self) -> None:
        """See `Journal.close`."""
        self._db.close()


def _values(row: EventRow) -> tuple[Any, ...]:
    return row.seq, row.task, row.id, bytearray(row.rank), row.codec, bytearray(row.data)


def _terminal(row: tuple[Any, ...]) -> Terminal:
    return Terminal(EventRow(*row[:7]), row[7], row[8], bool(row[9]), row[10])


def _pending(row: tuple[Any, ...]) -> Pending:
    return Pending(EventRow(*row[:7]), _decode_life(row[7]) if row[7] is not None else None)
