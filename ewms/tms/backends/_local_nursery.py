"""The process that forks pilots of a local cluster, as the TMS sees it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ewms.pilot.nursery_words import PADDING, READY, Birth, Born
from ewms.tms.launchers.reap import MARK

_log = logging.getLogger("ewms.tms.local")
_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = 60.0
_ROOM = 120


class Nursery:
    """May fail at any time: then pilots are started afresh, and a while later there is another.

    Parameters
    ----------
    preload
        Names of installed applications.
    environment
        Of all pilots.
    mark
        Of all processes of this TMS.
    log
        Where it tells what it could not load.
    """

    def __init__(self, preload: Sequence[str], environment: Mapping[str, str], mark: str, log: Path) -> None:
        self._argv = [sys.executable, "-P", "-m", "ewms.pilot.nursery", MARK, *preload, PADDING]
        self._environment = {**environment, MARK: f"{mark}/nursery/".ljust(len(mark) + _ROOM, "0")}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._is_ready = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to load; until that is done, pilots are started afresh."""
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        with theirs, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv, stdin=theirs.fileno(), stdout=log, stderr=log, env=self._environment, start_new_session=True
            )
        asyncio.get_running_loop().add_reader(self._socket, self._on_word, self._socket)

    def bear(self, config: Path, log: Path, mark: str) -> int | None:
        """Fork a pilot, in milliseconds; its process id, None where there is none."""
        if not self._is_ready or self._socket is None:
            return None
        birth = msgspec.json.encode(Birth(str(config), str(log), MARK, mark)) + b"\n"
        try:
            self._socket.settimeout(_ANSWER_SECONDS)
            self._socket.sendall(birth)
            with self._socket.makefile("rb") as lines:
                return msgspec.json.decode(lines.readline(), type=Born).pid
        except (OSError, msgspec.MsgspecError) as error:
            self._lose(str(error))
            return None

    def close(self) -> None:
        """End it; its pilots go on."""
        if self._timer is not None:
            self._timer.cancel()
        self._end()

    def _on_word(self, ours: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(ours)
        with contextlib.suppress(OSError):
            self._is_ready = ours.recv(len(READY)) == READY
        if self._is_ready:
            _log.info("nursery_ready")
        else:
            self._lose(f"it ended; see {self._log}")

    def _lose(self, reason: str) -> None:
        _log.warning("nursery_lost", extra={"reason": reason})
        self._end()
        self._timer = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self.start)

    def _end(self) -> None:
        self._is_ready = False
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
