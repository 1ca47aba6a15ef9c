"""How long a TMS keeps what it has on disk. Pure: ages are passed in."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

DAY = 86400.0


class Kind(enum.StrEnum):
    """What something on disk is."""

    EVENTS = "event log"
    """What a backend wrote of a day's jobs."""
    TASKFORCE = "folder of a taskforce"
    """Stdout and stderr of its pilots."""
    UPLOADS = "uploads of a workflow"
    """The service has them, too."""
    ARCHIVED_EVENTS = "compressed event log"
    """Left of an event log."""
    ARCHIVED_TASKFORCE = "archive of a taskforce"
    """Left of a folder."""


class Deed(enum.StrEnum):
    """What becomes of it."""

    COMPRESS = "compress"
    """It takes less room."""
    DELETE = "delete"
    """It is gone."""


class Entry(NamedTuple):
    """Something on disk."""

    path: Path
    """Where."""
    kind: Kind
    """What."""
    quiet: float
    """Seconds since the newest change in it."""
    in_use: bool
    """Whether a taskforce or a workflow that lives needs it."""


class Rule(NamedTuple):
    """What is done with one kind when nothing needs it any more."""

    deed: Deed
    """What."""
    after: float
    """Seconds without a change."""


RULES: Mapping[Kind, Rule] = {
    Kind.EVENTS: Rule(Deed.COMPRESS, 1 * DAY),
    Kind.ARCHIVED_EVENTS: Rule(Deed.DELETE, 7 * DAY),
    Kind.TASKFORCE: Rule(Deed.COMPRESS, 5 * DAY),
    Kind.ARCHIVED_TASKFORCE: Rule(Deed.DELETE, 5 * DAY),
    Kind.UPLOADS: Rule(Deed.DELETE, 1 * DAY),
}
"""EWMS's times; uploads are fetched again should they be needed."""


def decide(entry: Entry, rules: Mapping[Kind, Rule] = RULES) -> Deed | None:
    """What becomes of something on disk now; None to leave it alone, as is everything that is in use, however old."""
    rule = rules[entry.kind]
    return rule.deed if not entry.in_use and entry.quiet > rule.after else None
