"""Finds what pilots left behind: processes are known by a mark in their environment, as HTCondor does it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

MARK = "EWMS_LAUNCH"


def marked(mark: str) -> Iterator[tuple[int, str]]:
    """Every process of this user, but this one, whose environment has `EWMS_LAUNCH` equal to the mark or below it.

    Gives process ids with what comes in the environment after the mark: empty, or beginning with a slash.
    """
    prefix = f"{MARK}={mark}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:  # ended meanwhile, or another user's
            continue
        for entry in environment.split(b"\0"):
            rest = entry[len(prefix) :]
            if entry.startswith(prefix) and (not rest or rest.startswith(b"/")):
                yield int(folder.name), rest.decode()


def kill_marked(mark: str) -> int:
    """Kill every process of this user whose environment has `EWMS_LAUNCH` equal to the mark or below it; how many."""
    killed = 0
    for pid, _ in marked(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed
