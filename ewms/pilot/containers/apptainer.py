"""Apptainer: containers that are ordinary child processes, without a daemon and without root."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import Mapping

from ewms.core.container import is_path
from ewms.core.errors import ConsumerError
from ewms.pilot.containers import image as images
from ewms.pilot.containers.base import Launch, Tool
from ewms.pilot.containers.calls import Said, call

_FATAL = "FATAL:"
_CHATTER = ("INFO:", "WARNING:", "DEBUG:", "VERBOSE:")
_REFUSED = 255
_NAME = "EWMS_CONTAINER"
"""Variable with the container's name."""
_RUN_SCRIPT = "/.singularity.d/runscript"
_NO_RUN_SCRIPT = "There is no runscript defined"
"""What stands in that of an image without an entry point."""
_NO_EVAL = "SINGULARITY_NO_EVAL"
"""Where it is set, a run script made from a docker image takes its arguments as they are, not as shell code."""


class ApptainerTool(Tool):
    """Runs sandbox folders and `.sif` files as they are; other images become sandbox folders first."""

    name = "apptainer"
    is_parent = True

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self._with_run_script: set[str] = set()

    def cannot_run(self, image: str) -> str | None:
        """See `Tool`; it runs everything."""
        return None

    async def prepare(self, image: str, store: str) -> str:
        """See `Tool`."""
        usable = await self._usable(image, store)
        said = await call([self.program, "inspect", "--runscript", usable])
        if said.code == 0 and said.out.strip() and _NO_RUN_SCRIPT not in said.out:
            self._with_run_script.add(usable)
        return usable

    async def inner_command(self, image: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """See `Tool`."""
        return (_RUN_SCRIPT, *arguments) if image in self._with_run_script else arguments

    def environment_text(self, environment: Mapping[str, str]) -> str:
        """See `Tool`; the file is read as a shell script."""
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items())

    def command(self, launch: Launch) -> list[str]:
        """See `Tool`."""
        verb = "run" if launch.image in self._with_run_script and not launch.in_shell else "exec"
        argv = [self.program, verb, "--containall", "--no-eval", "--env-file", launch.environment_file]
        variables = {_NAME: launch.name, _NO_EVAL: "1", **launch.variables}
        argv += [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
        for mount in launch.mounts:
            access = "" if mount.writable else ",ro"
            argv += ["--mount", f"type=bind,source={mount.source},destination={mount.target}{access}"]
        argv += [] if launch.network else ["--net", "--network", "none"]
        argv += ["--nv"] if launch.resources.gpus else []
        return [*argv, launch.image, *(["/bin/sh"] if launch.in_shell else []), *launch.arguments]

    async def remove(self, name: str) -> None:
        """See `Tool`; the container died with its parent."""

    def reaper(self, owner: str) -> str:
        """See `Tool`. A tool that is killed leaves the container's processes, which a variable tells from others."""
        mine = f"grep -lsa {shlex.quote(f'{_NAME}={owner}-')} /proc/[0-9]*/environ"
        return f"for file in $({mine}); do pid=${{file%/environ}}; kill -KILL ${{pid#/proc/}}; done"

    def refusal(self, said: Said) -> str | None:
        """See `Tool`."""
        last = said.last_line
        return last.removeprefix(_FATAL).strip() if said.code == _REFUSED and last.startswith(_FATAL) else None

    def cleaned(self, stderr: str) -> str:
        """See `Tool`."""
        lines = [line for line in stderr.splitlines() if not line.startswith((*_CHATTER, _FATAL, "ERROR:"))]
        return "\n".join(lines) if any(line.strip() for line in lines) else stderr

    async def _usable(self, image: str, store: str) -> str:
        if is_path(image):
            images.right_architecture(image, image, images.architecture_of(image))
            if not image.endswith(".tar"):
                return image
        folder = images.converted(store, image)
        async with images.exclusive(store, image):
            if not await asyncio.to_thread(os.path.isdir, folder):
                await self._convert(image, folder)
        return images.right_architecture(image, folder, images.architecture_of_folder(folder))

    async def _convert(self, image: str, folder: str) -> None:
        partial = f"{folder}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        source = f"docker-archive:{image}" if image.endswith(".tar") else image if "://" in image else f"docker://{image}"
        said = await call([self.program, "build", "--sandbox", partial, source], within=None)
        if said.code:
            shutil.rmtree(partial, ignore_errors=True)
            reason = said.last_line.removeprefix(_FATAL).strip()
            raise ConsumerError(f"image {image} cannot be pulled or converted: {reason}; check its name and your login")
        os.rename(partial, folder)
