"""The container executor: an image per task, one container per event or one that is kept up."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from typing import Any, Protocol

from ewms.core.cost import Cost
from ewms.core.spec import TaskSpec
from ewms.core.wire import WorkEvent
from ewms.pilot.containers.cold import ColdRunner
from ewms.pilot.containers.ground import Ground, Prepared
from ewms.pilot.containers.lines import LinesRunner
from ewms.pilot.containers.preparing import prepare
from ewms.pilot.containers.reaper import Reaper
from ewms.pilot.containers.warm import WarmRunner
from ewms.pilot.executors.base import Surroundings
from ewms.pilot.executors.single import SingleExecutor


class Runner(Protocol):
    """One way to have a container work on events."""

    async def run(self, event: WorkEvent, cost: Cost, /) -> Any:
        """See `SingleExecutor.work`; what a container that is kept up costs is not known event by event."""

    async def close(self) -> None:
        """End what is kept up."""


class ContainerExecutor(SingleExecutor):
    """Runs the containers of one slot, and sees to it that none outlives the pilot, however that ends."""

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings, lambda task: task.container is not None)
        self._surroundings = surroundings
        self._root = tempfile.mkdtemp(prefix="ewms-pilot-", dir=surroundings.scratch)
        self._owner = f"ewms-{uuid.uuid4().hex[:12]}"
        self._runners: dict[str, Runner] = {}
        self._reapers: dict[str, Reaper] = {}

    async def start(self, task: TaskSpec) -> None:
        """See `Executor`; an image may take minutes, which the pilot need not wait for."""
        self._surroundings.once.begin(("container", task.name), lambda: self._prepare(task))

    async def close(self) -> None:
        """See `Executor`."""
        await asyncio.gather(*(runner.close() for runner in self._runners.values()))
        for reaper in self._reapers.values():
            reaper.dismiss()
        await asyncio.to_thread(shutil.rmtree, self._root, ignore_errors=True)

    async def work(self, task: TaskSpec, event: WorkEvent, cost: Cost) -> Any:
        """See `SingleExecutor`."""
        if task.name not in self._runners:
            self._runners[task.name] = await self._runner(task)
        return await self._runners[task.name].run(event, cost)

    async def _runner(self, task: TaskSpec) -> Runner:
        prepared = await self._surroundings.once.get(("container", task.name), lambda: self._prepare(task))
        tool = prepared.tool
        if tool.name not in self._reapers:
            self._reapers[tool.name] = Reaper(tool.reaper(self._owner))
        ground = Ground(
            task,
            prepared,
            data_hub=self._surroundings.data_hub,
            folder=os.path.join(self._root, task.name),
            owner=self._owner,
            limit=self._surroundings.output_limit,
        )
        match ground.container.warm:
            case "files":
                return WarmRunner(ground)
            case "lines":
                return LinesRunner(ground)
            case "no":
                return ColdRunner(ground)

    async def _prepare(self, task: TaskSpec) -> Prepared:
        return await prepare(task, self._surroundings)
