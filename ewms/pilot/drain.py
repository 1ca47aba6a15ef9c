"""When and why a pilot ends."""

from __future__ import annotations

import asyncio
import enum
import math
from typing import NamedTuple


class Exit(enum.IntEnum):
    """Exit codes of a pilot, for its launcher."""

    DRAINED = 0
    """It was told to end, or its time was up."""
    BROKEN = 4
    """A task cannot be run here at all: its consumer cannot be imported, its program is not there."""
    BROKER_LOST = 5
    """No broker answered for too long, or it refused."""
    PROTOCOL = 6
    """A message of another protocol came: pilot and driver are of different versions."""


class Ending(NamedTuple):
    """How a pilot is to end."""

    code: Exit
    """For the launcher."""
    reason: str
    """One line for people."""
    grace: float = 0.0
    """Seconds to finish what it holds; infinite for as long as it takes."""
    gives_back: bool = True
    """Whether what is not finished then is reported as returned."""


NO_MORE_WORK = Ending(Exit.DRAINED, "no more work will come", grace=math.inf)
CANCELLED = Ending(Exit.DRAINED, "the workflow was cancelled", gives_back=False)


class Drain:
    """Remembers the most urgent ending that it was told, the first among equals."""

    def __init__(self) -> None:
        self._ending: Ending | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.begun = asyncio.Event()
        """No more messages are leased."""
        self.over = asyncio.Event()
        """The time to finish is over."""

    @property
    def ending(self) -> Ending:
        """The one that counts. Only after `begun`."""
        if self._ending is None:
            raise RuntimeError("the drain has not begun")
        return self._ending

    def begin(self, ending: Ending) -> None:
        """End in that way, unless a more urgent word was given before."""
        if self._ending is not None and self._ending.grace <= ending.grace:
            return
        self._ending = ending
        self.begun.set()
        self.close()
        if ending.grace <= 0:
            self.over.set()
        elif math.isfinite(ending.grace):
            self._timer = asyncio.get_running_loop().call_later(ending.grace, self.over.set)

    def close(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
