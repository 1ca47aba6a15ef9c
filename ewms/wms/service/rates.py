"""How fast tasks work off their events, from counts as they were seen over the last half minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

_WINDOW_SECONDS = 30.0
_LEAST_SECONDS = 0.5
_HISTORY = 600
_APART_SECONDS = 1.0


class Rates:
    """Of one workflow."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, dict[str, int]]] = deque()
        self._history: deque[tuple[float, int]] = deque(maxlen=_HISTORY)

    def note(self, terminal: Mapping[str, int], now: float) -> None:
        """Take in how many events are terminal.

        Parameters
        ----------
        terminal
            By task.
        now
            Seconds on a monotonic clock.
        """
        self._seen.append((now, dict(terminal)))
        while len(self._seen) > 2 and self._seen[1][0] < now - _WINDOW_SECONDS:
            self._seen.popleft()
        if not self._history or now - self._history[-1][0] >= _APART_SECONDS:
            self._history.append((now, sum(terminal.values())))

    def history(self, now: float) -> list[tuple[float, int]]:
        """How many events of all tasks were terminal, each with the seconds since then; ten minutes of it."""
        return [(round(now - when, 1), count) for when, count in self._history]

    def per_second(self) -> dict[str, float]:
        """Events by task; nothing before they were seen twice."""
        if len(self._seen) < 2:
            return {}
        (began, before), (ended, after) = self._seen[0], self._seen[-1]
        seconds = ended - began
        if seconds < _LEAST_SECONDS:
            return {}
        return {task: max(0.0, (count - before.get(task, 0)) / seconds) for task, count in after.items()}
