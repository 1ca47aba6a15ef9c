"""One place to work in a pilot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ewms.core.spec import TaskSpec
from ewms.pilot.executors.base import Executor, Report, Surroundings
from ewms.pilot.executors.command import CommandExecutor
from ewms.pilot.executors.container import ContainerExecutor
from ewms.pilot.executors.python import PythonExecutor
from ewms.pilot.holding import Holding


class Slot:
    """Works on one message at a time, with an executor of each kind that its tasks need, made when first needed."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._executors: dict[Callable[[Surroundings], Executor], Executor] = {}

    async def start(self) -> None:
        """Get ready for the first task; the others are seldom needed at once."""
        for task in self._surroundings.tasks[:1]:
            await self._executor(task).start(task)

    async def work(self, task: TaskSpec, holding: Holding, report: Report) -> None:
        """See `Executor.run`."""
        await self._executor(task).run(task, holding, report)

    async def close(self) -> None:
        """End all processes."""
        await self._surroundings.once.close()
        await asyncio.gather(*(executor.close() for executor in self._executors.values()))

    def _executor(self, task: TaskSpec) -> Executor:
        make = _kind(task)
        if make not in self._executors:
            self._executors[make] = make(self._surroundings)
        return self._executors[make]


def _kind(task: TaskSpec) -> Callable[[Surroundings], Executor]:
    if task.python is not None:
        return PythonExecutor
    return CommandExecutor if task.command is not None else ContainerExecutor
