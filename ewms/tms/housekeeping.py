"""Compresses and deletes what nobody needs any more in the folder of a cluster."""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from ewms.core.service.taskforce import TaskforceDocument
from ewms.tms.folder import CONFIG, EVENT_LOG, READ_STATE, ClusterFolder
from ewms.tms.retention import Deed, Entry, Kind, decide

_log = logging.getLogger("ewms.tms")

INTERVAL = 3600.0
"""Seconds between two rounds."""
_TAR = ".tar.gz"
_GZ = ".gz"
_DRAFT = ".draft"


class Housekeeper:
    """Touches nothing before it was told what is in use."""

    def __init__(self, folder: ClusterFolder) -> None:
        self._folder = folder
        self._taskforces: Sequence[TaskforceDocument] = ()
        self._at_backend: Collection[str] = ()
        self._told = asyncio.Event()

    def in_use(self, taskforces: Sequence[TaskforceDocument], at_backend: Collection[str]) -> None:
        """Learn what lives: what the service wants, and what the backend still has, by taskforce."""
        self._taskforces, self._at_backend = taskforces, at_backend
        self._told.set()

    async def run(self) -> None:
        """Make a round now and then, until cancelled."""
        await self._told.wait()
        while True:
            await asyncio.to_thread(self.tidy, time.time())
            await asyncio.sleep(INTERVAL)

    def tidy(self, now: float) -> None:
        """Make one round; what fails is logged, and tried again in the next.

        Parameters
        ----------
        now
            Seconds since 1970, by the clock of the file system.
        """
        self._drop_drafts()
        for entry in list(self._entries(now)):
            deed = decide(entry)
            if deed is None or entry.path in self._needed():  # in use since it was listed
                continue
            try:
                _DEEDS[entry.kind, deed](entry.path)
                _log.info("kept_no_longer", extra={"path": str(entry.path), "deed": str(deed)})
            except OSError as error:
                _log.warning("retention_failed", extra={"path": str(entry.path), "deed": str(deed), "reason": str(error)})

    def _drop_drafts(self) -> None:
        """Delete what a TMS left half done when it died."""
        for path in (*self._folder.events.glob(f"*{_GZ}{_DRAFT}"), *self._folder.taskforces.glob(f"*{_TAR}{_DRAFT}")):
            path.unlink()

    def _needed(self) -> set[Path]:
        needed = {Path(taskforce.job_event_log_fpath) for taskforce in self._taskforces}
        needed |= {self._folder.uploads_of(taskforce.workflow_id) for taskforce in self._taskforces}
        for uuid in {taskforce.taskforce_uuid for taskforce in self._taskforces}.union(self._at_backend):
            needed |= {self._folder.taskforce(uuid), self._folder.event_log(uuid)}
        return needed

    def _entries(self, now: float) -> Iterator[Entry]:
        needed = self._needed()
        for path, kind in self._kept():
            yield Entry(path, kind, quiet=now - _newest(path), in_use=path in needed)

    def _kept(self) -> Iterator[tuple[Path, Kind]]:
        for path in self._folder.events.glob("*" + EVENT_LOG):
            yield path, Kind.EVENTS
        for path in self._folder.events.glob("*" + EVENT_LOG + _GZ):
            yield path, Kind.ARCHIVED_EVENTS
        for path in self._folder.taskforces.iterdir():
            yield path, Kind.ARCHIVED_TASKFORCE if path.name.endswith(_TAR) else Kind.TASKFORCE
        for path in self._folder.uploads.iterdir():
            yield path, Kind.UPLOADS


def _newest(path: Path) -> float:
    """When anything in it was changed last, seconds since 1970."""
    newest = path.lstat().st_mtime
    for folder, _, names in os.walk(path):
        for name in names:
            newest = max(newest, os.lstat(os.path.join(folder, name)).st_mtime)
    return newest


def _compress_file(path: Path) -> None:
    """Put a compressed file in its place; how far it was read is of no more interest."""
    goal = path.with_name(path.name + _GZ)
    draft = goal.with_name(goal.name + _DRAFT)
    with path.open("rb") as plain, _private(draft) as raw, gzip.GzipFile(fileobj=raw, mode="wb") as packed:
        shutil.copyfileobj(plain, packed)
    draft.replace(goal)
    path.with_name(path.name + READ_STATE).unlink(missing_ok=True)
    path.unlink()


def _compress_folder(path: Path) -> None:
    """Put an archive in its place, without the configuration, which holds credentials."""
    goal = path.with_name(path.name + _TAR)
    draft = goal.with_name(goal.name + _DRAFT)
    with _private(draft) as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
        archive.add(path, arcname=path.name, filter=lambda member: None if Path(member.name).name == CONFIG else member)
    draft.replace(goal)
    shutil.rmtree(path)


def _private(path: Path) -> IO[bytes]:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


_DEEDS: Mapping[tuple[Kind, Deed], Callable[[Path], None]] = {
    (Kind.EVENTS, Deed.COMPRESS): _compress_file,
    (Kind.TASKFORCE, Deed.COMPRESS): _compress_folder,
    (Kind.ARCHIVED_EVENTS, Deed.DELETE): Path.unlink,
    (Kind.ARCHIVED_TASKFORCE, Deed.DELETE): Path.unlink,
    (Kind.UPLOADS, Deed.DELETE): shutil.rmtree,
}
