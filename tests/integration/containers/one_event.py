"""Runs one event, `slow`, of a container task, given as JSON, with temporary files below a folder; writes its output."""

from __future__ import annotations

import asyncio
import sys

from ewms.core import codecs
from ewms.core.cost import Cost
from ewms.core.spec import TaskSpec
from ewms.core.wire import WorkEvent
from ewms.pilot.executors.base import Surroundings
from ewms.pilot.executors.container import ContainerExecutor


async def _main(task: TaskSpec, folder: str) -> None:
    surroundings = Surroundings(
        tasks=(task,),
        search_path=(),
        working_directory=folder,
        room=1 << 20,
        blob_url="",
        blob_threshold=0,
        data_hub=f"{folder}/hub",
        scratch=folder,
    )
    executor = ContainerExecutor(surroundings)
    try:
        value = await executor.work(task, WorkEvent("e", *codecs.encode("slow")), Cost())
        sys.stdout.write(f"{value}\n")
    finally:
        await executor.close()


asyncio.run(_main(TaskSpec.model_validate_json(sys.argv[1]), sys.argv[2]))
