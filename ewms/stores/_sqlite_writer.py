"""The one thread of a process that writes to a SQLite store: what waits is written together, with one sync of the disk."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from ewms.core.errors import EwmsError, StoreError
from ewms.stores._sqlite_database import connect, explained
from ewms.stores._sqlite_schema import prepare

_TOGETHER = 64
"""Most writes in one transaction: more would keep the first waiting."""

Work = Callable[[sqlite3.Connection], object]
"""Makes the changes of one write; raises `Conflict` where a condition does not hold."""


class _Write(NamedTuple):
    work: Work
    done: Future[None]


class Writer:
    """Opens and writes the file until it is closed.

    Parameters
    ----------
    path
        The file; made when it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._open: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=f"writer of {path.name}", daemon=True)

    def start(self) -> None:
        """Open the file and bring it to this version; raises `StoreError`."""
        self._thread.start()
        self._open.result()

    def close(self) -> None:
        """End the thread once it has written what waits. Idempotent."""
        self._writes.put(None)
        self._thread.join()

    def submit(self, work: Work) -> Future[None]:
        """Have something written; done when it is safe on the disk, or failed with `Conflict` or `StoreError`."""
        write = _Write(work, Future())
        self._writes.put(write)
        return write.done

    def _run(self) -> None:
        try:
            with explained(self._path):
                database = self._prepared()
        except StoreError as error:
            self._open.set_exception(error)
            return
        self._open.set_result(None)
        with closing(database):
            while (first := self._writes.get()) is not None:
                self._write(database, self._waiting(first))

    def _prepared(self) -> sqlite3.Connection:
        with ExitStack() as stack:
            database = stack.enter_context(closing(connect(self._path)))
            prepare(database, str(self._path))
            stack.pop_all()
        return database

    def _waiting(self, first: _Write) -> list[_Write]:
        writes = [first]
        while len(writes) < _TOGETHER and not self._writes.empty():
            following = self._writes.get()
            if following is None:
                self._writes.put(None)
                break
            writes.append(following)
        return [write for write in writes if write.done.set_running_or_notify_cancel()]

    def _write(self, database: sqlite3.Connection, writes: list[_Write]) -> None:
        failed: dict[int, Exception] = {}
        try:
            with explained(self._path):
                database.execute("BEGIN IMMEDIATE")
                for number, write in enumerate(writes):
                    try:
                        self._apply(database, write.work)
                    except EwmsError as error:
                        failed[number] = error
                        if not database.in_transaction:
                            raise
                database.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  if this thread ended, whoever writes after this would wait for ever
            if database.in_transaction:
                database.execute("ROLLBACK")
            failed = dict.fromkeys(range(len(writes)), error)
        for number, write in enumerate(writes):
            if number in failed:
                write.done.set_exception(failed[number])
            else:
                write.done.set_result(None)

    def _apply(self, database: sqlite3.Connection, work: Work) -> None:
        database.execute("SAVEPOINT one")
        try:
            with explained(self._path):
                work(database)
        except EwmsError:
            if database.in_transaction:  # SQLite itself has rolled back where the disk failed
                database.execute("ROLLBACK TO one")
                database.execute("RELEASE one")
            raise
        database.execute("RELEASE one")
