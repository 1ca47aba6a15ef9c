"""A container that stays up between events and answers lines."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

from ewms.pilot.containers.base import Launch
from ewms.pilot.containers.calls import CALL_SECONDS, Said
from ewms.pilot.containers.channel import Channel
from ewms.pilot.containers.ground import Ground
from ewms.pilot.containers.running import Running
from ewms.pilot.reasons import Detail
from ewms.pilot.watchdog import Watchdog

_GOODBYE_SECONDS = 1.0
_STDERR_SECONDS = 0.2
_LOOK_SECONDS = 0.02


class KeptUp:
    """Started when first needed, and anew when it has ended.

    Parameters
    ----------
    launch
        Makes what is started.
    greeting
        A line that is asked first, so that the time until the container is ready is no event's; empty for none.
    """

    def __init__(self, ground: Ground, launch: Callable[[], Launch], greeting: bytes = b"") -> None:
        self._ground = ground
        self._launch = launch
        self._greeting = greeting
        self._running: Running | None = None
        self._channel: Channel | None = None

    async def tails(self) -> Detail:
        """The ends of what the container wrote beside its answers since the last question.

        What it wrote before an answer may come a little after it, because podman has a process between each pipe and here.
        """
        end = time.monotonic() + _STDERR_SECONDS
        while self._running is not None:
            found = self._running.child.tails()
            if "stderr" in found or time.monotonic() > end:
                return found
            await asyncio.sleep(_LOOK_SECONDS)
        return {}

    async def ask(self, line: bytes) -> tuple[bytes, Watchdog]:
        """The answer to a line, given within the task's limits. Cancelling the call ends the container.

        Raises as `Ground.judge` where the container ended or was killed instead of answering.
        """
        running, channel = await self._up()
        running.child.forget_output()
        task, started = self._ground.task, time.monotonic()
        memory = task.resources.memory if self._ground.tool.is_parent else None
        watchdog = Watchdog(running.child, task.timeout, memory, lambda: started)
        return await self._exchange(running, channel, line, watchdog), watchdog

    async def close(self) -> None:
        """End the container: by itself when it sees that nothing more comes, else by force. Idempotent."""
        if self._channel is not None and self._running is not None:
            self._channel.hush()
            await asyncio.wait([self._running.child.ended], timeout=_GOODBYE_SECONDS)
        await self._end()

    async def _up(self) -> tuple[Running, Channel]:
        if self._running is not None and self._channel is not None and not self._running.child.ended.done():
            return self._running, self._channel
        await self._end()
        channel, stdin, stdout = await Channel.open()
        self._channel = channel
        try:
            running = self._running = Running(self._ground.tool, self._launch(), stdin=stdin, stdout=stdout)
        finally:
            os.close(stdin)
            os.close(stdout)
        if self._greeting:
            started = time.monotonic()
            await self._exchange(
                running, channel, self._greeting, Watchdog(running.child, CALL_SECONDS, None, lambda: started)
            )
        return running, channel

    async def _exchange(self, running: Running, channel: Channel, line: bytes, watchdog: Watchdog) -> bytes:
        watchdog.start()
        answer = b""
        try:
            answer = await channel.ask(line)
            if not _is_whole(answer):  # it is about to end by itself
                await asyncio.wait([running.child.ended], timeout=_GOODBYE_SECONDS)
        finally:
            watchdog.stop()
            if not _is_whole(answer):
                said = await self._end()
        if not _is_whole(answer):
            self._ground.judge(said, watchdog, is_end_good=False)
        return answer

    async def _end(self) -> Said:
        """Have neither container nor pipes; how it ended, if there was one."""
        running, channel = self._running, self._channel
        self._running = self._channel = None
        said = await running.end() if running is not None else Said(0, "", "")
        if channel is not None:
            channel.close()
        return said


def _is_whole(line: bytes) -> bool:
    return line.endswith(b"\n")
