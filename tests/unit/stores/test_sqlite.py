"""What is SQLite's own about the journal; the contract is in `tests/contract/test_journal.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=120, check=False)
    assert done.returncode == -9
    with SqliteJournal(path) as journal:
        assert [item.event.id for item in journal.pending(0, 10)] == ["kept"]
        assert journal.epoch == 2
