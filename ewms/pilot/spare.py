"""A worker process that is there before its pilot needs one."""

from __future__ import annotations

import os
import socket
from typing import IO

from ewms.pilot.worker.progress import Progress


class Spare:
    """A child of the pilot that waits until it is taken.

    Parameters
    ----------
    pid
        Of the process.
    channel
        To its loop.
    memory
        Descriptor of what it shares, see `Progress`.
    stdout, stderr
        The ends of its pipes.
    """

    def __init__(self, pid: int, channel: socket.socket, memory: int, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self.pid = pid
        self.channel = channel
        self.stdout: IO[bytes] | None = stdout
        self.stderr: IO[bytes] | None = stderr
        self.returncode: int | None = None
        self._memory = memory
        self._is_taken = False

    def take(self) -> Progress | None:
        """Where it tells how far it is, for whoever asks first; None for others."""
        if self._is_taken:
            return None
        self._is_taken = True
        progress = Progress(self._memory)
        os.close(self._memory)
        return progress
