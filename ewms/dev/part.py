"""One part of the tree: a process that is started again when it ends, and that ends with this one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ewms.core.errors import EwmsError
from ewms.pilot.processes import die_with_parent

_log = logging.getLogger("ewms.dev")
_PAUSES = (0.0, 0.2, 1.0, 2.0)
_QUICK_SECONDS = 10.0
_MAX_QUICK = 5
_TAIL = 8192
_OF_THE_USER = frozenset({"EWMS_BROKER", "EWMS_CA", "EWMS_CONFIG", "EWMS_SERVER", "EWMS_TOKEN", "EWMS_TOKEN_FILE"})
"""May be meant for another service; the configuration says it all."""
_BIG = 32 << 20


class PartFailed(EwmsError):
    """A part of the service does not run; its log says why."""


class Part:
    """`ewms NAME …` as a process.

    Parameters
    ----------
    name
        The command.
    arguments
        Of the command.
    log
        Where its output goes; what is there is kept.
    """

    def __init__(self, name: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self._argv = [sys.executable, "-m", "ewms", name, *arguments]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def run(self) -> None:
        """Keep it running until `stop`; `PartFailed` with its last words if it ends again and again at once."""
        quick = 0
        while not self._stopping:
            began = time.monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            quick = quick + 1 if time.monotonic() - began < _QUICK_SECONDS else 0
            _log.warning("part_ended", extra={"part": self.name, "code": code})
            if quick >= _MAX_QUICK:
                raise PartFailed(
                    f"ewms {self.name} does not run: {self._last_words() or f'exit code {code}'}; see {self._log}"
                )
            await asyncio.sleep(_PAUSES[min(quick, len(_PAUSES) - 1)])

    async def stop(self, grace: float) -> None:
        """End it, by force after that many seconds. Idempotent."""
        self._stopping = True
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _run_once(self) -> int:
        parent, output = os.getpid(), self._open_log()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={name: value for name, value in os.environ.items() if name not in _OF_THE_USER},
                start_new_session=True,  # a Ctrl-C in the terminal is for this process, which stops the others
                preexec_fn=lambda: die_with_parent(parent, signal.SIGKILL) or os._exit(1),
            )
        finally:
            os.close(output)
        return await self._process.wait()

    def _open_log(self) -> int:
        if self._log.exists() and self._log.stat().st_size > _BIG:
            self._log.replace(self._log.with_suffix(".old"))
        return os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _last_words(self) -> str:
        lines = self._log.read_bytes()[-_TAIL:].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""
