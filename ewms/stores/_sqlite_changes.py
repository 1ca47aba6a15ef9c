"""Changes as SQL statements, checked and encoded before anything waits for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, assert_never

from ewms.core.errors import Conflict
from ewms.stores._checks import check_amounts, encoded, indexed_keys, plain
from ewms.stores._sqlite_writer import Work
from ewms.stores.store import Add, Append, Change, Delete, Forget, Insert, Replace, refusal

_APPEND = "INSERT INTO logs SELECT ?, ifnull(max(number), 0) + 1, ? FROM logs WHERE log = ?"
_ADD = "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT (owner, name) DO UPDATE SET amount = amount + excluded.amount"


class _Statement(NamedTuple):
    sql: str
    parameters: tuple[Any, ...]
    condition: Insert | Replace | None = None
    """The change that is refused if no row is changed."""


def work_of(changes: Sequence[Change]) -> Work:
    """What makes all changes; `InputError` if one of them cannot be stored."""
    statements = [statement for change in changes for statement in _statements(change)]

    def work(database: sqlite3.Connection) -> None:
        for sql, parameters, condition in statements:
            if database.execute(sql, parameters).rowcount == 0 and condition is not None:
                raise Conflict(refusal(condition))

    return work


def _statements(change: Change) -> Iterator[_Statement]:
    match change:
        case Insert(collection=collection, key=key, body=body):
            sql = f'INSERT INTO "{collection}" (key, version, body) VALUES (?, 1, ?) ON CONFLICT DO NOTHING'
            yield _Statement(sql, (key, encoded(collection, body).decode()), change)
        case Replace(collection=collection, key=key, version=version, body=body):
            sql = f'UPDATE "{collection}" SET version = version + 1, body = ? WHERE key = ? AND version = ?'
            yield _Statement(sql, (encoded(collection, body).decode(), key, version), change)
        case Delete(collection=collection, key=key):
            indexed_keys(collection)
            yield _Statement(f'DELETE FROM "{collection}" WHERE key = ?', (key,))
        case Append(log=log, entry=entry):
            yield _Statement(_APPEND, (log, plain(f"log {log}", entry).decode(), log))
        case Add(owner=owner, amounts=amounts):
            for name, amount in check_amounts(owner, amounts).items():
                yield _Statement(_ADD, (owner, name, amount))
        case Forget(key=key):
            yield _Statement("DELETE FROM logs WHERE log = ?", (key,))
            yield _Statement("DELETE FROM counters WHERE owner = ?", (key,))
            yield _Statement("INSERT OR IGNORE INTO forgotten VALUES (?)", (key,))
        case _:
            assert_never(change)
