"""How many events travel in one message."""

from __future__ import annotations

from dataclasses import dataclass

TARGET_SECONDS = 0.1
MAX_EVENTS = 2048
MAX_AHEAD = 32
"""Messages that a pilot holds in line for a slot, at most."""
SHORT_SECONDS = 0.01
"""Of work in a message, above which it does not matter that a slot waits for the next one's round trip."""
_WEIGHT = 0.3


@dataclass(slots=True)
class RunTime:
    """Running estimate of what one event of a task takes, in seconds."""

    mean: float | None = None
    """Exponentially weighted mean; None until something was measured."""
    longest: float = 0.0
    """Longest mean of any report."""
    measured: int = 0
    """Events behind it."""

    def observe(self, busy: float, events: int) -> None:
        """Take in a report: `events` took `busy` seconds together."""
        if events <= 0:
            return
        seconds = max(0.0, busy) / events
        self.mean = seconds if self.mean is None else (1 - _WEIGHT) * self.mean + _WEIGHT * seconds
        self.longest = max(self.longest, seconds)
        self.measured += events


def full_bundle(run_time: RunTime, limit: int | None = None) -> int:
    """Events in 100 ms of work, one until the run time is measured; `limit` is the task's own bound, None for automatic."""
    if limit is not None:
        return limit
    if run_time.mean is None:
        return 1
    if run_time.mean * MAX_EVENTS <= TARGET_SECONDS:
        return MAX_EVENTS
    return max(1, int(TARGET_SECONDS / run_time.mean))


def bundle_size(run_time: RunTime, ready: int, slots: int, limit: int | None = None) -> int:
    """Events for the next message: a full bundle, but no more than a fair part of what is ready, unless limited by hand."""
    full = full_bundle(run_time, limit)
    if limit is not None:
        return full
    return max(1, min(full, -(-ready // (2 * max(1, slots)))))


def is_short(run_time: RunTime, events: int) -> bool:
    """Whether a message of so many events is known to take so little that a pilot should have the next one at hand."""
    return run_time.mean is not None and run_time.mean * events <= SHORT_SECONDS


def messages_ahead(run_time: RunTime, events: int, waiting: int, slots: int) -> int:
    """How many messages a pilot may hold in line for each slot: 100 ms of work, and not what other slots would idle for.

    Parameters
    ----------
    events
        In one message.
    waiting
        Messages that are out; a slot may have half of its share in line.
    """
    if not is_short(run_time, events):
        return 0
    work = int(TARGET_SECONDS / max((run_time.mean or 0.0) * events, TARGET_SECONDS / MAX_AHEAD))
    return min(work, waiting // (2 * max(1, slots)))
