"""What a pilot in a job of HTCondor tells of itself in the job's event log, where its TMS reads: EWMS's words for it."""

from __future__ import annotations

import time

from ewms.core.wire import Heartbeat
from ewms.pilot.chirp import Chirper

_INTERVAL = 60.0


class Chirping:
    """Turns signs of life into statuses: each change is told at once, counts now and then. Outside of a job it is silent."""

    def __init__(self) -> None:
        self._chirper = Chirper(to_log=True, interval=_INTERVAL)
        self._status = ""
        self._reason = ""

    def start(self) -> None:
        """Tell that the pilot is there."""
        self._tell("Started", StartedTimestamp=int(time.time()))

    def hear(self, heartbeat: Heartbeat) -> None:
        """Tell what is new in a sign of life."""
        self._reason = heartbeat.reason
        self._chirper.counts(heartbeat.done, heartbeat.failed)
        if heartbeat.state == "draining" and heartbeat.holds:
            self._tell("PendingRemainingTasks")
        elif heartbeat.state == "running":
            self._tell("Tasking" if heartbeat.done or heartbeat.holds else "AwaitingFirstMessage")

    async def close(self, code: int, reason: str = "") -> None:
        """Tell how it ended; without a reason, the one of the last sign of life."""
        if code:
            await self._chirper.close("FatalError", Error=reason or self._reason)
        else:
            await self._chirper.close("Done")

    def _tell(self, status: str, **further: int) -> None:
        if status != self._status:
            self._status = status
            self._chirper.status(status, **further)
