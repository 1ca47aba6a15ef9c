"""Podman: as docker, without a daemon, and able to run a folder."""

from __future__ import annotations

import os

from ewms.core.container import is_path
from ewms.pilot.containers import image as images
from ewms.pilot.containers.base import Launch
from ewms.pilot.containers.docker import DockerTool

_UNIFIED = "/sys/fs/cgroup/cgroup.controllers"
"""There where cgroups are of version 2, which alone may be limited without being root."""


class PodmanTool(DockerTool):
    """Starts a monitor per container, which outlives the command line."""

    name = "podman"
    _remove = ("rm", "--force", "--time", "0", "--ignore")
    _complaint = ("Error: ",)

    def cannot_run(self, image: str) -> str | None:
        """See `Tool`."""
        return f"{self.name} cannot run a .sif image" if image.endswith(".sif") else None

    async def prepare(self, image: str, store: str) -> str:
        """See `Tool`."""
        if is_path(image) and not image.endswith(".tar"):
            return images.right_architecture(image, image, images.architecture_of_folder(image))
        return await super().prepare(image, store)

    async def inner_command(self, image: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """See `Tool`; a folder has no entry point."""
        return arguments if is_path(image) else await super().inner_command(image, arguments)

    def _image(self, image: str) -> list[str]:
        return ["--rootfs", f"{image}:O"] if is_path(image) else [image]

    def _user(self) -> list[str]:
        return []  # without root, the container's root is the pilot's user

    def _limits(self, launch: Launch) -> list[str]:
        return (
            super()._limits(launch) if os.geteuid() == 0 or os.path.exists(_UNIFIED) else self._gpus(launch.resources.gpus)
        )

    def _gpus(self, count: int) -> list[str]:
        return ["--device", "nvidia.com/gpu=all"] if count else []
