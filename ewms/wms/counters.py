"""Exact counts of a workflow's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    """What `summary.json` reports under `events`; part of every commit, so exact after any crash."""

    sent: int = 0
    """Events given to the broker at least once."""
    accepted: int = 0
    """Events with their one outcome."""
    dead_lettered: int = 0
    """Events given up on."""
    retried: int = 0
    """Attempts that failed and were followed by another."""
    vanished: int = 0
    """Attempts lost with their pilot."""
    returned: int = 0
    """Attempts given back unworked by a draining pilot."""
    duplicates_dropped: int = 0
    """Second results of an event."""
    speculative: int = 0
    """Speculative copies of stragglers."""

    @property
    def terminal(self) -> int:
        """Events that are over."""
        return self.accepted + self.dead_lettered

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, counts: Mapping[str, int]) -> Counters:
        """The inverse of `as_dict`."""
        return cls(**counts)
