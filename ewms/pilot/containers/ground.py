"""What one slot needs to run the containers of one task: image, tool, folders, and how to judge an end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import stat
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from ewms.core.container import OURS, ContainerSpec
from ewms.core.cost import show_bytes
from ewms.core.errors import ConsumerError, PayloadError
from ewms.core.spec import TaskSpec
from ewms.core.wire import WorkEvent
from ewms.pilot.child import describe_exit
from ewms.pilot.containers import mounts
from ewms.pilot.containers.base import Launch, Tool
from ewms.pilot.containers.calls import Said
from ewms.pilot.executors.single import TaskFailed
from ewms.pilot.placeholders import Places
from ewms.pilot.reasons import Detail, telling_line
from ewms.pilot.scratch import Scratch
from ewms.pilot.watchdog import Watchdog

_SIGNALS = range(129, 193)
"""Exit codes by which shells and container tools tell of a signal."""
_KILLED = 137


class Prepared(msgspec.Struct, frozen=True):
    """What is found out once per pilot about a task's image."""

    tool: Tool
    """What runs it."""
    image: str
    """As `Launch.image`."""


class Ground:
    """Belongs to one slot and one task.

    Parameters
    ----------
    folder
        Private to them; made.
    owner
        Label of the slot's containers.
    """

    def __init__(
        self, task: TaskSpec, prepared: Prepared, *, data_hub: str, folder: str, owner: str, limit: int | None
    ) -> None:
        self.task = task
        self.tool, self.image = prepared.tool, prepared.image
        self.files = os.path.join(folder, "task-io")
        """Folder of all events' folders."""
        self._environment_file = os.path.join(folder, "environment")
        self._data_hub = data_hub
        self._owner = owner
        self._limit = limit
        self._numbers = itertools.count()
        self._proven = False
        os.makedirs(self.files)
        os.chmod(self.files, 0o711)  # noqa: S103  for users of containers; the folder above keeps others out
        self._write_environment()

    @property
    def container(self) -> ContainerSpec:
        """The task's image and how it is run."""
        if self.task.container is None:
            raise ConsumerError(f"task '{self.task.name}' is no container")
        return self.task.container

    def launch(self, files: str | None, arguments: Iterable[str], **how: Any) -> Launch:
        """A container with these files and arguments, under a name of its own; `how` as in `Launch`."""
        return Launch(
            name=f"{self._owner}-{next(self._numbers)}",
            owner=self._owner,
            image=self.image,
            arguments=tuple(arguments),
            environment_file=self._environment_file,
            mounts=mounts.mounts(self.container, self._data_hub, files),
            network=self.container.network,
            resources=self.task.resources,
            **how,
        )

    @contextlib.asynccontextmanager
    async def scratch(self, event: WorkEvent) -> AsyncIterator[Scratch]:
        """A folder with the event's input, which any user of a container may write into; removed in the end."""
        scratch = Scratch(os.path.join(self.files, str(next(self._numbers))), self.task, self._limit)
        try:
            await asyncio.to_thread(scratch.write, event)
            os.chmod(scratch.folder, 0o777)  # noqa: S103  as above
            os.chmod(scratch.infile, 0o644)
            yield scratch
        finally:
            await asyncio.to_thread(scratch.remove)

    def read(self, scratch: Scratch) -> Any:
        """The output of a container that ended well.

        Raises `PayloadError` where it is missing and required, too large, or a link that would have a file of the host read.
        """
        try:
            mode = os.lstat(scratch.outfile).st_mode
        except FileNotFoundError:
            if self.container.output_required:
                name = os.path.basename(scratch.outfile)
                raise PayloadError(
                    f"the container has not written its output file; have it write to {{{{OUTFILE}}}}, here {name}"
                ) from None
            return None
        if not stat.S_ISREG(mode):
            raise PayloadError("the output file is no regular file; write the output itself, no link to it")
        return scratch.read()

    def judge(self, said: Said, watchdog: Watchdog, *, is_end_good: bool = True) -> None:
        """Return if that end of an event is a good one.

        Parameters
        ----------
        is_end_good
            Whether it may be one at all; False for a container that was to stay up.

        Raises
        ------
        TaskFailed
            It is not, for a reason that the event has to do with.
        ConsumerError
            No container of this task could be started yet, so the task cannot be run here.
        """
        if watchdog.verdict is None and said.code in self.task.okay_exit_codes and is_end_good:
            self._proven = True
            return
        detail: Detail = {"type": watchdog.kind or "exit", "exit_code": said.code}
        detail |= {name: text for name, text in (("stdout", said.out), ("stderr", said.err)) if text}
        refusal = self.tool.refusal(said) if watchdog.verdict is None else None
        if refusal is not None:
            self.refuse(refusal, detail)
        self._proven = is_end_good or self._proven
        raise TaskFailed(
            watchdog.verdict or f"{self._describe(said.code)}: {telling_line(self.tool.cleaned(said.err))}", detail
        )

    def refuse(self, refusal: str, detail: Detail) -> None:
        """Raise as `judge` does for a container that could not be started."""
        problem = f"image {self.container.image} cannot be run by {self.tool.name}: {refusal}"
        if self._proven:
            raise TaskFailed(problem, detail)
        raise ConsumerError(problem)

    def _describe(self, code: int) -> str:
        memory = self.task.resources.memory
        if code == _KILLED and memory is not None:
            return f"killed, it seems at its memory limit of {show_bytes(memory)}"
        return describe_exit(128 - code if code in _SIGNALS else code)

    def _write_environment(self) -> None:
        variables = Places("", "", mounts.HUB).environment(self.task)
        handle = os.open(self._environment_file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(self.tool.environment_text(variables))


def inside(scratch: Scratch, folder: str) -> Places:
    """Where a container finds an event's files, of which it sees that folder of the host."""
    infile, outfile = (f"{mounts.FILES}/{os.path.relpath(path, folder)}" for path in (scratch.infile, scratch.outfile))
    return Places(infile, outfile, f"{OURS}/data-hub")
