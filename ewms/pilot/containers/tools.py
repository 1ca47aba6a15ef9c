"""Which container tool runs a task here."""

from __future__ import annotations

import shutil

from ewms.core.container import ContainerSpec
from ewms.core.errors import ConsumerError
from ewms.pilot.containers.apptainer import ApptainerTool
from ewms.pilot.containers.base import Tool
from ewms.pilot.containers.docker import DockerTool
from ewms.pilot.containers.podman import PodmanTool

_TOOLS: tuple[type[Tool], ...] = (ApptainerTool, PodmanTool, DockerTool)
"""In the order of preference: those that need no daemon and no root come first."""


def tool_for(container: ContainerSpec) -> Tool:
    """The tool that the task names, or the first that is installed and can run its image.

    Raises `ConsumerError` where there is none.
    """
    wanted = [kind for kind in _TOOLS if container.tool in {"auto", kind.name}]
    reasons = []
    for kind in wanted:
        program = shutil.which(kind.name)
        if program is None:
            reasons.append(f"{kind.name} is not installed")
            continue
        tool = kind(program)
        reason = tool.cannot_run(container.image)
        if reason is None:
            return tool
        reasons.append(reason)
    raise ConsumerError(
        f"image {container.image} cannot be run here: {', '.join(reasons)}; install one or name another tool"
    )
