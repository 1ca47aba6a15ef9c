"""What a dead pilot said last, read from its log."""

from __future__ import annotations

import os
import re
from pathlib import Path

_TAIL = 4096
_END = re.compile(r"pilot_ended (?:pilot=\S+ )?code=(\d+)")


def last_words(log: Path) -> str:
    """The reason in the last line of a pilot's log, else that line."""
    last = _last_line(log) or "it left no message"
    return last.partition(" reason=")[2] or last


def told_exit_code(log: Path) -> int | None:
    """The exit code that the last line of a pilot's log tells; None if the pilot was killed before it could say."""
    match = _END.search(_last_line(log))
    return int(match[1]) if match else None


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            tail = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(tail.splitlines()) if line.strip()), "")
