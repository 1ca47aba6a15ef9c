"""A container that runs, and its end."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

from ewms.core.errors import ConsumerError
from ewms.pilot import processes
from ewms.pilot.child import Child
from ewms.pilot.containers.base import Launch, Tool
from ewms.pilot.containers.calls import Said


class Running:
    """The tool's command line in the foreground, and behind it the container."""

    def __init__(self, tool: Tool, launch: Launch, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE) -> None:
        self._tool = tool
        self._name = launch.name
        environment = processes.task_environment({})
        folder = os.path.dirname(launch.environment_file)  # podman's monitor leaves a file `oom` where it is started
        tie = _tie()
        try:
            if tie:  # else the first to miss the tool would be the one that ties it
                os.stat(tool.program)
            process = processes.spawn(
                [*tie, *tool.command(launch)], environment, folder, stdin=stdin, stdout=stdout, is_tied=not tie
            )
        except OSError as error:
            raise ConsumerError(f"{tool.program} cannot be started: {error.strerror}; install it again") from error
        self.child = Child(process)

    async def end(self) -> Said:
        """See to it that it is gone, and say how it went; where the tool had to be killed, its container is too."""
        code = await self.child.end()
        if code < 0:
            await self._tool.remove(self._name)
        return Said(code, self.child.stdout.tail(), self.child.stderr.tail())


@functools.cache
def _tie() -> tuple[str, ...]:
    """What ties a command line to the pilot's life, if it is installed. A pilot that dies just then has the reaper."""
    program = shutil.which("setpriv")
    return (program, "--pdeathsig", "KILL", "--") if program is not None else ()
