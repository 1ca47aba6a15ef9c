"""A watched folder: files that are complete are taken once, and moved where one sees what became of them."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

from skymap_scanner.errors import EventError
from skymap_scanner.reading.limits import MAX_FILE_BYTES
from skymap_scanner.skydriver.auto.atomic import write_atomically

DONE: Final = "done"
"""Folder of files that were taken."""
REFUSED: Final = "refused"
"""Folder of files that are no alerts, each with a text that says why."""
_UNFINISHED: Final = (".tmp", ".part", ".partial", ".swp", "~")
"""Names of files that are still being written end so; or they begin with a dot."""
_AT_ONCE = 4
_LONGEST_NAME = 200
_log = logging.getLogger("ewms.service")

Take = Callable[[bytes, str], Awaitable[None]]
"""Takes an alert for good: its bytes and the name of its file. `EventError` where it is none."""


class _Sight(NamedTuple):
    """A file as it was seen; another one when it is written to."""

    inode: int
    size: int
    changed: int
    is_file: bool


class WatchedFolder:
    """Whatever is complete when it is looked at a second time is taken.

    Parameters
    ----------
    folder
        Where alerts are put; `done/` and `refused/` are made in it.
    take
        Takes one.
    patience
        Seconds for which a file that is no alert may still become one: its writer may have paused.
    clock
        Seconds, monotonic.
    """

    def __init__(self, folder: Path, take: Take, *, patience: float, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._take = take
        self._patience = patience
        self._clock = clock
        self._seen: dict[str, tuple[_Sight, float]] = {}
        self._stuck: dict[str, _Sight] = {}
        self._doubtful: dict[str, _Sight] = {}
        self.trouble = ""
        """Why files are not taken, or cannot be moved; nothing while all is well."""

    async def look(self) -> int:
        """Look once, and take what is complete; how many files that was.

        Raises
        ------
        EwmsError
            An alert could not be kept; it stays where it is.
        """
        try:
            ready = await asyncio.to_thread(self._ready)
        except OSError as error:
            self._trouble(f"folder {self._folder} cannot be watched: {error.strerror}")
            return 0
        if not self._stuck:
            self.trouble = ""
        for start in range(0, len(ready), _AT_ONCE):
            done = await asyncio.gather(
                *(self._one(name, sight) for name, sight in ready[start : start + _AT_ONCE]), return_exceptions=True
            )
            for failure in done:
                if isinstance(failure, BaseException):
                    self._trouble(str(failure))
                    raise failure
        return len(ready)

    def _ready(self) -> list[tuple[str, _Sight]]:
        """Files that are as they were at the look before, the oldest first."""
        for name in (DONE, REFUSED):
            (self._folder / name).mkdir(exist_ok=True)
        now, before = self._clock(), self._seen
        self._seen = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.endswith(_UNFINISHED) or entry.name in {DONE, REFUSED}:
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISDIR(found.st_mode):
                    continue
                sight = _Sight(found.st_ino, found.st_size, found.st_mtime_ns, stat.S_ISREG(found.st_mode))
                first = before.get(entry.name)
                self._seen[entry.name] = (sight, first[1] if first is not None and first[0] == sight else now)
        for waiting in (self._stuck, self._doubtful):
            for name in [name for name, sight in waiting.items() if self._seen.get(name, (None,))[0] != sight]:
                del waiting[name]
        ready = [
            (name, sight)
            for name, (sight, since) in self._seen.items()
            if name in before
            and before[name][0] == sight
            and name not in self._stuck
            and (name not in self._doubtful or now - since >= self._patience)
        ]
        return sorted(ready, key=lambda item: (item[1].changed, item[0]))

    async def _one(self, name: str, sight: _Sight) -> None:
        try:
            data = await asyncio.to_thread(_read, self._folder / name, sight)
            if data is None:
                return  # it is being written, or gone
            await self._take(data, _printable(name))
        except EventError as error:
            if self._clock() - self._seen[name][1] >= self._patience:
                await self._move(name, sight, REFUSED, str(error))
            else:
                self._doubtful[name] = sight  # its writer may have paused
        except OSError as error:
            await self._move(name, sight, REFUSED, f"{_printable(name)}: cannot be read: {error.strerror}")
        else:
            await self._move(name, sight, DONE)

    async def _move(self, name: str, sight: _Sight, where: str, reason: str = "") -> None:
        try:
            await asyncio.to_thread(self._moved, name, where, reason)
        except FileNotFoundError:
            return  # somebody took it away
        except OSError as error:
            self._stuck[name] = sight
            self._trouble(f"{_printable(name)} cannot be moved to {self._folder / where}: {error.strerror}")
            return
        level = logging.WARNING if reason else logging.INFO
        _log.log(level, "file_refused" if reason else "file_taken", extra={"file": _printable(name), "reason": reason})

    def _moved(self, name: str, where: str, reason: str) -> None:
        place = _free(self._folder / where, name)
        os.rename(self._folder / name, place)
        if reason:
            write_atomically(place.with_name(f"{place.name}.reason.txt"), f"{reason}\n".encode())

    def _trouble(self, text: str) -> None:
        if text != self.trouble:
            _log.error("folder_trouble", extra={"reason": text})
        self.trouble = text


def _read(path: Path, sight: _Sight) -> bytes | None:
    """What a file holds; None where it is not the one that was seen. Neither links are followed nor pipes waited for."""
    if not sight.is_file:
        raise EventError(f"{_printable(path.name)}: it is no file, but a link, a pipe or a device; put the file itself here")
    if sight.size > MAX_FILE_BYTES:
        raise EventError(f"{_printable(path.name)}: it is larger than {MAX_FILE_BYTES >> 20} MB, which no event is")
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(number, "rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
        found = os.fstat(number)
    now = _Sight(found.st_ino, found.st_size, found.st_mtime_ns, stat.S_ISREG(found.st_mode))
    return data if now == sight else None


def _free(folder: Path, name: str) -> Path:
    """A path in a folder that is not taken, for a file of that name."""
    stem, ending = os.path.splitext(name)
    while len(os.fsencode(stem + ending)) > _LONGEST_NAME:  # room for a number and `.reason.txt`
        stem, ending = (stem[:-1], ending) if len(stem) > 1 else (stem, ending[:-1])
    place = folder / f"{stem}{ending}"
    number = 2
    while os.path.lexists(place) or os.path.lexists(place.with_name(f"{place.name}.reason.txt")):
        place = folder / f"{stem}-{number}{ending}"
        number += 1
    return place


def _printable(name: str) -> str:
    """A file's name as a text that any store and any terminal can show."""
    return "".join(letter if letter.isprintable() else "?" for letter in name.encode("utf-8", "replace").decode())[:200]
