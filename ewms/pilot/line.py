"""Short messages that wait for a free slot, so that it need not wait for the broker: see `docs/adr/0011`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ewms.pilot.holding import Holding

LONGEST_WAIT = 1.0
"""Seconds after which what is in the line goes back: a message before it is not as short as those before."""


class Line:
    """First come, first served, but for retries, which go first so that they are not long at risk from others.

    Parameters
    ----------
    slots
        How many slots the pilot has.
    give_back
        Called with each message that waited too long.
    """

    def __init__(self, slots: int, give_back: Callable[[Holding], None]) -> None:
        self._slots = slots
        self._give_back = give_back
        self._waiting: deque[Holding] = deque()
        self._ahead = 0
        self._moved = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def length(self) -> int:
        """How many messages may wait, by the driver's last word."""
        return self._ahead * self._slots

    @property
    def room(self) -> int:
        """How many more messages are wanted: none until the line is half empty, because asking for several costs no more."""
        return self.length - len(self._waiting) if 2 * len(self._waiting) <= self.length else 0

    def heed(self, holding: Holding) -> None:
        """The line may be as long as the driver said with a message that is done, or not be there for one that came."""
        self._ahead = holding.ahead

    def add(self, holding: Holding) -> None:
        """All slots are busy: wait."""
        if holding.ahead:
            self._waiting.append(holding)
        else:
            self._waiting.appendleft(holding)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._moved = loop.time()
            self._timer = loop.call_later(LONGEST_WAIT, self._look)

    def next(self) -> Holding | None:
        """The next message, out of the line; None if there is none."""
        if not self._waiting:
            return None
        self._moved = asyncio.get_running_loop().time()
        return self._waiting.popleft()

    def clear(self) -> None:
        """Give everything back."""
        while self._waiting:
            self._give_back(self._waiting.popleft())

    def close(self) -> None:
        """Look after nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        if loop.time() - self._moved >= LONGEST_WAIT:
            self.clear()
        else:
            self._timer = loop.call_later(LONGEST_WAIT, self._look)
