"""The tables of the SQLite store, and how files of former versions become files of this one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from ewms.core.errors import StoreError
from ewms.stores._sqlite_query import NULL
from ewms.stores.collections import INDEXES

APPLICATION_ID = 0x45574D53
"""Marks the file as a store: `EWMS`."""

_BESIDE = {
    "logs": "log TEXT NOT NULL, number INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (log, number)",
    "counters": "owner TEXT NOT NULL, name TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (owner, name)",
    "forgotten": "key TEXT PRIMARY KEY",
}
"""What is kept beside documents; `forgotten` names journals that are still to be removed."""


def _begin(database: sqlite3.Connection) -> None:
    for table, columns in _BESIDE.items():
        database.execute(f"CREATE TABLE {table} ({columns}) WITHOUT ROWID")
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_begin,)
"""The step from each version to the next, beginning with the empty file; what `INDEXES` tells needs none."""


def prepare(database: sqlite3.Connection, name: str) -> None:
    """Bring a file to this version, inside one transaction.

    Raises
    ------
    StoreError
        A newer version has written it, or it is not a store.
    """
    database.execute("BEGIN IMMEDIATE")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    foreign = version > 0 and database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID
    if foreign or (version == 0 and database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]):
        raise StoreError(f"{name} is a database, but not a store of ewms; name another file")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{name} has schema {version} of a newer ewms; this one knows {len(MIGRATIONS)}: install the newer one"
        )
    for step in MIGRATIONS[version:]:
        step(database)
    for collection in INDEXES:
        _complete(database, collection)
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    database.execute("COMMIT")


def _complete(database: sqlite3.Connection, collection: str) -> None:
    columns = "key TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL"
    database.execute(f'CREATE TABLE IF NOT EXISTS "{collection}" ({columns})')
    present = {row[1] for row in database.execute(f'PRAGMA table_xinfo("{collection}")')}
    for column in sorted({f"$.{key}" for keys in INDEXES[collection] for key in keys} - present):
        path = "$" + "".join(f'."{segment}"' for segment in column.split(".")[1:])
        value = f"ifnull(json_extract(body, '{path}'), {NULL})"
        database.execute(f'ALTER TABLE "{collection}" ADD COLUMN "{column}" AS ({value}) VIRTUAL')
    for keys in INDEXES[collection]:
        columns = ", ".join([*(f'"$.{key}"' for key in keys), "key"])
        database.execute(f'CREATE INDEX IF NOT EXISTS "{collection}: {", ".join(keys)}" ON "{collection}" ({columns})')
