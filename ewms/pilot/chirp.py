"""What an EWMS pilot tells HTCondor of itself: attributes of the job, or lines in its event log, by `condor_chirp`.

Whatever goes wrong with that is logged and tried again with the next report: no event waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Mapping

from ewms.core.errors import ConsumerError
from ewms.pilot.containers.calls import call

logger = logging.getLogger("ewms.pilot.chirp")

PREFIX = "HTChirpEWMSPilot"
_CALL_SECONDS = 10.0
_FLUSH_SECONDS = 10.0
_PROGRAM = "condor_chirp"
_ELSEWHERE = "/usr/libexec/condor:/usr/lib/condor/libexec"


class Chirper:
    """Sends at once what tells of a change, and counts at intervals only.

    Parameters
    ----------
    to_log
        Write into the job's event log instead of its attributes.
    interval
        Seconds between two reports of counts.
    """

    def __init__(self, *, to_log: bool, interval: float) -> None:
        self._program = program()
        self._to_log = to_log
        self._interval = interval
        self._sent_counts = -interval
        self._waiting: dict[str, str | int | float] = {}
        self._counts: dict[str, str | int | float] = {}
        self._sender: asyncio.Task[None] | None = None

    def status(self, status: str, **further: str | int | float) -> None:
        """Tell a new status, with attributes by their names without the common beginning."""
        self._waiting.update({"Status": status, **further, "LastUpdatedTimestamp": int(time.time())})
        self._send()

    def counts(self, total: int, failed: int) -> None:
        """Note how many events ended; told when it is time."""
        counts = {"TasksTotal": total, "TasksFailed": failed, "TasksSuccess": total - failed}
        if counts == self._counts:
            return
        self._counts = dict(counts)
        if time.monotonic() - self._sent_counts >= self._interval:
            self._sent_counts = time.monotonic()
            self._waiting.update(self._counts)
            self._send()

    async def close(self, status: str, **further: str | int | float) -> None:
        """Tell the last status and counts, for as long as ten seconds."""
        self._waiting.update(self._counts)
        self.status(status, **further)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                while self._sender is not None and not self._sender.done():
                    await self._sender

    def _send(self) -> None:
        if self._program is not None and (self._sender is None or self._sender.done()):
            self._sender = asyncio.create_task(self._send_all(self._program))

    async def _send_all(self, program: str) -> None:
        while self._waiting:
            name, value = next(iter(self._waiting.items()))
            try:
                said = await call([program, *self._words(name, value)], within=_CALL_SECONDS)
                problem = said.last_line if said.code else ""
            except ConsumerError as error:
                problem = str(error)
            if problem:
                logger.warning("chirp_failed attribute=%s error=%s", name, problem)
                return  # with the next one
            if self._waiting.get(name) == value:
                del self._waiting[name]

    def _words(self, name: str, value: str | int | float) -> list[str]:
        if self._to_log:
            return ["ulog", f"{PREFIX}{name}: {value}"]
        return ["set_job_attr_delayed", f"{PREFIX}{name}", json.dumps(value)]


def program(environment: Mapping[str, str] = os.environ) -> str | None:
    """Where `condor_chirp` is, None where there is none or this is no job of HTCondor."""
    if "_CONDOR_CHIRP_CONFIG" not in environment:
        return None
    return shutil.which(_PROGRAM, path=f"{environment.get('PATH', '')}:{_ELSEWHERE}")
