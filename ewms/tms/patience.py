"""How long a TMS waits before it tries something again. Pure: the clock is passed in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from ewms.core.service.phases import Phase

FIRST_PAUSE = 0.2
"""Seconds after the first failure; each further one doubles it."""
LONGEST_PAUSE = 30.0
"""Seconds."""


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row, at least 1."""
    return min(FIRST_PAUSE * 2.0 ** min(failures - 1, 30), LONGEST_PAUSE)


class _Rest(NamedTuple):
    failures: int
    until: float
    phase: Phase | None


class Patience:
    """Lets taskforces rest for which something failed, each by itself: none waits for another."""

    def __init__(self) -> None:
        self._rests: dict[str, _Rest] = {}

    def failed(self, uuid: str, phase: Phase | None, now: float) -> int:
        """Note a failure in a phase (None where the service wants nothing of it); how many in a row there were.

        Parameters
        ----------
        now
            Seconds on a monotonic clock.
        """
        before = self._rests.get(uuid)
        failures = 1 + (before.failures if before is not None and before.phase is phase else 0)
        self._rests[uuid] = _Rest(failures, now + pause_after(failures), phase)
        return failures

    def succeeded(self, uuid: str) -> None:
        """Forget what failed before."""
        self._rests.pop(uuid, None)

    def resting(self, phases: Mapping[str, Phase], now: float) -> set[str]:
        """Taskforces to leave alone for now. A rest ends with the phase: what is to be stopped is stopped at once."""
        return {uuid for uuid, rest in self._rests.items() if rest.until > now and rest.phase is phases.get(uuid)}

    def keep(self, uuids: Collection[str]) -> None:
        """Forget all taskforces but these."""
        self._rests = {uuid: rest for uuid, rest in self._rests.items() if uuid in uuids}

    def next_end(self, now: float) -> float | None:
        """Seconds until the next rest is over; None if nothing rests."""
        ends = [rest.until - now for rest in self._rests.values() if rest.until > now]
        return min(ends) if ends else None
