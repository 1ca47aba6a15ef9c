"""What is SQLite's own about the journal; the contract is in `tests/contract/test_journal.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ewms.stores.base import Batch, EventRow
from ewms.stores.sqlite import SqliteJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def pragma(journal: SqliteJournal, name: str) -> object:
    return journal._db.execute(f"PRAGMA {name}").fetchone()[0]


def test_every_commit_is_synced(path: Path) -> None:
    with SqliteJournal(path) as journal:
        assert pragma(journal, "journal_mode") == "wal"
        assert pragma(journal, "synchronous") == 2, "FULL"
        assert pragma(journal, "busy_timeout") == 10_000


def test_a_listing_of_many_is_lazy(path: Path) -> None:
    with SqliteJournal(path) as journal:
        rows = [EventRow(seq, 0, str(seq), b"", "json", b"0", None) for seq in range(1, 2501)]
        journal.commit(Batch(events=rows, sent=[(str(seq), b"") for seq in range(2500)]))
        listing = journal.sent_messages()
        assert next(listing)[0] == "0"
        journal._db.execute("DELETE FROM messages WHERE id > '5'")
        assert 1000 <= 1 + len(list(listing)) < 2500


KILLED = """
import os, signal, sys
from pathlib import Path
from ewms.stores.base import Batch, EventRow
from ewms.stores.sqlite import SqliteJournal

journal = SqliteJournal(Path(sys.argv[1]))
journal.commit(Batch(events=[EventRow(1, 0, "kept", b"", "json", b"0", None)]))
journal._db.execute("BEGIN IMMEDIATE")
journal._insert_events([EventRow(2, 0, "lost", b"", "json", b"0", None)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_whole_transactions(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=30, check=False)
    assert done.returncode == -9
    with SqliteJournal(path) as journal:
        assert [item.event.id for item in journal.pending(0, 10)] == ["kept"]
        assert journal.epoch == 2
