"""What a TMS and its nursery tell each other: a JSON object a line."""

from __future__ import annotations

import msgspec

READY = b"ready\n"
"""Sent once, when everything is loaded."""
PADDING = "-" * 300
"""Last argument: makes room for the arguments of pilots."""


class Birth(msgspec.Struct, frozen=True):
    """A pilot that is to be."""

    config: str
    """Path of its configuration."""
    log: str
    """Path of the file for its output."""
    variable: str
    """Of the environment, by which it is known."""
    mark: str
    """What that holds; not longer than it is in the nursery."""


class Born(msgspec.Struct, frozen=True):
    """One that is."""

    pid: int
    """Of its process."""
