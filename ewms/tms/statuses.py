"""The words in which a TMS tells how workers fare: HTCondor's for the job, EWMS's for the pilot."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping

TOP = 10
"""Errors that are told of a taskforce."""


class JobStatus(enum.StrEnum):
    """What the backend says of a worker."""

    IDLE = "IDLE"
    """Waits for a slot."""
    RUNNING = "RUNNING"
    """Has one."""
    HELD = "HELD"
    """Will not be tried again for now; always with a reason, see `held`."""
    SUSPENDED = "SUSPENDED"
    """Has a slot, but does not run."""
    COMPLETED = "COMPLETED"
    """Ended by itself."""
    REMOVED = "REMOVED"
    """Was removed."""


class PilotStatus(enum.StrEnum):
    """What a pilot says of itself."""

    UNKNOWN = "null"
    """Nothing yet; EWMS's spelling."""
    STARTED = "Started"
    """It runs; what it does shows in its heartbeats."""
    DONE = "Done"
    """It ended well."""
    FATAL_ERROR = "FatalError"
    """It ended with an error."""


Statuses = dict[str, dict[str, int]]


def held(reason: str) -> str:
    """The job status of a worker that is held for a reason."""
    return f"{JobStatus.HELD}: {reason}"


def tally(workers: Iterable[tuple[str, str]]) -> Statuses:
    """Workers by job status and pilot status, in alphabetical order.

    Parameters
    ----------
    workers
        Job status and pilot status of each.
    """
    statuses: Statuses = {}
    for (job, pilot), count in sorted(Counter(workers).items()):
        statuses.setdefault(job, {})[pilot] = count
    return statuses


def top_errors(errors: Mapping[str, int]) -> dict[str, int]:
    """The ten most frequent errors, those of equal frequency in alphabetical order."""
    return dict(sorted(errors.items(), key=lambda item: (-item[1], item[0]))[:TOP])
