"""A container that stays up and runs its program per event, with the same files as one container per event has."""

from __future__ import annotations

import asyncio
import os
import shlex
from typing import Any

from ewms.core.cost import Cost
from ewms.core.errors import ConsumerError
from ewms.core.wire import WorkEvent
from ewms.pilot.containers import mounts
from ewms.pilot.containers.base import Launch
from ewms.pilot.containers.calls import Said
from ewms.pilot.containers.ground import Ground, inside
from ewms.pilot.containers.kept_up import KeptUp
from ewms.pilot.ring import SHOWN
from ewms.pilot.scratch import Scratch

_LOOP = f"""read -r greeting; echo "$greeting"
while read -r event; do
    folder={mounts.FILES}/$event
    ( . "$folder/run" ) </dev/null >"$folder/stdout" 2>"$folder/stderr"
    echo "$?"
done"""
"""For the image's shell. A program that a signal ended shows as 128 and more, as it does with container tools."""
_GREETING = b"ready\n"


class WarmRunner:
    """Asks the image's shell to run the program: a fork, where a new container would cost a quarter of a second."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._kept_up = KeptUp(ground, self._launch, _GREETING)
        self._program: tuple[str, ...] = ()

    async def run(self, event: WorkEvent, _cost: Cost) -> Any:
        """See `SingleExecutor.work`."""
        ground = self._ground
        if not self._program:
            self._program = await ground.tool.inner_command(ground.image, ground.container.arguments)
        async with ground.scratch(event) as scratch:
            await asyncio.to_thread(self._write_script, event, scratch)
            try:
                answer, watchdog = await self._kept_up.ask(os.path.basename(scratch.folder).encode() + b"\n")
            except ConsumerError as error:
                if "/bin/sh" not in str(error):
                    raise
                raise ConsumerError(f'{error}; warm = "files" needs /bin/sh in the image') from error
            ground.judge(Said(int(answer), _tail(scratch, "stdout"), _tail(scratch, "stderr")), watchdog)
            return await asyncio.to_thread(ground.read, scratch)

    async def close(self) -> None:
        """End the container."""
        await self._kept_up.close()

    def _launch(self) -> Launch:
        return self._ground.launch(self._ground.files, ("-c", _LOOP), in_shell=True, interactive=True)

    def _write_script(self, event: WorkEvent, scratch: Scratch) -> None:
        places = inside(scratch, self._ground.files)
        variables = {
            "EWMS_EVENT_ID": event.id,
            "EWMS_TASK_INFILE": places.infile,
            "EWMS_TASK_OUTFILE": places.outfile,
        }
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        lines.append(f"exec {shlex.join(places.fill(self._program))}")
        path = os.path.join(scratch.folder, "run")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
        os.chmod(path, 0o644)


def _tail(scratch: Scratch, name: str) -> str:
    """The end of a file that the program's output went to; nothing where the program has put a link in its place."""
    try:
        handle = os.open(os.path.join(scratch.folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as stream:
        stream.seek(max(0, os.fstat(handle).st_size - SHOWN))
        return stream.read(SHOWN).decode("utf-8", "replace")
