"""Several clusters in one process: each runs by itself, and is started again when it fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from ewms.core.errors import EwmsError
from ewms.tms.patience import pause_after
from ewms.tms.waiting import wait_set

_log = logging.getLogger("ewms.tms")

HEALTHY = ""
"""What is wrong with a cluster of which nothing is."""
SOUND_SECONDS = 60.0
"""A cluster that ran so long before it failed is started again at once."""

Run = Callable[[asyncio.Event], Awaitable[None]]
"""Runs a cluster until the event is set."""
Tell = Callable[[str, str], Awaitable[None]]
"""Tells what is wrong with a cluster, by name; it must not fail."""


class Supervisor:
    """No cluster ever stops another.

    Parameters
    ----------
    clusters
        What to run, by name.
    tell
        Told of every failure.
    """

    def __init__(self, clusters: Mapping[str, Run], tell: Tell) -> None:
        self._clusters = dict(clusters)
        self._tell = tell
        self.health = dict.fromkeys(self._clusters, HEALTHY)
        """By name, why a cluster does not run for now; empty if it does."""

    async def run(self, stop: asyncio.Event) -> None:
        """Run all clusters until `stop` is set and each of them has ended."""
        async with asyncio.TaskGroup() as group:
            for name, run in self._clusters.items():
                group.create_task(self._keep(name, run, stop))

    async def _keep(self, name: str, run: Run, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while not stop.is_set():
            began = loop.time()
            running = asyncio.ensure_future(run(stop))
            self.health[name] = HEALTHY
            await asyncio.wait({running})
            error = running.exception()
            if error is None:
                return
            failures = 1 if loop.time() - began > SOUND_SECONDS else failures + 1
            self.health[name] = reason = reason_of(error)
            _log.error(
                "cluster_failed",
                extra={"cluster": name, "reason": reason, "failures": failures},
                exc_info=None if isinstance(error, EwmsError) else error,
            )
            await self._tell(name, reason)
            await wait_set(stop, pause_after(failures))


def reason_of(error: BaseException) -> str:
    """One line: the root of what a group of tasks raised, or what an error of our own says."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, EwmsError) else f"{type(error).__name__}: {error}"
