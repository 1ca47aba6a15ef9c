"""Getting ready for a task's containers: tool, image, init step. Done once per pilot."""

from __future__ import annotations

import os
import tempfile
import uuid

from ewms.core.container import ContainerSpec, InitSpec, is_path
from ewms.core.cost import Cost
from ewms.core.errors import ConsumerError
from ewms.core.spec import TaskSpec
from ewms.pilot.containers import mounts
from ewms.pilot.containers.base import Tool
from ewms.pilot.containers.cold import run_to_end
from ewms.pilot.containers.ground import Ground, Prepared
from ewms.pilot.containers.tools import tool_for
from ewms.pilot.executors.base import Surroundings
from ewms.pilot.executors.single import TaskFailed
from ewms.pilot.placeholders import Places


async def prepare(task: TaskSpec, surroundings: Surroundings) -> Prepared:
    """Find the tool, fetch the image and run the init step.

    Raises `ConsumerError` where the task cannot be run here, with the reason in one line.
    """
    container = task.container
    if container is None:
        raise ConsumerError(f"task '{task.name}' is no container")
    tool = tool_for(container)
    for mount in container.mounts:
        mounts.checked(mount)
    if container.init is not None:
        await _initialise(task, container, container.init, tool, surroundings)
    return Prepared(tool, await _fetch(tool, container, surroundings))


def located(image: str, folder: str) -> str:
    """An image's absolute path, or its name."""
    return os.path.normpath(os.path.join(folder, image)) if is_path(image) else image


async def _fetch(tool: Tool, container: ContainerSpec, surroundings: Surroundings) -> str:
    store = os.path.join(surroundings.scratch, f"ewms-images-{os.geteuid()}")
    return await tool.prepare(located(container.image, surroundings.working_directory), store)


async def _initialise(
    task: TaskSpec, container: ContainerSpec, init: InitSpec, tool: Tool, surroundings: Surroundings
) -> None:
    own = container.model_copy(update={"image": init.image or container.image, "arguments": init.arguments})
    as_task = task.model_copy(
        update={"container": own, "environment": init.environment, "timeout": init.timeout, "okay_exit_codes": (0,)}
    )
    prepared = Prepared(tool, await _fetch(tool, own, surroundings))
    with tempfile.TemporaryDirectory(prefix="ewms-init-", dir=surroundings.scratch) as folder:
        owner = f"ewms-init-{uuid.uuid4().hex[:12]}"
        ground = Ground(as_task, prepared, data_hub=surroundings.data_hub, folder=folder, owner=owner, limit=None)
        try:
            await run_to_end(ground, ground.launch(None, Places("", "", mounts.HUB).fill(init.arguments)), Cost())
        except TaskFailed as error:
            raise ConsumerError(f"the init container failed: {error.reason}") from error
