"""One container per event, as EWMS does it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ewms.core.cost import Cost
from ewms.core.wire import WorkEvent
from ewms.pilot.containers.base import Launch
from ewms.pilot.containers.ground import Ground, inside
from ewms.pilot.containers.running import Running
from ewms.pilot.scratch import Scratch
from ewms.pilot.watchdog import Watchdog


class ColdRunner:
    """Starts a container, waits for its end and reads what it wrote."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def run(self, event: WorkEvent, cost: Cost) -> Any:
        """See `SingleExecutor.work`."""
        async with self._ground.scratch(event) as scratch:
            await self._execute(event, scratch, cost)
            return await asyncio.to_thread(self._ground.read, scratch)

    async def close(self) -> None:
        """See `Executor`; nothing is kept."""

    async def _execute(self, event: WorkEvent, scratch: Scratch, cost: Cost) -> None:
        ground = self._ground
        places = inside(scratch, scratch.folder)
        launch = ground.launch(
            scratch.folder,
            places.fill(ground.container.arguments),
            variables={
                "EWMS_EVENT_ID": event.id,
                "EWMS_TASK_INFILE": places.infile,
                "EWMS_TASK_OUTFILE": places.outfile,
            },
        )
        await run_to_end(ground, launch, cost)


async def run_to_end(ground: Ground, launch: Launch, cost: Cost) -> None:
    """Run a container within the limits of its task; raises as `Ground.judge` if it does not end well.

    Its cost is added where the tool's containers are child processes; others do not tell.
    """
    started = time.monotonic()
    running = Running(ground.tool, launch)
    memory = ground.task.resources.memory if ground.tool.is_parent else None
    watchdog = Watchdog(running.child, ground.task.timeout, memory, lambda: started)
    watchdog.start()
    try:
        await asyncio.shield(running.child.ended)
    finally:
        watchdog.stop()
        said = await running.end()
        if ground.tool.is_parent:
            cost.add(running.child.cost)
    ground.judge(said, watchdog)
