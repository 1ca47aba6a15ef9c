"""One warm worker process, from the pilot's side."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Mapping
from typing import Self

from ewms.core.errors import ConsumerError
from ewms.pilot import processes
from ewms.pilot.child import Child
from ewms.pilot.executors.base import Report
from ewms.pilot.executors.link import Frame, Link
from ewms.pilot.spare import Spare
from ewms.pilot.watchdog import Watchdog
from ewms.pilot.worker.frames import Broken, Job, RawChunk, Setup, pack
from ewms.pilot.worker.progress import Place, Progress, shared_memory

_LAST_WORDS_SECONDS = 0.5
_GOODBYE_SECONDS = 1.0


class WorkerDied(Exception):
    """The process ended inside a job; everything that it had sent was reported before this is raised."""

    def __init__(self, code: int, place: Place, reported: int) -> None:
        super().__init__(code)
        self.code = code
        """As `Child.ended`."""
        self.place = place
        """Where it was."""
        self.reported = reported
        """How many events of the job were reported."""


class Worker:
    """Runs jobs in a process of its own, one at a time."""

    def __init__(self, child: Child, link: Link, progress: Progress) -> None:
        self.child = child
        self._link = link
        self._link.on_frame = self._on_frame
        self._link.on_lost = child.kill
        self._progress = progress
        self._finished: asyncio.Future[None] | None = None
        self._report: Report = _discard
        self._expected = 0
        self._reported = 0
        self._mourning = asyncio.create_task(self._mourn())

    @classmethod
    async def start(cls, environment: Mapping[str, str], setup: Setup) -> Self:
        """Start the process; it gets ready by itself."""
        ours, theirs = socket.socketpair()
        memory = shared_memory()
        try:
            progress = Progress(memory)
            argv = [sys.executable, "-P", "-m", "ewms.pilot.worker.main", str(theirs.fileno()), str(memory)]
            own = {**environment, **processes.IN_A_WORKER}
            process = processes.spawn(argv, processes.task_environment(own), pass_fds=(theirs.fileno(), memory))
        finally:
            theirs.close()
            os.close(memory)
        return await cls._begin(Child(process), ours, progress, setup)

    @classmethod
    async def adopt(cls, spare: Spare, setup: Setup) -> Self | None:
        """Take a process that is there already; None if somebody else has it."""
        progress = spare.take()
        return None if progress is None else await cls._begin(Child(spare), spare.channel, progress, setup)

    @classmethod
    async def _begin(cls, child: Child, channel: socket.socket, progress: Progress, setup: Setup) -> Self:
        _, link = await asyncio.get_running_loop().create_connection(Link, sock=channel)
        worker = cls(child, link, progress)
        link.send(pack(setup))
        return worker

    @property
    def is_alive(self) -> bool:
        """Whether it can take a job."""
        return not self.child.ended.done()

    def watchdog(self, timeout: float | None, memory: int | None) -> Watchdog:
        """Limits for the next job."""
        return Watchdog(self.child, timeout, memory, self._progress.started)

    async def run(self, job: Job, count: int, report: Report) -> None:
        """Run a job of `count` events. Cancelling the call kills the process.

        Raises
        ------
        WorkerDied
            The process ended inside the job.
        ConsumerError
            The consumer cannot be used.
        """
        self.child.forget_output()
        self._progress.reset()
        self._report, self._expected, self._reported = report, count, 0
        self._finished = asyncio.get_running_loop().create_future()
        self._link.send(pack(job))
        if self._mourning.done():
            raise self._death()
        try:
            await self._finished
        except asyncio.CancelledError:
            await self.child.end()
            raise

    async def end(self) -> None:
        """Let it go in peace, but not for long."""
        self._link.on_lost = None
        self._link.close()
        await asyncio.wait([self.child.ended], timeout=_GOODBYE_SECONDS)
        await self.child.end()
        await self._mourning

    def _on_frame(self, frame: Frame) -> None:
        if self._finished is None or self._finished.done():
            return  # the job was cancelled
        if isinstance(frame, Broken):
            self._finished.set_exception(ConsumerError(frame.reason))
            return
        if frame.failures:  # a failure ends its chunk, so what was printed last belongs to it
            frame.failures[-1].detail.update(self.child.tails())
            self.child.forget_output()
        self._reported += frame.done
        self._report(frame)
        if self._reported >= self._expected:
            self._finished.set_result(None)

    async def _mourn(self) -> None:
        """Tell whoever waits for the job of the end of the process, after all that it had sent."""
        await self.child.ended
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._link.lost.wait()
        if self._finished is not None and not self._finished.done():
            self._finished.set_exception(self._death())

    def _death(self) -> WorkerDied:
        return WorkerDied(self.child.ended.result(), self._progress.read(), self._reported)


def _discard(_chunk: RawChunk) -> None:
    """Take what nobody waits for."""
