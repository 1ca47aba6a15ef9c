"""Which pilots spoil events that others can do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

CONDEMNING_EVENTS = 3


@dataclass(slots=True)
class PilotHealth:
    """Tells a bad pilot from bad events: several distinct events failed on it and succeeded elsewhere."""

    _failed_on: dict[int, set[str]] = field(default_factory=dict)
    _wronged: Counter[str] = field(default_factory=Counter)
    _succeeded: Counter[str] = field(default_factory=Counter)
    _condemned: set[str] = field(default_factory=set)

    def failed(self, seq: int, pilot: str) -> None:
        """An event failed on a pilot."""
        self._failed_on.setdefault(seq, set()).add(pilot)

    def succeeded(self, pilot: str, events: int) -> None:
        """So many events succeeded on a pilot."""
        self._succeeded[pilot] += events

    def accepted(self, seq: int, pilot: str) -> None:
        """An event that may have failed before succeeded on a pilot."""
        for culprit in self._failed_on.pop(seq, set()) - {pilot}:
            self._wronged[culprit] += 1

    def buried(self, seq: int) -> None:
        """An event was given up on: it tells nothing about pilots."""
        self._failed_on.pop(seq, None)

    def condemned(self) -> list[str]:
        """Pilots found bad since the last call: as many events wronged as done, and at least three."""
        found = [
            pilot
            for pilot, wronged in self._wronged.items()
            if wronged >= max(CONDEMNING_EVENTS, self._succeeded[pilot]) and pilot not in self._condemned
        ]
        self._condemned.update(found)
        return found
