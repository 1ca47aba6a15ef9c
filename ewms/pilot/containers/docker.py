"""Docker, and all that docker and podman have in common."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import ClassVar

import pydantic_core

from ewms.core.container import is_path
from ewms.core.errors import ConsumerError
from ewms.pilot.containers import image as images
from ewms.pilot.containers.base import Launch, Tool
from ewms.pilot.containers.calls import Said, call

LABEL = "ewms.pilot"
"""Label of all containers that a pilot starts; its value is the owner."""
_OURS = frozenset({125, 126, 127})
"""Exit codes of the tool itself: it failed, the program is not executable, there is no such program."""


class DockerTool(Tool):
    """Talks to a daemon: its containers are not its children, and outlive it unless they are removed."""

    name = "docker"
    is_parent = False
    _remove: ClassVar[tuple[str, ...]] = ("rm", "--force")
    _complaint: ClassVar[tuple[str, ...]] = ("docker: ", "Error response from daemon: ")

    def cannot_run(self, image: str) -> str | None:
        """See `Tool`."""
        if image.endswith(".sif"):
            return f"{self.name} cannot run a .sif image"
        if is_path(image) and not image.endswith(".tar"):
            return f"{self.name} cannot run a sandbox folder"
        return None

    async def prepare(self, image: str, store: str) -> str:
        """See `Tool`."""
        if image.endswith(".tar"):
            return await self._load(image, store)
        if (known := await self._known(image)) is None:
            async with images.exclusive(store, image):
                if (known := await self._known(image)) is None:
                    said = await call([self.program, "pull", "--quiet", image], within=None)
                    if said.code:
                        raise ConsumerError(
                            f"image {image} cannot be pulled: {self._reason(said)}; check its name and {self.name} login"
                        )
                    known = await self._known(image)
        return images.right_architecture(image, *(known or (image, "")))

    async def inner_command(self, image: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """See `Tool`."""
        said = await call(
            [self.program, "image", "inspect", "--format", "[{{json .Config.Entrypoint}},{{json .Config.Cmd}}]", image]
        )
        entry_point, default = pydantic_core.from_json(said.out) if said.code == 0 else (None, None)
        return (*(entry_point or ()), *(arguments or default or ()))

    def environment_text(self, environment: Mapping[str, str]) -> str:
        """See `Tool`; values are taken literally."""
        return "".join(f"{name}={value}\n" for name, value in environment.items())

    def command(self, launch: Launch) -> list[str]:
        """See `Tool`. The log is kept by the pilot alone; labels of SELinux would forbid all mounts."""
        argv = [self.program, "run", "--rm", "--name", launch.name, "--label", f"{LABEL}={launch.owner}"]
        argv += ["--log-driver", "none", "--security-opt", "label=disable", "--env-file", launch.environment_file]
        argv += [part for name, value in launch.variables.items() for part in ("--env", f"{name}={value}")]
        for mount in launch.mounts:
            access = "" if mount.writable else ",readonly"
            argv += ["--mount", f"type=bind,source={mount.source},target={mount.target}{access}"]
        argv += ["--interactive"] * launch.interactive
        argv += [] if launch.network else ["--network", "none"]
        argv += [*self._limits(launch), *self._user()]
        argv += ["--entrypoint", "/bin/sh"] if launch.in_shell else []
        return [*argv, *self._image(launch.image), *launch.arguments]

    async def remove(self, name: str) -> None:
        """See `Tool`."""
        await call([self.program, *self._remove, name])

    def reaper(self, owner: str) -> str:
        """See `Tool`."""
        program = shlex.quote(self.program)
        mine = f"{program} ps --all --quiet --filter label={LABEL}={shlex.quote(owner)}"
        return f"{mine} | while read -r id; do {program} {' '.join(self._remove)} $id; done"

    def refusal(self, said: Said) -> str | None:
        """See `Tool`."""
        is_ours = said.code in _OURS and said.last_line.startswith(self._complaint)
        return self._reason(said) if is_ours else None

    def cleaned(self, stderr: str) -> str:
        """See `Tool`; it adds nothing of its own."""
        return stderr

    def _image(self, image: str) -> list[str]:
        return [image]

    def _user(self) -> list[str]:
        """Files that a container writes are to be removable by the pilot."""
        return [] if os.geteuid() == 0 else ["--user", f"{os.geteuid()}:{os.getegid()}"]

    def _limits(self, launch: Launch) -> list[str]:
        limits = ["--cpus", str(launch.resources.cpus)]
        if launch.resources.memory is not None:
            limits += [f"--memory={launch.resources.memory}", f"--memory-swap={launch.resources.memory}"]
        return limits + self._gpus(launch.resources.gpus)

    def _gpus(self, count: int) -> list[str]:
        return ["--gpus", str(count)] if count else []

    async def _load(self, archive: str, store: str) -> str:
        wanted = images.described(archive)
        if await self._known(wanted.identity) is None:
            async with images.exclusive(store, wanted.identity):
                said = await call([self.program, "load", "--quiet", "--input", archive], within=None)
            if said.code:
                raise ConsumerError(f"docker archive {archive} cannot be loaded: {self._reason(said)}")
        return images.right_architecture(archive, wanted.identity, wanted.architecture)

    async def _known(self, image: str) -> tuple[str, str] | None:
        """Identity and architecture of an image that is here already."""
        said = await call([self.program, "image", "inspect", "--format", "{{.Id}} {{.Architecture}}", image])
        if said.code:
            return None
        identity, _, architecture = said.out.strip().partition(" ")
        return identity, architecture

    def _reason(self, said: Said) -> str:
        reason = said.last_line
        for complaint in self._complaint:
            reason = reason.removeprefix(complaint)
        return reason
