"""The one line that tells why."""

from __future__ import annotations

_CHARACTERS = 300
_TRACEBACK = "Traceback (most recent call last):"
NO_LOGS = "<no stderr logs>"

Detail = dict[str, str | int | float]
"""What `wire.Failure.detail` holds."""


def one_line(text: str) -> str:
    """The text with its white space collapsed, cut to what a reason may hold."""
    line = " ".join(text.split())
    return line if len(line) <= _CHARACTERS else line[: _CHARACTERS - 1] + "…"


def telling_line(stderr: str) -> str:
    """The exception of the last Python traceback if there is one, else the last line that is not empty."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    if not lines:
        return NO_LOGS
    starts = [number for number, line in enumerate(lines) if line.strip() == _TRACEBACK]
    after = lines[starts[-1] + 1 :] if starts else []
    return one_line(next((line for line in after if not line.startswith(" ")), lines[-1]))
