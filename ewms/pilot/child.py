"""A running child process: its output in bounded rings, its end as something to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import IO, Any, Protocol

from ewms.core.cost import Cost, cost_of
from ewms.pilot import processes
from ewms.pilot.reasons import Detail
from ewms.pilot.ring import Ring

_PIECE = 64 * 1024
_PIECES_PER_DRAIN = 32
_POLL_SECONDS = 0.05


class Process(Protocol):
    """A child of this process, not reaped yet."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """The end of a pipe; None where its output goes elsewhere."""

    @property
    def stderr(self) -> IO[bytes] | None:
        """As `stdout`."""

    returncode: int | Any
    """Set when it is reaped."""


class Child:
    """Watches one process from the event loop; whatever it left behind is killed when it ends."""

    def __init__(self, process: Process) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self.pid = process.pid
        self.ended: asyncio.Future[int] = self._loop.create_future()
        """Its exit code; minus the signal's number where one killed it."""
        self.cost = Cost()
        """What it cost in its whole life, once it has ended; memory never below what the pilot had when it started it."""
        self._rings: dict[IO[bytes], Ring] = {}
        self.stdout = self._collect(process.stdout)
        self.stderr = self._collect(process.stderr)
        self._watch()

    def kill(self) -> None:
        """Kill it and all that it started. Idempotent."""
        if not self.ended.done():
            processes.kill_tree(self.pid)

    async def end(self) -> int:
        """Kill it and wait for its end; the exit code."""
        self.kill()
        return await asyncio.shield(self.ended)

    def drain(self) -> None:
        """Take in the output that is in the pipes right now."""
        for stream in list(self._rings):
            for _ in range(_PIECES_PER_DRAIN):  # bounded: somebody may be writing without end
                if not self._read(stream):
                    break

    def forget_output(self) -> None:
        """Start afresh: what was written so far is nobody's."""
        self.drain()
        self.stdout.clear()
        self.stderr.clear()

    def tails(self) -> Detail:
        """The ends of its output, without empty ones."""
        self.drain()
        tails: Detail = {"stdout": self.stdout.tail(), "stderr": self.stderr.tail()}
        return {name: text for name, text in tails.items() if text}

    def _collect(self, stream: IO[bytes] | None) -> Ring:
        ring = Ring()
        if stream is not None:
            os.set_blocking(stream.fileno(), False)
            self._rings[stream] = ring
            self._loop.add_reader(stream, self._read, stream)
        return ring

    def _read(self, stream: IO[bytes]) -> bool:
        """Whether there was something to read."""
        try:
            data = os.read(stream.fileno(), _PIECE)
        except BlockingIOError:
            return False
        if data:
            self._rings[stream].write(data)
        else:
            self._drop(stream)
        return bool(data)

    def _drop(self, stream: IO[bytes]) -> None:
        self._loop.remove_reader(stream)
        del self._rings[stream]
        stream.close()

    def _watch(self) -> None:
        try:
            handle = os.pidfd_open(self.pid)
        except (AttributeError, OSError):  # a kernel or C library before pidfd_open
            self._poll()
        else:
            self._loop.add_reader(handle, self._on_exit, handle)

    def _poll(self) -> None:
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self._loop.call_later(_POLL_SECONDS, self._poll)
        else:
            self._reap()

    def _on_exit(self, handle: int) -> None:
        self._loop.remove_reader(handle)
        os.close(handle)
        self._reap()

    def _reap(self) -> None:
        processes.kill_tree(self.pid)  # before it is reaped: until then its group's id is nobody else's
        _, status, usage = os.wait4(self.pid, 0)
        self.cost = cost_of(usage)
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        self.drain()
        for stream in list(self._rings):
            self._drop(stream)
        self.ended.set_result(code)


def describe_exit(code: int) -> str:
    """An exit code in words: `killed by SIGSEGV`, `exit code 3`."""
    if code >= 0:
        return f"exit code {code}"
    name = str(-code)
    with contextlib.suppress(ValueError):
        name = signal.Signals(-code).name
    hint = ", perhaps for want of memory" if name == "SIGKILL" else ""
    return f"killed by {name}{hint}"
