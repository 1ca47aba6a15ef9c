"""The pilots of one taskforce on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from ewms.tms.backend import Standing
from ewms.tms.backends._local_nursery import Nursery
from ewms.tms.backends._local_record import Record, forget_record
from ewms.tms.backends._pilot_process import PilotProcess
from ewms.tms.folder import CONFIG
from ewms.tms.launchers.reap import MARK, kill_marked
from ewms.tms.statuses import JobStatus, PilotStatus, held, tally, top_errors

_log = logging.getLogger("ewms.tms.local")

SCRATCH = "scratch"
"""Folder of a taskforce for temporary files of its pilots; goes with the batch."""
MAX_CRASHES = 8
"""Pilots that die one after the other before the batch is held."""
HOLD_SECONDS = 300.0
"""Until a held batch is tried again."""
SOUND_SECONDS = 60.0
"""A pilot that lived so long was no crash at its start."""
TEAR_DOWN_SECONDS = 1.0
"""For pilots to end by themselves when their batch is removed; idle ones need less."""
_HOPELESS = frozenset({2, 4, 6})
"""Exit codes of pilots that fare no better a second time: wrong configuration, broken consumer, another version."""
_AFTER_END = 3.0
"""A pilot that ends well was told to: most often its whole workflow is over."""
_PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)
_OVERTIME = 30.0
"""Seconds beyond its run time that a pilot gets: it drains before by itself."""


class LocalBatch:
    """Keeps as many pilots as it may.

    Parameters
    ----------
    record
        What is wanted; on disk already.
    folder
        Of the taskforce, with the pilots' configuration in it.
    mark
        Of all its processes.
    environment
        Of pilots.
    on_change
        Called whenever its standing or its need of slots changes.
    nursery
        Forks pilots.
    """

    def __init__(
        self,
        record: Record,
        folder: Path,
        mark: str,
        environment: Mapping[str, str],
        on_change: Callable[[LocalBatch], None],
        *,
        nursery: Nursery | None = None,
    ) -> None:
        self.record = record
        self._folder = folder
        self._mark = mark
        self._environment = environment
        self._on_change = on_change
        self._nursery = nursery if record.is_forkable else None
        self._pilots: dict[int, PilotProcess] = {}
        self._draining: set[int] = set()
        self._minders: dict[int, asyncio.Task[None]] = {}
        self._last_number = max(self._numbers(), default=0)
        self._ended: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[str] = Counter()
        self._crashes = 0
        self._held = ""
        self._resting = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def processes(self) -> int:
        """Pilots that run, draining ones included."""
        return len(self._pilots)

    @property
    def needs(self) -> int:
        """Pilots to be started now if there is room."""
        if self._held or self._resting:
            return 0
        return max(0, self.record.workers - self._working())

    def start(self) -> None:
        """Start one pilot."""
        self._last_number += 1
        number = self._last_number
        try:
            pilot = self._forked(number) or self._spawned(number)
        except OSError as error:
            self._crashed(None, f"no pilot can be started: {error.strerror}")
            return
        self._mind(number, pilot)

    def _forked(self, number: int) -> PilotProcess | None:
        if self._nursery is None:
            return None
        log = self._log_path(number)
        pid = self._nursery.bear(self._folder / CONFIG, log, f"{self._mark}/{number}")
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            return None if pid is None else PilotProcess(pid, log)
        return None

    def _spawned(self, number: int) -> PilotProcess:
        environment = {**self._environment, **self.record.environment, MARK: f"{self._mark}/{number}"}
        return PilotProcess.spawn(self._folder / CONFIG, self._log_path(number), environment)

    def adopt(self, number: int, pid: int) -> None:
        """Take over a pilot that a TMS before this one started."""
        try:
            pilot = PilotProcess(pid, self._log_path(number))
        except ProcessLookupError:
            return
        self._last_number = max(self._last_number, number)
        self._mind(number, pilot)

    def resize(self, workers: int) -> None:
        """Have that many pilots: those started last are drained first."""
        self.record = msgspec.structs.replace(self.record, workers=workers)
        self.record.write(self._folder)
        working = sorted(self._pilots.keys() - self._draining)
        for number in working[workers:]:
            self._draining.add(number)
            self._pilots[number].send(signal.SIGTERM)
        self._on_change(self)

    async def remove(self) -> None:
        """End all pilots, and leave nothing but their logs."""
        self.resize(0)  # on disk, too: should this process die now, no new pilot is started
        if self._minders:
            await asyncio.wait(self._minders.values(), timeout=TEAR_DOWN_SECONDS)
        for pilot in self._pilots.values():
            pilot.send(signal.SIGKILL)
        while self._minders:
            await asyncio.wait(self._minders.values())
        self._stop_timer()
        await asyncio.to_thread(kill_marked, self._mark)
        await asyncio.to_thread(shutil.rmtree, self._folder / SCRATCH, ignore_errors=True)
        (self._folder / CONFIG).unlink(missing_ok=True)
        forget_record(self._folder)

    def let_go(self) -> None:
        """Stop minding the pilots; they go on."""
        self._stop_timer()
        for minder in self._minders.values():
            minder.cancel()
        for pilot in self._pilots.values():
            pilot.let_go()

    def standing(self, *, over: bool = False) -> Standing:
        """How its workers fare."""
        return Standing(
            taskforce_uuid=self.record.taskforce_uuid,
            compound_statuses=tally(self._statuses()),
            top_task_errors=top_errors(self._errors),
            ended_at=time.time() if over else None,
        )

    def _statuses(self) -> Iterator[tuple[str, str]]:
        yield from self._ended.elements()
        for _ in self._pilots:
            yield JobStatus.RUNNING, PilotStatus.STARTED
        missing = JobStatus.IDLE if not self._held else held(self._held)
        for _ in range(self.record.workers - self._working()):
            yield missing, PilotStatus.UNKNOWN

    def _working(self) -> int:
        return len(self._pilots) - len(self._draining)

    def _mind(self, number: int, pilot: PilotProcess) -> None:
        self._pilots[number] = pilot
        self._minders[number] = asyncio.create_task(self._wait(number, pilot))
        self._on_change(self)

    async def _wait(self, number: int, pilot: PilotProcess) -> None:
        began = time.monotonic()
        limit = self.record.max_runtime
        try:
            async with asyncio.timeout(None if limit is None else limit + _OVERTIME):
                code = await pilot.wait()
        except TimeoutError:
            pilot.send(signal.SIGKILL)
            code = await pilot.wait()
        await asyncio.to_thread(kill_marked, f"{self._mark}/{number}")
        del self._pilots[number], self._minders[number]
        was_told = number in self._draining
        self._draining.discard(number)
        if code == 0 or was_told:
            self._ended[JobStatus.COMPLETED, PilotStatus.DONE] += 1
            self._crashes = 0
            if not was_told:
                self._rest(_AFTER_END)
        else:
            if time.monotonic() - began > SOUND_SECONDS:
                self._crashes = 0
            self._ended[JobStatus.COMPLETED, PilotStatus.FATAL_ERROR] += 1
            self._crashed(code, pilot.last_words() if code is not None and code >= 0 else _killed(code))
        self._on_change(self)

    def _crashed(self, code: int | None, reason: str) -> None:
        self._errors[reason] += 1
        self._crashes += 1
        _log.warning("pilot_ended", extra={"taskforce": self.record.taskforce_uuid, "code": code, "reason": reason})
        if self._crashes >= MAX_CRASHES or (code in _HOPELESS and self._crashes > 1):
            self._held = reason
            self._rest(HOLD_SECONDS)
        else:
            self._rest(_PAUSES[min(self._crashes, len(_PAUSES)) - 1])
        self._on_change(self)

    def _rest(self, seconds: float) -> None:
        """Start no pilot for a while."""
        self._stop_timer()
        self._resting = True
        self._timer = asyncio.get_running_loop().call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._resting = False
        if self._held:
            self._held = ""
            self._crashes = MAX_CRASHES // 2
        self._on_change(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _log_path(self, number: int) -> Path:
        return self._folder / f"pilot-{number}.log"

    def _numbers(self) -> Iterator[int]:
        """Of all pilots that it ever had."""
        for log in self._folder.glob("pilot-*.log"):
            yield int(log.stem.removeprefix("pilot-"))


def _killed(code: int | None) -> str:
    return "it was killed" if code is None else f"it was killed by {signal.Signals(-code).name}"
