"""A command on a real terminal, as the kernel makes them."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

SECONDS = 60.0
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?<>=]*[a-zA-Z~]|[()][A-Z0-9]|[=>])")


class Terminal:
    """A context manager: a command whose input and output are a terminal; it has ended with the block.

    Parameters
    ----------
    environment
        Beside that of the tests.
    """

    def __init__(self, command: Sequence[str], *, columns: int, lines: int, **environment: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        size = {"COLUMNS": str(columns), "LINES": str(lines)}
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env={**os.environ, **size, **environment}
        )
        os.close(slave)
        self._said = b""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(SECONDS)
        os.close(self._master)

    @property
    def said(self) -> str:
        """Everything that was written to it, but for colours and movements."""
        return _ESCAPES.sub("", self._said.decode(errors="replace"))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def until(self, *texts: str) -> None:
        """Read until all texts have been written since the last call returned; fails the test after so long."""
        begin, end = self._seen, time.monotonic() + SECONDS
        while not all(text in self.said[begin:] for text in texts):
            assert time.monotonic() < end, f"waited in vain for {texts}: {self.said[-3000:]!r}"
            assert self._read() or self._process.poll() is None, self.said[-3000:]
        self._seen = len(self.said)

    def wait(self) -> int:
        """Its exit code, once it has ended and everything is read."""
        end = time.monotonic() + SECONDS
        while self._process.poll() is None:
            assert time.monotonic() < end, f"it does not end: {self.said[-3000:]!r}"
            self._read()
        while self._read():
            pass
        return self._process.returncode

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], 0.1)
        try:
            part = os.read(self._master, 65536) if ready else b""
        except OSError:  # nobody is at the other end: that is how a terminal ends
            part = b""
        self._said += part
        return bool(part)
