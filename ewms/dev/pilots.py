"""The pilots of a service that `ewms dev` runs: they outlive their TMS, so that it may die, but not this process.

`python -m ewms.dev.pilots MARK` ends those that carry a mark: it is run when this process dies without having done so.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
import time

from ewms.pilot.containers.reaper import Reaper
from ewms.tms.backends._pilot_process import is_pilot
from ewms.tms.launchers.reap import kill_marked, marked

_LOOK_SECONDS = 0.05


class Pilots:
    """Ends what a cluster's TMS has started on this machine.

    Parameters
    ----------
    mark
        Of all these processes.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._reaper = Reaper(shlex.join([sys.executable, "-m", __name__, mark]))

    async def stop(self, grace: float) -> None:
        """Have them report or give back what they hold; by force after that many seconds. Their TMS must have ended."""
        for pid, _ in marked(self._mark):
            if is_pilot(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + grace
        while time.monotonic() < end:
            if not any(True for _ in marked(self._mark)):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.to_thread(kill_marked, self._mark)
        self._reaper.dismiss()


if __name__ == "__main__":
    kill_marked(sys.argv[1])
