"""What runs beside the routes: each loop by itself, started again when it fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from ewms.core.errors import EwmsError

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_SOUND_SECONDS = 60.0
_log = logging.getLogger("ewms.service")

Loop = Callable[[], Awaitable[None]]
"""Runs until it is cancelled."""


class Supervisor:
    """Keeps loops running.

    Parameters
    ----------
    loops
        By name.
    """

    def __init__(self, loops: Mapping[str, Loop]) -> None:
        self._loops = dict(loops)
        self.troubles: dict[str, str] = {}
        """Why a loop does not run for now, by name."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All of them run inside the block."""
        tasks = [asyncio.create_task(self._keep(name, loop), name=name) for name, loop in self._loops.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, name: str, loop: Loop) -> None:
        clock = asyncio.get_running_loop().time
        pause = _FIRST_PAUSE
        while True:
            began = clock()
            try:
                await loop()
                return
            except Exception as error:  # noqa: BLE001 - one loop must not end the others, whatever it meets
                cause = _cause(error)
                self.troubles[name] = reason = str(cause) or type(cause).__name__
                known = isinstance(cause, EwmsError)
                _log.error("loop_failed", extra={"loop": name, "reason": reason}, exc_info=None if known else error)
            pause = _FIRST_PAUSE if clock() - began > _SOUND_SECONDS else min(2 * pause, _LONGEST_PAUSE)
            await asyncio.sleep(pause)
            self.troubles.pop(name, None)


def _cause(error: Exception) -> Exception:
    """What went wrong; the first of several things that did in the tasks of a group."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
