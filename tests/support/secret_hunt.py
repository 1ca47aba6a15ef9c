"""Looks for secrets where they must not be: in logs, stored documents, and what the system tells of processes."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote

_PAUSE_SECONDS = 0.05
_OTHERS = 0o077


class SecretHunt:
    """A hunt for some secrets, by name; what it finds is told by name, too.

    Parameters
    ----------
    secrets
        As they are, by what to call them; each is also looked for as it looks in a URL.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        assert all(len(secret) >= 8 for secret in secrets.values()), "too short to be told from other text"
        self.secrets = dict(secrets)
        """What it looks for."""
        forms = {(name, form) for name, secret in secrets.items() for form in (secret, quote(secret, safe=""))}
        self._forms = [(name, form.encode()) for name, form in sorted(forms)]
        self._seen: set[str] = set()
        self.looks = 0
        """Of processes, so far."""

    def in_data(self, where: str, data: bytes) -> list[str]:
        """What is found in some bytes."""
        return sorted({f"{name} in {where}" for name, form in self._forms if form in data})

    def in_files(self, *folders: Path, kept: Iterable[str] = ()) -> list[str]:
        """What is found in files below folders.

        Parameters
        ----------
        kept
            Patterns of paths relative to a folder, with `*` for anything, where secrets are meant to be: such files must be
            for their owner alone.
        """
        found: list[str] = []
        looked = 0
        for folder in folders:
            for path in sorted(_files(folder)):
                looked += 1
                is_kept = any(fnmatch(path.relative_to(folder).as_posix(), pattern) for pattern in kept)
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    if not is_kept or path.stat().st_mode & _OTHERS:
                        found += self.in_data(str(path), path.read_bytes())
        assert looked, "there is not a single file to look at"
        return found

    @contextlib.contextmanager
    def watching_processes(self) -> Iterator[None]:
        """Look at the command line and the environment of every process that the block's processes start, all the time."""
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def in_processes(self) -> list[str]:
        """What was found while processes were watched."""
        assert self.looks, "no process was looked at"
        return sorted(self._seen)

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(_PAUSE_SECONDS):
            for pid in _descendants(os.getpid()):
                self._look(pid)

    def _look(self, pid: int) -> None:
        for kind in ("cmdline", "environ"):
            with contextlib.suppress(OSError):  # it has ended
                data = Path(f"/proc/{pid}/{kind}").read_bytes()
                self.looks += 1
                self._seen.update(self.in_data(f"the {kind} of {_name(pid)}", data))


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):  # unlike rglob, it minds no folder that is removed meanwhile
        for path in (Path(parent, name) for name in names):
            if path.is_file() and not path.is_symlink():
                yield path


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return b" ".join(words[:4]).decode(errors="replace")


def _descendants(root: int) -> list[int]:
    """All processes that a process has started, and those that these have started."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            with contextlib.suppress(OSError):
                parents[int(entry)] = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
    found = {root}
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return sorted(found - {root})
