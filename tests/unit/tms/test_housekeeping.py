"""What retention does to the folder of a cluster."""

from __future__ import annotations

import gzip
import os
import tarfile
import time
from pathlib import Path

import pytest

from ewms.tms.folder import CONFIG, READ_STATE, ClusterFolder
from ewms.tms.housekeeping import Housekeeper
from ewms.tms.retention import DAY
from tests.support.taskforces import taskforce

NOW = time.time()


@pytest.fixture
def folder(tmp_path: Path) -> ClusterFolder:
    return ClusterFolder(tmp_path / "here")


def old(path: Path, content: bytes = b"text", days: float = 10) -> Path:
    """A file, and its folder, that were not changed for days."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    for one in (path, path.parent):
        os.utime(one, (NOW - days * DAY, NOW - days * DAY))
    return path


def test_a_life_of_a_taskforces_folder(folder: ClusterFolder) -> None:
    old(folder.taskforce("TF-1") / CONFIG, b"secret")
    old(folder.taskforce("TF-1") / "out" / "1" / "0.out", b"words")
    os.utime(folder.taskforce("TF-1"), (NOW - 10 * DAY, NOW - 10 * DAY))
    housekeeper = Housekeeper(folder)
    housekeeper.tidy(NOW)
    archive = folder.taskforces / "TF-1.tar.gz"
    assert list(folder.taskforces.iterdir()) == [archive]
    assert archive.stat().st_mode & 0o077 == 0
    with tarfile.open(archive) as content:
        assert "TF-1/out/1/0.out" in content.getnames()
        assert f"TF-1/{CONFIG}" not in content.getnames()
    housekeeper.tidy(NOW + 4 * DAY)
    assert list(folder.taskforces.iterdir()) == [archive]
    housekeeper.tidy(NOW + 6 * DAY)
    assert not list(folder.taskforces.iterdir())


def test_one_fresh_file_keeps_a_whole_folder(folder: ClusterFolder) -> None:
    old(folder.taskforce("TF-1") / "old.log")
    fresh = folder.taskforce("TF-1") / "out" / "fresh.log"
    fresh.parent.mkdir()
    fresh.write_text("just now")
    Housekeeper(folder).tidy(NOW)
    assert fresh.exists()


def test_what_lives_is_not_touched_however_old(folder: ClusterFolder) -> None:
    kept = [
        old(folder.taskforce("TF-wanted") / "pilot-1.log"),
        old(folder.taskforce("TF-there") / "pilot-1.log"),
        old(folder.event_log("TF-wanted"), days=100),
        old(folder.event_log("TF-there"), days=100),
        old(folder.events / "2026-01-01.tms.jel", days=100),
        old(folder.uploads_of("WF-test") / "code" / "work.py"),
    ]
    gone = [old(folder.event_log("TF-gone")), old(folder.uploads_of("WF-gone") / "code" / "work.py")]
    os.utime(folder.uploads_of("WF-gone"), (NOW - 10 * DAY, NOW - 10 * DAY))
    housekeeper = Housekeeper(folder)
    day = taskforce("TF-wanted", job_event_log_fpath=str(folder.events / "2026-01-01.tms.jel"))
    housekeeper.in_use([day], {"TF-there"})
    housekeeper.tidy(NOW)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_an_event_log_is_compressed_and_its_read_state_goes(folder: ClusterFolder) -> None:
    log = old(folder.event_log("TF-1"), b"events")
    state = old(log.with_name(log.name + READ_STATE))
    Housekeeper(folder).tidy(NOW)
    packed = log.with_name(log.name + ".gz")
    assert gzip.decompress(packed.read_bytes()) == b"events"
    assert list(folder.events.iterdir()) == [packed]
    assert not state.exists()


def test_an_archive_that_was_left_half_done_does_not_block(folder: ClusterFolder) -> None:
    old(folder.taskforce("TF-1") / "pilot-1.log", b"whole")
    (folder.taskforces / "TF-1.tar.gz").write_bytes(b"half")
    (folder.taskforces / "TF-2.tar.gz.draft").write_bytes(b"a quarter")
    Housekeeper(folder).tidy(NOW)
    assert [path.name for path in folder.taskforces.iterdir()] == ["TF-1.tar.gz"]
    with tarfile.open(folder.taskforces / "TF-1.tar.gz") as content:
        assert "TF-1/pilot-1.log" in content.getnames()


def test_what_cannot_be_done_is_said_and_stops_nothing(
    folder: ClusterFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    old(folder.event_log("TF-1"))
    uploads = old(folder.uploads_of("WF-gone") / "x").parent
    os.utime(uploads, (NOW - 10 * DAY, NOW - 10 * DAY))
    monkeypatch.setattr(gzip, "GzipFile", _full)
    Housekeeper(folder).tidy(NOW)
    assert folder.event_log("TF-1").exists()
    assert not uploads.exists()
    assert "retention_failed" in caplog.messages


def _full(*arguments: object, **options: object) -> None:
    raise OSError(28, "No space left on device")
