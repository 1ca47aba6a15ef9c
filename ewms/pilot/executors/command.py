"""The command executor: a program per event, fed and read through files, without a shell."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
import time
from typing import Any

from ewms.core.cost import Cost
from ewms.core.errors import ConsumerError
from ewms.core.spec import TaskSpec
from ewms.core.wire import WorkEvent
from ewms.pilot import processes
from ewms.pilot.child import Child, describe_exit
from ewms.pilot.executors.base import Surroundings
from ewms.pilot.executors.single import SingleExecutor, TaskFailed
from ewms.pilot.placeholders import Places
from ewms.pilot.reasons import Detail, telling_line
from ewms.pilot.scratch import Scratch
from ewms.pilot.watchdog import Watchdog


class CommandExecutor(SingleExecutor):
    """Runs argv lists with `{{INFILE}}`, `{{OUTFILE}}` and `{{DATA_HUB}}` replaced, as EWMS task images expect it."""

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings, lambda task: task.command is not None)
        self._working_directory = surroundings.working_directory
        self._root = tempfile.mkdtemp(prefix="ewms-pilot-", dir=surroundings.scratch)
        self._data_hub = surroundings.data_hub
        self._limit = surroundings.output_limit
        self._numbers = itertools.count()
        self._proven: set[str] = set()

    async def start(self, task: TaskSpec) -> None:
        """See `Executor`; a command needs nothing."""

    async def close(self) -> None:
        """See `Executor`."""
        await asyncio.to_thread(shutil.rmtree, self._root, ignore_errors=True)

    async def work(self, task: TaskSpec, event: WorkEvent, cost: Cost) -> Any:
        """See `SingleExecutor`."""
        scratch = Scratch(os.path.join(self._root, str(next(self._numbers))), task, self._limit)
        try:
            await asyncio.to_thread(scratch.write, event)
            await self._execute(task, event, scratch, cost)
            return await asyncio.to_thread(scratch.read)
        finally:
            await asyncio.to_thread(scratch.remove)

    async def _execute(self, task: TaskSpec, event: WorkEvent, scratch: Scratch, cost: Cost) -> None:
        started = time.monotonic()
        child = self._spawn(task, event, scratch)
        watchdog = Watchdog(child, task.timeout, task.resources.memory, lambda: started)
        watchdog.start()
        try:
            code = await asyncio.shield(child.ended)
        finally:
            watchdog.stop()
            await child.end()
            cost.add(child.cost)
        if watchdog.verdict is None and code in task.okay_exit_codes:
            return
        detail: Detail = {"type": watchdog.kind or "exit", "exit_code": code, **child.tails()}
        telling = telling_line(child.stderr.tail())
        raise TaskFailed(watchdog.verdict or f"{describe_exit(code)}: {telling}", detail)

    def _spawn(self, task: TaskSpec, event: WorkEvent, scratch: Scratch) -> Child:
        places = Places(scratch.infile, scratch.outfile, self._data_hub)
        argv = places.fill(task.command or ())
        environment = processes.task_environment(places.environment(task) | {"EWMS_EVENT_ID": event.id})
        cwd = self._working_directory or scratch.folder
        try:
            process = processes.spawn(argv, environment, cwd)
        except OSError as error:
            problem = f"command '{argv[0]}' of task '{task.name}' cannot be started in {cwd}: {error.strerror or error}"
            if task.name in self._proven:
                raise TaskFailed(problem, {"type": "exit"}) from error
            raise ConsumerError(f"{problem}; install it where the pilots run or give its full path") from error
        self._proven.add(task.name)
        return Child(process)
