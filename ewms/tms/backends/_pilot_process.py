"""One pilot of this machine: a child of this process, or of a TMS before it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from ewms.tms.launchers.last_words import last_words, told_exit_code

_MODULE = "ewms.pilot"


class PilotProcess:
    """Ends neither with this process nor with the object. A TMS adopts pilots of the one before, which are not its children.

    Parameters
    ----------
    pid
        Of a running process, or of a child that is not reaped yet; `ProcessLookupError` if there is none.
    log
        Where its output goes.
    """

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self._descriptor = os.pidfd_open(pid)
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(self._descriptor, self._on_end)

    @classmethod
    def spawn(cls, config: Path, log: Path, environment: Mapping[str, str]) -> Self:
        """Start `python -m ewms.pilot` in a session of its own."""
        nothing, output = (os.devnull, os.O_RDONLY, 0), (str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", _MODULE, str(config)],
            dict(environment),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, *nothing),
                (os.POSIX_SPAWN_OPEN, 1, *output),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores them, and children would, too
        )
        return cls(pid, log)

    async def wait(self) -> int | None:
        """Wait for its end; the exit code, below 0 for a signal, None if nobody knows."""
        await asyncio.shield(self._ended)
        return self._exit_code()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if self._descriptor >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def last_words(self) -> str:
        """Why it ended, in its own words; one line."""
        return last_words(self.log)

    def let_go(self) -> None:
        """Stop waiting; the process goes on."""
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _exit_code(self) -> int | None:
        with contextlib.suppress(ChildProcessError):  # another TMS's child
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        return told_exit_code(self.log)

    def _on_end(self) -> None:
        self.let_go()
        if not self._ended.done():
            self._ended.set_result(None)


def is_pilot(pid: int) -> bool:
    """Whether a process is a pilot itself, not something that a pilot started."""
    try:
        return _MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
