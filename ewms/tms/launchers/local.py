"""Pilots as processes of this machine. They live and die with the process that launched them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from pathlib import Path

from ewms.core.config import PilotConfig
from ewms.tms.launchers.base import Launcher
from ewms.tms.launchers.last_words import last_words
from ewms.tms.launchers.reap import MARK, kill_marked

_log = logging.getLogger("ewms.launcher")
_SLOTS_PER_PILOT = 8
_BROKEN = 4
_MAX_CRASHES = 8
_PAUSES = (0.0, 0.1, 0.5, 1.0, 2.0)


def split_slots(workers: int) -> list[int]:
    """Slots per pilot: at least two pilots where there are two workers, so that one death never stops all work."""
    pilots = max(min(workers, 2), -(-workers // _SLOTS_PER_PILOT))
    return [workers // pilots + (number < workers % pilots) for number in range(pilots)]


class LocalLauncher(Launcher):
    """Runs `python -m ewms.pilot` on this machine.

    Parameters
    ----------
    folder
        Where configurations and logs of the pilots go; for the owner only.
    """

    pilots_survive = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = ""
        self._keepers: list[asyncio.Task[None]] = []
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._stopping = False
        self._broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._done = 0
        self._done_at_crash = 0
        self._crashes = 0

    async def start(self, config: PilotConfig, workers: int) -> None:
        """See `Launcher.start`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._mark = config.workflow_id
        kill_marked(self._mark)
        for number, slots in enumerate(split_slots(workers)):
            mine = config.model_copy(update={"slots": slots, "parent": os.getpid()})
            path = self._folder / f"pilot-{number}.json"
            path.touch(mode=0o600)
            path.write_text(mine.model_dump_json())
            self._keepers.append(asyncio.create_task(self._keep(number, path)))

    async def wait_broken(self) -> str:
        """See `Launcher.wait_broken`."""
        return await asyncio.shield(self._broken)

    def note_progress(self, done: int) -> None:
        """See `Launcher.note_progress`."""
        self._done = done

    async def stop(self, grace: float) -> None:
        """See `Launcher.stop`."""
        self._stopping = True
        for process in list(self._processes.values()):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=grace)
        for process in list(self._processes.values()):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for process in list(self._processes.values()):
            await process.wait()
        if self._mark:
            kill_marked(self._mark)

    async def _keep(self, number: int, config: Path) -> None:
        """One pilot after another, until the launcher stops or gives up."""
        while not self._stopping and not self._broken.done():
            started = time.monotonic()
            code = await self._run(number, config)
            kill_marked(f"{self._mark}/{number}")
            if self._stopping:
                return
            _log.warning("pilot_ended", extra={"pilot": number, "code": code, "seconds": time.monotonic() - started})
            self._judge(number, code)
            if code:
                await asyncio.sleep(_PAUSES[min(self._crashes, len(_PAUSES) - 1)])

    async def _run(self, number: int, config: Path) -> int:
        environment = os.environ | {MARK: f"{self._mark}/{number}"}
        with self._log_path(number).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "ewms.pilot",
                str(config),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                # A Ctrl-C in the terminal is for the driver, which drains the pilots in its own order.
                start_new_session=True,
            )
        self._processes[number] = process
        try:
            return await process.wait()
        finally:
            if process.returncode is not None:
                del self._processes[number]

    def _judge(self, number: int, code: int) -> None:
        if code == 0 or self._broken.done():
            return
        if self._done > self._done_at_crash:
            self._crashes = 0
        self._done_at_crash = self._done
        self._crashes += 1
        if code == _BROKEN and (self._crashes > 1 or self._done == 0):
            self._broken.set_result(last_words(self._log_path(number)))
        elif self._crashes >= _MAX_CRASHES:
            self._broken.set_result(
                f"pilots died {self._crashes} times in a row without finishing an event, the last with exit code {code}: "
                f"{last_words(self._log_path(number))} (log: {self._log_path(number)})"
            )

    def _log_path(self, number: int) -> Path:
        return self._folder / f"pilot-{number}.log"
