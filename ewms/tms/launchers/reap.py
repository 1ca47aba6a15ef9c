"""Ends what dead pilots left behind: processes are known by a mark in their environment, as HTCondor does it."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

MARK = "EWMS_LAUNCH"


def kill_marked(mark: str) -> int:
    """Kill every process of this user whose environment has `EWMS_LAUNCH` equal to the mark or below it; how many."""
    killed = 0
    prefix = f"{MARK}={mark}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:  # ended meanwhile, or another user's
            continue
        marks = [entry for entry in environment.split(b"\0") if entry.startswith(prefix)]
        if any(entry[len(prefix) :] in {b""} or entry[len(prefix) :].startswith(b"/") for entry in marks):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(folder.name), signal.SIGKILL)
                killed += 1
    return killed
